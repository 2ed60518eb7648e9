//! What the web process asks of the applier, and the answers: one line of JSON each.
//!
//! Owns the forms. Whoever may connect may ask for everything here; who is logged in at the web
//! process, and in which role, is for that one to decide.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::edit::{Edit, FieldError};

/// Where the applier listens, below the run-time folder.
pub const SOCKET: &str = "applier.sock";
/// The longest request line in bytes: a configuration of [`LONGEST_TEXT`], quoted.
pub const LONGEST_REQUEST: usize = 8 << 20;
/// The longest lvs.cf that is taken over this way.
pub const LONGEST_TEXT: usize = 2 << 20;
/// How many earlier versions are kept.
pub const VERSIONS: usize = 20;

/// On whose behalf: for the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// The account.
    pub who: String,
    /// The client's address.
    pub from: String,
}

/// A change of lvs.cf.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// These edits.
    Edits(Vec<Edit>),
    /// This whole text.
    Text(String),
    /// An earlier version, by its number in the list.
    Version(u64),
}

/// A request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// lvs.cf as it is: [`Reply::Configuration`].
    Read,
    /// What a change would do: [`Reply::Preview`], [`Reply::Unchanged`], [`Reply::Refused`],
    /// [`Reply::Conflict`].
    Preview {
        /// Digest of the file that the change was made from.
        base: String,
        /// The change.
        change: Change,
    },
    /// Make the change: [`Reply::Applied`] or as for a preview.
    Apply {
        /// Digest of the file that the change was made from.
        base: String,
        /// The change.
        change: Change,
        /// For the log.
        origin: Origin,
    },
    /// Earlier versions, the latest first: [`Reply::Versions`].
    Versions,
    /// One of them: [`Reply::Version`].
    Version {
        /// Its number.
        number: u64,
    },
    /// Let a server finish what it has: [`Reply::Done`].
    Drain {
        /// `VIRTUAL/SERVER`.
        server: String,
        /// For so long; absent: until it is enabled.
        #[serde(default)]
        seconds: Option<u64>,
        /// Why.
        why: String,
        /// For the log.
        origin: Origin,
    },
    /// Let it take connections again: [`Reply::Done`].
    Enable {
        /// `VIRTUAL/SERVER`.
        server: String,
        /// For the log.
        origin: Origin,
    },
    /// Give the active role to the partner: [`Reply::Done`].
    HandOver {
        /// For the log.
        origin: Origin,
    },
    /// Have pulse read lvs.cf again: [`Reply::Done`].
    Reload {
        /// For the log.
        origin: Origin,
    },
    /// The state of the daemons: [`Reply::Status`].
    Status,
    /// The two routers' files: [`Reply::Partner`].
    Partner,
    /// The state of the partner's daemons: [`Reply::Status`].
    PartnerStatus,
    /// Give the partner this router's file: [`Reply::Done`].
    SendToPartner {
        /// For the log.
        origin: Origin,
    },
    /// The log's last entries, the latest first: [`Reply::Audit`].
    Audit {
        /// At most so many, and at most 200.
        most: usize,
    },
}

/// A message of lvs-config's check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// `error` or `warning`.
    pub severity: String,
    /// The stable name of the message.
    pub code: String,
    /// Line from 1; 0: the file as a whole.
    pub line: usize,
    /// For people.
    pub message: String,
    /// What would have been right.
    pub expected: Option<String>,
    /// What to do.
    pub help: Option<String>,
}

impl From<&lvs_config::Diagnostic> for Note {
    fn from(diagnostic: &lvs_config::Diagnostic) -> Self {
        Self {
            severity: diagnostic.severity.name().to_owned(),
            code: diagnostic.code.name().to_owned(),
            line: diagnostic.line,
            message: diagnostic.message.clone(),
            expected: diagnostic.expected.clone(),
            help: diagnostic.help.clone(),
        }
    }
}

/// lvs.cf.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configuration {
    /// Its path, for people.
    pub path: String,
    /// Whether there is such a file.
    pub exists: bool,
    /// The text; bytes that are not UTF-8 are replaced, see `is_utf8`.
    pub text: String,
    /// Whether the text is shown as it is. Edits keep the bytes either way.
    pub is_utf8: bool,
    /// SHA-256 of the bytes: the `base` of a change.
    pub digest: String,
    /// As pulse tells it of itself and of the partner.
    pub pair_digest: String,
    /// `serial_no`, 0 without one.
    pub serial: i32,
    /// Errors and warnings.
    pub notes: Vec<Note>,
    /// Folders below which programs may be named; none: keywords that name programs are read-only.
    pub program_folders: Vec<String>,
    /// Whether the file may be sent to the partner.
    pub can_send: bool,
}

/// What a change would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preview {
    /// The file as it is: what the change is to be applied to.
    pub base: String,
    /// The text as it would be; bytes that are not UTF-8 are replaced.
    pub text: String,
    /// Its serial number.
    pub serial: i32,
    /// A unified difference of the two texts.
    pub difference: String,
    /// What changes of what is in force, as `--check` against the running file tells it.
    pub effects: Vec<String>,
    /// Keywords that take effect only when pulse is started again.
    pub needs_restart: Vec<String>,
    /// What becomes of the IPVS table.
    pub plan: Plan,
    /// Warnings about the new text.
    pub notes: Vec<Note>,
}

/// The changes that lvs would make to the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Plan {
    /// As `lvs --plan` prints them.
    Known {
        /// ipvsadm's command lines in their order; none: the table stays as it is.
        commands: Vec<String>,
        /// What lvs has to say about the file.
        notes: Vec<String>,
    },
    /// Why it is not known: lvs does not run here, or refuses the file.
    Unknown(String),
}

/// Why a change is not made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// For people.
    pub message: String,
    /// Each beside its field.
    pub fields: Vec<FieldError>,
    /// Errors of a text.
    pub notes: Vec<Note>,
}

/// The file is another one by now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    /// The file as it is now.
    pub current: Configuration,
    /// What changed meanwhile, as a unified difference; absent when the base is not known any more.
    pub meanwhile: Option<String>,
    /// The text that the change would have made of its base, under the same condition.
    pub wanted: Option<String>,
}

/// A change was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// Digest of the new file.
    pub digest: String,
    /// Its serial number.
    pub serial: i32,
    /// Number of the version that holds what was before; absent when there was no file.
    pub version: Option<u64>,
    /// Whether the running pulse follows the new file, and what it said.
    pub reload: Outcome,
}

/// How something ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Whether it was done.
    pub done: bool,
    /// For people.
    pub text: String,
}

/// An earlier version: the file as it was before a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// Counted upwards for ever.
    pub number: u64,
    /// When it was replaced, seconds since 1970.
    pub at: u64,
    /// On whose behalf it was replaced.
    pub origin: Origin,
    /// Its serial number.
    pub serial: i32,
    /// SHA-256 of it.
    pub digest: String,
}

/// One entry of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Seconds since 1970.
    pub at: u64,
    /// On whose behalf.
    pub origin: Origin,
    /// `apply`, `undo`, `drain`, `enable`, `hand-over`, `reload`, `send`, `receive`.
    pub act: String,
    /// What it was about: a server, a version, a partner.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub what: String,
    /// Serial number before, for changes of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<i32>,
    /// Serial number after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<i32>,
    /// The difference of the texts without values that may be secret.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub difference: String,
    /// How it ended.
    pub outcome: Outcome,
}

/// What a daemon says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// Its answer.
    Status(Value),
    /// Why there is none.
    Silent(String),
}

/// A router's file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouterFile {
    /// `serial_no`.
    pub serial: i32,
    /// As pulse tells it.
    pub pair_digest: String,
}

/// The two routers' files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partner {
    /// The partner's address, if pulse knows one.
    pub address: Option<String>,
    /// What is on the disk here.
    pub own: RouterFile,
    /// What this router's pulse follows.
    pub followed: Option<RouterFile>,
    /// What the partner follows, if it says so.
    pub partner: Option<RouterFile>,
    /// Whether the file here can be sent; else why not.
    pub can_send: Outcome,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum Reply {
    /// To [`Request::Read`].
    Configuration(Configuration),
    /// To [`Request::Preview`].
    Preview(Preview),
    /// To [`Request::Apply`].
    Applied(Applied),
    /// Nothing would change.
    Unchanged,
    /// The change is not possible or not allowed.
    Refused(Refused),
    /// The file was changed meanwhile.
    Conflict(Box<Conflict>),
    /// To [`Request::Versions`].
    Versions {
        /// The latest first.
        versions: Vec<Version>,
    },
    /// To [`Request::Version`].
    Version {
        /// What is known of it.
        version: Version,
        /// Its text; bytes that are not UTF-8 are replaced.
        text: String,
        /// The unified difference from it to the file as it is.
        difference: String,
    },
    /// To requests that are done or not.
    Done(Outcome),
    /// To [`Request::Status`] and [`Request::PartnerStatus`].
    Status {
        /// Of pulse: the JSON of `pulse --status --json`.
        pulse: Said,
        /// Of lvs: the JSON of `lvs --status --json`.
        lvs: Said,
    },
    /// To [`Request::Partner`].
    Partner(Partner),
    /// To [`Request::Audit`].
    Audit {
        /// The latest first.
        entries: Vec<Entry>,
    },
    /// The request is not understood, or the machine fails it; nothing was changed.
    Error {
        /// For people.
        message: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::Item;

    #[test]
    fn requests_are_plain_objects() {
        let text = r#"{"request":"apply","base":"00","change":{"edits":[{"edit":"set","at":{"item":"global"},"keyword":"primary","value":"192.0.2.1"}]},"origin":{"who":"piranha","from":"127.0.0.1"}}"#;
        let request: Request = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&request).unwrap(), text);
        let Request::Apply { change, .. } = request else {
            panic!("{request:?}");
        };
        let edit = Edit::Set {
            at: Item::Global,
            keyword: "primary".to_owned(),
            value: "192.0.2.1".to_owned(),
        };
        assert_eq!(change, Change::Edits(vec![edit]));
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for wrong in [
            "",
            "{}",
            "[]",
            r#"{"request":"reboot"}"#,
            r#"{"request":"apply","base":"00","change":{"text":""}}"#,
            r#"{"request":"version","number":-1}"#,
            r#"{"request":"version","number":1,"more":1}"#,
            r#"{"request":"preview","base":"","change":{"edits":[{"edit":"set"}]}}"#,
        ] {
            assert!(serde_json::from_str::<Request>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn answers_can_be_read_again() {
        let replies = [
            Reply::Unchanged,
            Reply::Done(Outcome {
                done: false,
                text: "no".to_owned(),
            }),
            Reply::Status {
                pulse: Said::Silent("not running".to_owned()),
                lvs: Said::Status(serde_json::json!({"pid": 1})),
            },
            Reply::Audit { entries: vec![] },
        ];
        for reply in replies {
            let text = serde_json::to_string(&reply).unwrap();
            assert_eq!(serde_json::from_str::<Reply>(&text).unwrap(), reply);
        }
    }
}
