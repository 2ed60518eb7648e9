//! The program as an administrator meets it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests may stop at the first surprise"
)]

use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use account::{Accounts, Role};
use tempfile::TempDir;

struct World(TempDir);

impl World {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("piranha.passwd")
    }

    fn run(&self, args: &[&str], input: &str) -> Output {
        let mut child = Command::new(env!("CARGO_BIN_EXE_piranha-passwd"))
            .args(args)
            .args(["--owner", "root", "--file"])
            .arg(self.file())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // One that refuses its arguments does not read.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    fn accounts(&self) -> Accounts {
        Accounts::read(&self.file()).unwrap()
    }

    /// Nothing but the file.
    fn is_clean(&self) -> bool {
        let names = std::fs::read_dir(self.0.path()).unwrap();
        names.flatten().all(|entry| entry.path() == self.file())
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned()
}

#[test]
fn r3_accounts_are_made_changed_listed_and_removed() {
    let world = World::new();
    for (args, password) in [
        (&["--stdin"][..], "first\n"),
        (&["--stdin", "--user", "guest", "--role", "read-only"], "g"),
        (&["--stdin"], "second\r\nignored\n"),
        // The role stays.
        (&["--stdin", "--user", "guest"], "h\n"),
    ] {
        let output = world.run(args, password);
        assert!(output.status.success(), "{}", said(&output));
        let mode = world.file().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o600);
    }
    let accounts = world.accounts();
    assert_eq!(accounts.verify("piranha", "second"), Some(Role::Admin));
    assert_eq!(accounts.verify("piranha", "first"), None);
    assert_eq!(accounts.verify("guest", "h"), Some(Role::ReadOnly));
    let list = world.run(&["--list"], "");
    assert_eq!(said(&list), "piranha\tadmin\nguest\tread-only\n");
    assert!(
        world
            .run(&["--delete", "--user", "guest"], "")
            .status
            .success()
    );
    assert!(world.accounts().get("guest").is_none());
    assert!(
        !world
            .run(&["--delete", "--user", "guest"], "")
            .status
            .success()
    );
    assert!(world.is_clean());
}

#[test]
fn r3_cve_2000_0322_a_password_is_no_argument() {
    let world = World::new();
    let output = world.run(&["secret"], "");
    assert!(!output.status.success());
    assert!(
        said(&output).contains("never an argument"),
        "{}",
        said(&output)
    );
    assert!(!world.file().exists());
}

#[test]
fn r2_cve_2000_0248_what_is_no_password_makes_no_account() {
    let world = World::new();
    for password in ["", "\n", "a\0b\n", &"x".repeat(1025)] {
        let output = world.run(&["--stdin"], password);
        assert!(!output.status.success(), "{password:?}");
    }
    for args in [
        &["--stdin", "--user", "a:b"][..],
        &["--stdin", "--role", "root"],
        &["--stdin", "--delete"],
        &["--list", "--delete"],
    ] {
        let output = world.run(args, "x\n");
        assert!(
            !output.status.success() && !said(&output).is_empty(),
            "{args:?}"
        );
    }
    assert!(!world.file().exists());
}

/// Who has the old file open goes on reading all of it: it was not written over.
#[test]
fn r3_the_file_is_the_tools_users_alone_and_replaced_in_one_step() {
    let world = World::new();
    assert!(world.run(&["--stdin"], "first\n").status.success());
    let before = world.file().metadata().unwrap();
    let mut open = std::fs::File::open(world.file()).unwrap();
    // A mode that somebody loosened is set right.
    std::fs::set_permissions(world.file(), PermissionsExt::from_mode(0o644)).unwrap();
    assert!(world.run(&["--stdin"], "second\n").status.success());
    let after = world.file().metadata().unwrap();
    assert_ne!(before.ino(), after.ino());
    assert_eq!(after.permissions().mode() & 0o7777, 0o600);
    let mut old = String::new();
    open.read_to_string(&mut old).unwrap();
    let old = Accounts::parse(&old).unwrap();
    assert_eq!(old.verify("piranha", "first"), Some(Role::Admin));
    assert!(world.is_clean());
    // Only root can give a file away.
    if nix::unistd::geteuid().is_root() {
        let output = Command::new(env!("CARGO_BIN_EXE_piranha-passwd"))
            .args(["--delete", "--owner", "nobody", "--file"])
            .arg(world.file())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", said(&output));
        let nobody = nix::unistd::User::from_name("nobody").unwrap().unwrap();
        let owner = world.file().metadata().unwrap().uid();
        assert_eq!(owner, nobody.uid.as_raw());
    }
}

#[test]
fn another_programs_file_is_left_alone() {
    let world = World::new();
    let original = "piranha:$apr1$abcdefgh$0123456789abcdefghijkl\n";
    std::fs::write(world.file(), original).unwrap();
    let output = world.run(&["--stdin"], "x\n");
    assert!(said(&output).contains("line 1"), "{}", said(&output));
    assert_eq!(std::fs::read_to_string(world.file()).unwrap(), original);
    assert!(world.is_clean());
}

/// A terminal of its own: what is typed is not shown, and asked for twice.
fn at_a_terminal(world: &World, answers: [&str; 2]) -> (bool, String) {
    let pty = nix::pty::openpty(None, None).unwrap();
    let slave = || Stdio::from(pty.slave.try_clone().unwrap());
    let mut child = Command::new("setsid")
        .args(["--ctty", "--wait", env!("CARGO_BIN_EXE_piranha-passwd")])
        .args(["--owner", "root", "--file"])
        .arg(world.file())
        .stdin(slave())
        .stdout(slave())
        .stderr(slave())
        .spawn()
        .unwrap();
    drop(pty.slave);
    let mut terminal = std::fs::File::from(pty.master);
    let mut shown = String::new();
    for (prompt, answer) in ["New Password: ", "Verify: "].into_iter().zip(answers) {
        let mut byte = [0];
        while !shown.ends_with(prompt) {
            // The end of the program is the end of the terminal.
            match terminal.read(&mut byte) {
                Ok(1) => shown.push(char::from(byte[0])),
                _ => return (child.wait().unwrap().success(), shown),
            }
        }
        terminal.write_all(answer.as_bytes()).unwrap();
        terminal.write_all(b"\n").unwrap();
    }
    let mut rest = Vec::new();
    // Ends with an error: the other side is closed.
    let _ = terminal.read_to_end(&mut rest);
    shown.push_str(&String::from_utf8_lossy(&rest));
    (child.wait().unwrap().success(), shown)
}

#[test]
fn r3_a_password_typed_at_a_terminal_is_not_shown() {
    let world = World::new();
    let (done, shown) = at_a_terminal(&world, ["geheim", "geheim"]);
    assert!(done, "{shown}");
    assert!(!shown.contains("geheim"), "{shown}");
    assert_eq!(
        world.accounts().verify("piranha", "geheim"),
        Some(Role::Admin)
    );
    // Ctrl-C is an answer as well.
    for answers in [["other", "otter"], ["", ""], ["oth\u{3}", ""]] {
        let (done, shown) = at_a_terminal(&world, answers);
        assert!(!done, "{shown}");
    }
    assert_eq!(
        world.accounts().verify("piranha", "geheim"),
        Some(Role::Admin)
    );
}
