//! The accounts of the web tool: one line each, `USER:ROLE:HASH`, the password hashed by argon2id.
//!
//! Owns the form of the file and the hashes. Never writes the file, and knows no sessions.

use std::fmt;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};

/// Where the file is when no option names another.
pub const FILE: &str = "/etc/sysconfig/ha/conf/piranha.passwd";
/// The account that Piranha had.
pub const DEFAULT_USER: &str = "piranha";

/// Largest file that is read.
const SIZE_LIMIT: u64 = 1 << 20;
/// Longest password; hashing must not become work for an attacker to order.
pub const PASSWORD_LIMIT: usize = 1024;
/// Longest user name.
const NAME_LIMIT: usize = 64;

/// What an account may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// See and change.
    Admin,
    /// See.
    ReadOnly,
}

impl Role {
    /// The word in the file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::ReadOnly => "read-only",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Role {
    type Err = AccountError;

    fn from_str(text: &str) -> Result<Self, AccountError> {
        match text {
            "admin" => Ok(Self::Admin),
            "read-only" => Ok(Self::ReadOnly),
            _ => Err(AccountError::Role(text.to_owned())),
        }
    }
}

/// What can be wrong.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The file cannot be read.
    #[error("failed to read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Others than its owner may read or change the file.
    #[error("{} can be read or changed by others (mode {mode:o}); it must have mode 600", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// A line of the file.
    #[error("line {line} is not USER:ROLE:HASH with an argon2id hash")]
    Line {
        /// Counted from 1.
        line: usize,
    },
    /// A user name that is empty, long or has other characters than letters, digits, `.`, `_`, `-`.
    #[error("a user name has 1 to {NAME_LIMIT} letters, digits and . _ -")]
    User,
    /// Not a role.
    #[error("{0:?} is not a role: admin or read-only")]
    Role(String),
    /// An empty or overlong password.
    #[error("a password has 1 to {PASSWORD_LIMIT} bytes")]
    Password,
    /// The hash could not be made.
    #[error("failed to hash the password: {0}")]
    Hash(String),
}

/// One account.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    user: String,
    role: Role,
    hash: String,
}

impl Account {
    /// An account with a password, which is hashed: takes tens of milliseconds and 19 MiB.
    ///
    /// # Errors
    /// [`AccountError::User`], [`AccountError::Password`] or [`AccountError::Hash`].
    pub fn new(user: &str, role: Role, password: &str) -> Result<Self, AccountError> {
        if !is_name(user) {
            return Err(AccountError::User);
        }
        if password.is_empty() || password.len() > PASSWORD_LIMIT {
            return Err(AccountError::Password);
        }
        let hash = Argon2::default()
            .hash_password(password.as_bytes())
            .map_err(|error| AccountError::Hash(error.to_string()))?;
        Ok(Self {
            user: user.to_owned(),
            role,
            hash: hash.to_string(),
        })
    }

    /// Who.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// What it may do.
    pub const fn role(&self) -> Role {
        self.role
    }

    /// Whether it is the password. Takes as long as [`Account::new`].
    pub fn accepts(&self, password: &str) -> bool {
        password.len() <= PASSWORD_LIMIT
            && PasswordHash::new(&self.hash).is_ok_and(|hash| {
                Argon2::default()
                    .verify_password(password.as_bytes(), &hash)
                    .is_ok()
            })
    }
}

/// Without the hash.
impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.user, self.role)
    }
}

fn is_name(user: &str) -> bool {
    let fits = |letter: u8| letter.is_ascii_alphanumeric() || b"._-".contains(&letter);
    (1..=NAME_LIMIT).contains(&user.len()) && user.bytes().all(fits)
}

/// The file's accounts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accounts(Vec<Account>);

impl Accounts {
    /// Reads the file, unless others than its owner have a right to it.
    ///
    /// # Errors
    /// [`AccountError::Read`], [`AccountError::Open`] or [`AccountError::Line`].
    pub fn read(path: &Path) -> Result<Self, AccountError> {
        let failed = |source| AccountError::Read {
            path: path.to_owned(),
            source,
        };
        let file = std::fs::File::open(path).map_err(failed)?;
        let mode = file.metadata().map_err(failed)?.mode() & 0o7777;
        if mode & 0o077 != 0 {
            let path = path.to_owned();
            return Err(AccountError::Open { path, mode });
        }
        let mut text = String::new();
        file.take(SIZE_LIMIT)
            .read_to_string(&mut text)
            .map_err(failed)?;
        Self::parse(&text)
    }

    /// Reads the file's text: blank lines and lines that begin with `#` do not count; of two
    /// accounts of one user the last counts.
    ///
    /// # Errors
    /// [`AccountError::Line`] with the first wrong one.
    pub fn parse(text: &str) -> Result<Self, AccountError> {
        let mut accounts = Self::default();
        for (at, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let account = parse_line(line).ok_or(AccountError::Line { line: at + 1 })?;
            accounts.set(account);
        }
        Ok(accounts)
    }

    /// The file's text.
    pub fn text(&self) -> String {
        let line =
            |account: &Account| format!("{}:{}:{}\n", account.user, account.role, account.hash);
        self.0.iter().map(line).collect()
    }

    /// Adds an account, or replaces the user's.
    pub fn set(&mut self, account: Account) {
        self.remove(&account.user);
        self.0.push(account);
    }

    /// Removes the user's account; says whether there was one.
    pub fn remove(&mut self, user: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|account| account.user != user);
        self.0.len() < before
    }

    /// The user's account.
    pub fn get(&self, user: &str) -> Option<&Account> {
        self.0.iter().find(|account| account.user == user)
    }

    /// The role of the user whose password it is. An unknown user takes as long as a known one.
    pub fn verify(&self, user: &str, password: &str) -> Option<Role> {
        let known = self.get(user);
        let account = known.or_else(|| self.0.first())?;
        let accepted = account.accepts(password);
        known.filter(|_| accepted).map(Account::role)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Account> {
        self.0.iter()
    }

    /// Whether nobody can log in.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn parse_line(line: &str) -> Option<Account> {
    let mut parts = line.splitn(3, ':');
    let (user, role, hash) = (parts.next()?, parts.next()?, parts.next()?);
    let parsed = PasswordHash::new(hash).ok()?;
    let is_hash = parsed.algorithm.as_str() == "argon2id" && parsed.hash.is_some();
    (is_name(user) && is_hash).then_some(())?;
    Some(Account {
        user: user.to_owned(),
        role: role.parse().ok()?,
        hash: hash.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn r3_an_account_is_read_as_it_is_written_and_accepts_its_password_only() {
        let mut accounts = Accounts::default();
        accounts.set(Account::new("piranha", Role::Admin, "한글 pass:word").unwrap());
        accounts.set(Account::new("guest", Role::ReadOnly, "g").unwrap());
        let text = accounts.text();
        let read = Accounts::parse(&format!("# made by hand\n\n{text}")).unwrap();
        assert_eq!(read, accounts);
        let piranha = read.get("piranha").unwrap();
        assert_eq!(read.verify("guest", "g"), Some(Role::ReadOnly));
        assert_eq!(read.verify("guest", "G"), None);
        assert_eq!(read.verify("nobody", "한글 pass:word"), None);
        assert_eq!(piranha.role(), Role::Admin);
        assert!(piranha.accepts("한글 pass:word"));
        assert!(!piranha.accepts("한글 pass:wor"));
        assert!(!piranha.accepts(""));
        // 19 MiB and two passes: as much for each guess.
        assert!(text.contains("piranha:admin:$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(!format!("{read:?}").contains("argon2"), "no hash in logs");
    }

    #[test]
    fn r2_cve_2000_0248_no_empty_password() {
        assert!(Account::new("piranha", Role::Admin, "").is_err());
        for line in [
            "piranha:admin:",
            "piranha:admin",
            "piranha::",
            "piranha:admin:q",
        ] {
            assert!(Accounts::parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn other_hashes_names_and_roles_are_refused_with_the_line() {
        let good = Account::new("a", Role::Admin, "x").unwrap().hash;
        for (user, role, hash) in [
            ("a", "root", good.clone()),
            ("a b", "admin", good.clone()),
            ("", "admin", good.clone()),
            ("a", "admin", good.replace("argon2id", "argon2i")),
            ("a", "admin", "$1$abcdefgh$0123456789".to_owned()),
            ("a", "admin", "$argon2id$v=19$m=19456,t=2,p=1".to_owned()),
        ] {
            let text = format!("#\n{user}:{role}:{hash}\n");
            let error = Accounts::parse(&text).unwrap_err();
            assert!(matches!(error, AccountError::Line { line: 2 }), "{text}");
        }
    }

    #[test]
    fn r3_a_file_that_others_may_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("piranha.passwd");
        std::fs::write(&path, "").unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).unwrap();
        let error = Accounts::read(&path).unwrap_err();
        assert!(error.to_string().contains("mode 640"), "{error}");
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
        assert!(Accounts::read(&path).unwrap().is_empty());
    }
}
