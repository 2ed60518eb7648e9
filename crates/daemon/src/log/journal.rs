//! journald's own protocol: a message with fields beside its text, by which `journalctl` can choose.
//!
//! Owns the form of a datagram and the fields of every message of this process. Must not send.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// Where journald takes messages with fields.
pub(super) const SOCKET: &str = "/run/systemd/journal/socket";
/// Where the system log's socket leads when journald is the system log.
const DEV_LOG: &str = "systemd/journal/dev-log";
/// The names of our fields begin with this.
const PREFIX: &str = "PIRANHA_";

static ALWAYS: Mutex<Vec<(&'static str, String)>> = Mutex::new(Vec::new());

/// From now on each message of this process has this field in the journal, `PIRANHA_` and the name in
/// capitals. Its text does not change.
pub fn set_field(name: &'static str, value: &str) {
    // It may be an option's, or of the environment: a second line would be a field of its own.
    let value = super::one_line(value);
    let mut fields = ALWAYS.lock().unwrap_or_else(PoisonError::into_inner);
    match fields.iter_mut().find(|(known, _)| *known == name) {
        Some((_, old)) => *old = value,
        None => fields.push((name, value)),
    }
}

/// Whether journald is behind the system log's socket. A site that put another log there is not passed by.
pub(super) fn is_behind(syslog_socket: &Path) -> bool {
    std::fs::read_link(syslog_socket).is_ok_and(|target| target.ends_with(DEV_LOG))
}

/// One message, all of its parts being of one line; of two fields of a name the message's own counts.
pub(super) fn datagram(tag: &str, message: &str, fields: &[(&'static str, String)]) -> String {
    // Priority and facility as in the line for the system log.
    let mut text =
        format!("MESSAGE={message}\nPRIORITY=6\nSYSLOG_FACILITY=3\nSYSLOG_IDENTIFIER={tag}\n");
    let always = ALWAYS.lock().unwrap_or_else(PoisonError::into_inner);
    let others = always
        .iter()
        .filter(|(name, _)| fields.iter().all(|(own, _)| own != name));
    for (name, value) in others.chain(fields) {
        let _ = writeln!(text, "{PREFIX}{}={value}", name.to_ascii_uppercase());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_stand_beside_the_text_and_start_no_others() {
        set_field("role", "backup");
        set_field("role", "primary");
        let fields = [("verdict", "up".to_owned())];
        assert_eq!(
            datagram("nanny", "a = b", &fields),
            "MESSAGE=a = b\nPRIORITY=6\nSYSLOG_FACILITY=3\nSYSLOG_IDENTIFIER=nanny\n\
             PIRANHA_ROLE=primary\nPIRANHA_VERDICT=up\n"
        );
        let own = [("role", "x".to_owned())];
        let text = datagram("pulse", "", &own);
        assert!(
            text.ends_with("SYSLOG_IDENTIFIER=pulse\nPIRANHA_ROLE=x\n"),
            "{text}"
        );
        set_field("role", "web\nPRIORITY=0");
        let text = datagram("nanny", "", &[]);
        assert!(
            text.ends_with("\nPIRANHA_ROLE=web\\nPRIORITY=0\n"),
            "{text}"
        );
    }

    #[test]
    fn journald_is_known_by_where_the_socket_leads() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("log");
        assert!(!is_behind(&socket));
        std::os::unix::fs::symlink("/run/systemd/journal/dev-log", &socket).unwrap();
        assert!(is_behind(&socket));
        std::fs::remove_file(&socket).unwrap();
        std::os::unix::fs::symlink("/run/other/log", &socket).unwrap();
        assert!(!is_behind(&socket));
    }
}
