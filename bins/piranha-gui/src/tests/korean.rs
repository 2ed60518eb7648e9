//! Korean pages are Korean (R22): what programs say too, but for names, values, commands and texts of
//! files. The tests read the sentences from where they are made, so that a new one cannot be forgotten.

mod pages;

use std::collections::BTreeSet;
use std::sync::LazyLock;
use std::time::Duration;

use lvs_config::{Level, manual, parse_all};
use nix::errno::Errno;
use probe::{Reason, Step};
use regex::Regex;

use crate::texts::told;
use crate::visitor::Language;

/// English in what people read: three words on end.
fn english(text: &str) -> Option<String> {
    static SENTENCE: LazyLock<Regex> = LazyLock::new(|| {
        let sentence = r"(?-u:\b)[A-Za-z]?[a-z']+(?:[ ,:;]+[a-z][a-z']*(?-u:\b)){2,}";
        Regex::new(sentence).unwrap()
    });
    let words = SENTENCE.find_iter(text).map(|found| found.as_str());
    // An enumeration of lvs.cf's words is no sentence.
    let is_list = |words: &str| words.split(", ").all(|word| !word.contains(' '));
    words
        .filter(|words| !is_list(words))
        .map(str::to_owned)
        .next()
}

fn is_korean(text: &str) -> bool {
    text.chars().any(|c| ('가'..='힣').contains(&c))
}

fn expect_korean(message: &str) {
    let korean = told(Language::Korean, message);
    assert!(
        is_korean(&korean) && english(&korean).is_none(),
        "{message}: {korean}"
    );
}

#[test]
fn r22_reasons_of_checks_are_said_in_korean() {
    let steps = [
        Step::Opening,
        Step::Connecting,
        Step::Writing,
        Step::Reading,
        Step::Running,
    ];
    let (got, expected) = (b"HTTP/1.0 500".to_vec(), "\"HTTP/1.0 200\"".to_owned());
    let mut reasons = vec![
        Reason::Refused,
        Reason::TooShort {
            got: Vec::new(),
            expected: expected.clone(),
        },
        Reason::TooShort {
            got: got.clone(),
            expected: expected.clone(),
        },
        Reason::Different {
            got: got.clone(),
            expected: expected.clone(),
        },
        Reason::BadPattern("*".to_owned()),
        Reason::NoProgram,
        Reason::CannotRun {
            program: "/bin/x".to_owned(),
            error: "No such file or directory".to_owned(),
        },
        Reason::ExitStatus {
            status: 2,
            expecting: true,
        },
        Reason::Signalled {
            signal: 9,
            expecting: false,
        },
        Reason::Unexpected { got: got.clone() },
        Reason::NoResult,
        Reason::Output {
            got: got.clone(),
            expected,
        },
    ];
    for step in steps {
        let errors = [
            Errno::ECONNRESET,
            Errno::ECONNREFUSED,
            Errno::EHOSTUNREACH,
            Errno::ENETUNREACH,
            Errno::EHOSTDOWN,
            Errno::ENETDOWN,
            Errno::ETIMEDOUT,
            Errno::EPIPE,
            Errno::ECONNABORTED,
            Errno::EADDRNOTAVAIL,
            Errno::EADDRINUSE,
            Errno::EACCES,
            Errno::EPERM,
            Errno::ENOENT,
            Errno::ENODEV,
            Errno::EMFILE,
            Errno::ENOMEM,
            Errno::EAGAIN,
            Errno::ENOSPC,
        ];
        reasons.extend(errors.map(|errno| Reason::Failed { step, errno }));
        for got in [Vec::new(), got.clone()] {
            let limit = Duration::from_secs(6);
            reasons.push(Reason::TimedOut { step, limit, got });
        }
    }
    for reason in reasons {
        // A new kind belongs in the list above, too.
        match &reason {
            Reason::Refused | Reason::TimedOut { .. } | Reason::Failed { .. } => {}
            Reason::TooShort { .. } | Reason::Different { .. } | Reason::BadPattern(_) => {}
            Reason::NoProgram | Reason::CannotRun { .. } | Reason::ExitStatus { .. } => {}
            Reason::Signalled { .. } | Reason::Unexpected { .. } => {}
            Reason::NoResult | Reason::Output { .. } => {}
        }
        expect_korean(&reason.to_string());
    }
}

#[test]
fn r22_why_a_router_changed_its_role_is_said_in_korean() {
    use heartbeat::Cause;
    let causes = [
        Cause::PartnerDead,
        Cause::Alone,
        Cause::BackupInactive,
        Cause::PrimaryInactive,
        Cause::Forced,
        Cause::PartnerActive,
        Cause::LvsFailing,
        Cause::Refused,
        Cause::LinkFailure,
        Cause::HandOver,
        Cause::Failback,
        Cause::Isolated,
        Cause::Gap,
        Cause::Terminating,
    ];
    for cause in causes {
        // A new one belongs in the list above, too.
        match cause {
            Cause::PartnerDead | Cause::Alone | Cause::BackupInactive => {}
            Cause::PrimaryInactive | Cause::Forced | Cause::PartnerActive => {}
            Cause::LvsFailing | Cause::Refused | Cause::LinkFailure | Cause::HandOver => {}
            Cause::Failback | Cause::Isolated | Cause::Gap | Cause::Terminating => {}
        }
        expect_korean(&cause.to_string());
    }
}

/// Files that are wrong in all ways that somebody thought of.
fn wrong_files() -> Vec<String> {
    let values = [
        "",
        "-1",
        "0",
        "1",
        "07",
        "1.5",
        "5s",
        "yes",
        "no",
        "99999",
        "70000",
        "htp",
        "300.1.1.1",
        "0.0.0.0",
        "::1:2",
        "10.0.0.0/8",
        "10.0.0.1",
        "10.0.0.1 eth0",
        "10.0.0.1 eth0:1",
        "24",
        "255.0.255.0",
        "\"a b",
        "\"a\"b c",
        "'a b'",
        "a b",
        "x # y",
        "x#y",
        "WLC",
        "wlcc",
        "1;",
        "\"a \\q b\"",
        "[ a",
        "= 5",
        "10.0.0.1 \"eth\"",
        "a_very_long_word_that_is_no_device:1",
    ];
    let levels = [
        (Level::Global, "", ""),
        (Level::Virtual, "virtual web {\n", "}\n"),
        (Level::Failover, "failover web {\n", "}\n"),
        (Level::Server, "virtual web {\n server one {\n", " }\n}\n"),
    ];
    let mut files = Vec::new();
    for (level, before, behind) in levels {
        for keyword in manual::describe(level) {
            let name = keyword.name;
            files.extend(values.map(|value| format!("{before}{name} = {value}\n{behind}")));
            files.extend(
                [" 5", "=5", "x = 5", "", " =5", " {"]
                    .map(|rest| format!("{before}{name}{rest}\n{behind}")),
            );
            files.push(format!("{before}{name} = 1\n{name} = 1\n{behind}"));
        }
    }
    let whole = [
        "",
        "\u{feff}serial_no = 1\n",
        "serial_no = 1\r\n",
        "serial_no = 1\rport = 2\r",
        "a\0b = 1\n",
        "primary = 10.0.0.1\nprimary_private = 10.1.0.1\nbackup = 10.0.0.2\n",
        "virtual x {\n active = 1\n address = 10.0.0.8 eth0.12345678:901\n send = \"a \\q b\"\n}\n",
        "virtual x {\n expect = \"HTTP\" \n}\n",
        "virtual {\n}\n",
        "virtual\n",
        "virtual x\n{\n}\n",
        "virtual a b {\n}\n",
        "virtual x{\n}\n",
        "virtual x { active = 1 }\n",
        "virtual x { # y\n}\n",
        "virtual x {\n};\n",
        "}\n",
        "{\n",
        "virtual x {\n",
        "virtual x {\nvirtual y {\n}\n",
        "lvs\u{a0}x = 1\n",
        "serial_no = 1 # x\n",
        "server x {\n}\n",
        "active = 1\n",
        "virtual x {\n primary = 10.0.0.1\n}\n",
        "a comment\n",
        "service = fos\nfailover x {\n active = 1\n server y {\n }\n}\n",
        "service = lvs\nfailover x {\n}\n",
        "primary = 10.0.0.1\nbackup = 10.0.0.1\nbackup_active = 1\nkeepalive = 6\ndeadtime = 6\n",
        "primary = 10.0.0.1\nbackup = 10.0.0.2\nbackup_active = 1\nkeepalive = 6\ndeadtime = 12\n",
        "primary = 10.0.0.1\nprimary_private = 10.1.0.1\nbackup_active = 1\nkeepalive = 0\n",
        "backup_active = 1\nbackup = 10.0.0.2\nbackup_private = 10.1.0.1\nheartbeat_port = 0\n",
        "primary = 10.0.0.1\nnetwork = direct\nnat_router = 10.0.0.9 eth1:1\nsyncd_id = 300\n",
        "primary = 10.0.0.1\nnetwork = direct\nvirtual x {\n active = 1\n address = 10.0.0.1 eth0\n\
         \x20pmask = 255.255.255.0\n protocol = udp\n port = 0\n server a {\n active = 1\n }\n\
         \x20server b {\n active = 1\n address = 10.0.1.1\n weight = 0\n port = 81\n }\n\
         \x20server c {\n active = 1\n address = 10.0.1.1\n port = 81\n }\n sorry_server = 10.0.1.1\n}\n\
         virtual x {\n active = 1\n}\n",
        "virtual x {\n active = 1\n address = 10.0.0.8 eth0:1\n fwmark = 1\n server a {\n }\n server a {\n }\n}\n\
         virtual y {\n active = 1\n address = 10.0.0.9 eth0:1\n fwmark = 1\n}\n\
         virtual z {\n active = 1\n address = 10.0.0.8 eth1:1\n port = 80\n server a {\n address = 10.1.1.1\n }\n port = 81\n}\n\
         virtual w {\n active = 1\n address = 10.0.0.8 eth1:1\n port = 81\n}\n",
    ];
    files.extend(whole.map(str::to_owned));
    files
}

#[test]
fn r22_what_the_check_of_lvs_cf_says_is_said_in_korean() {
    let (mut codes, mut texts) = (BTreeSet::new(), BTreeSet::new());
    for file in wrong_files() {
        for diagnostic in parse_all(file.as_bytes()).diagnostics {
            codes.insert(diagnostic.code.name());
            texts.insert(diagnostic.message);
            texts.extend(diagnostic.help.into_iter().chain(diagnostic.expected));
        }
    }
    let mut wrong = Vec::new();
    for text in &texts {
        let korean = told(Language::Korean, text);
        // What has to be written is the same in all languages.
        let is_form = text.ends_with(" NAME {");
        if english(&korean).is_some() || !is_korean(&korean) && !is_form {
            wrong.push((text, korean));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let all = lvs_config::Code::ALL.iter().map(|code| code.name());
    let unseen: Vec<_> = all.filter(|name| !codes.contains(name)).collect();
    assert!(unseen.is_empty(), "{unseen:?}");
}
