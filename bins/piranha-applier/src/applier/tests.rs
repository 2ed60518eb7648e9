mod partner;

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::mpsc;

use change::protocol::{Plan, Said};
use change::{Edit, Item, Name};
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

const FILE: &str = "\
# the shop, ask Mina before changing
serial_no = 7
primary = 192.0.2.1
rsh_command = ssh
virtual web {
     address = 192.0.2.80 eth0:1
     active = 1
     send = \"PASS geheim\\r\\n\"
     server a {
         address = 10.0.0.1
         active = 1
     }
}
";

/// A folder of its own for each test, with lvs.cf and without daemons.
struct World {
    folder: TempDir,
    applier: Applier,
}

impl World {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(decide: impl FnOnce(&mut Settings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = Settings {
            config: folder.path().join("lvs.cf"),
            run_dir: folder.path().to_owned(),
            state_dir: folder.path().join("state"),
            program_folders: Vec::new(),
            ssh: None,
        };
        decide(&mut settings);
        std::fs::write(&settings.config, FILE).unwrap();
        Self {
            applier: Applier::new(settings),
            folder,
        }
    }

    fn text(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("lvs.cf")).unwrap()
    }

    fn read(&self) -> Configuration {
        match self.applier.answer(Request::Read) {
            Reply::Configuration(configuration) => configuration,
            other => panic!("{other:?}"),
        }
    }

    fn apply(&self, base: &str, change: Change) -> Reply {
        self.applier.answer(Request::Apply {
            base: base.to_owned(),
            change,
            origin: origin(),
        })
    }

    fn applied(&self, change: Change) -> Applied {
        let base = self.read().digest;
        match self.apply(&base, change) {
            Reply::Applied(applied) => applied,
            other => panic!("{other:?}"),
        }
    }

    fn versions(&self) -> Vec<change::protocol::Version> {
        match self.applier.answer(Request::Versions) {
            Reply::Versions { versions } => versions,
            other => panic!("{other:?}"),
        }
    }

    fn audit(&self) -> Vec<Entry> {
        match self.applier.answer(Request::Audit { most: 50 }) {
            Reply::Audit { entries } => entries,
            other => panic!("{other:?}"),
        }
    }
}

fn origin() -> Origin {
    Origin {
        who: "mina".to_owned(),
        from: "192.0.2.7".to_owned(),
    }
}

fn web() -> Item {
    Item::Virtual {
        service: Name::new("web"),
    }
}

fn set(keyword: &str, value: &str) -> Change {
    Change::Edits(vec![Edit::Set {
        at: web(),
        keyword: keyword.to_owned(),
        value: value.to_owned(),
    }])
}

/// Stands where a daemon does: answers each line by `answer`, and hands the questions on.
fn daemon(path: &Path, answer: &'static str) -> mpsc::Receiver<String> {
    let listener = UnixListener::bind(path).unwrap();
    let (sender, questions) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut line = String::new();
            BufReader::new(&stream).read_line(&mut line).unwrap();
            writeln!(stream, "{answer}").unwrap();
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    questions
}

#[test]
fn r11_a_change_is_written_kept_followed_and_logged() {
    let world = World::new();
    let asked = daemon(
        &world.folder.path().join("pulse.sock"),
        r#"{"done":true,"text":"follows the new file"}"#,
    );
    let applied = world.applied(set("port", "8080"));
    assert_eq!((applied.serial, applied.version), (8, Some(1)));
    assert_eq!(applied.reload.text, "follows the new file");
    assert_eq!(asked.recv().unwrap(), "{\"request\":\"reload\"}\n");
    let expected = FILE
        .replace("serial_no = 7", "serial_no = 8")
        .replace("eth0:1\n", "eth0:1\n     port = 8080\n");
    // The place of a new keyword is lvs-config's business; nothing else may differ.
    let mut lines: Vec<_> = world.text().lines().map(str::to_owned).collect();
    let mut wanted: Vec<_> = expected.lines().map(str::to_owned).collect();
    lines.sort();
    wanted.sort();
    assert_eq!(lines, wanted);
    assert!(world.text().starts_with("# the shop, ask Mina"));
    assert_eq!(applied.digest, world.read().digest);
    let versions = world.versions();
    assert_eq!((versions.len(), versions[0].serial), (1, 7));
    assert_eq!(versions[0].origin, origin());
    let audit = world.audit();
    assert_eq!((audit[0].before, audit[0].after), (Some(7), Some(8)));
    assert!(
        audit[0].difference.contains("+     port = 8080"),
        "{audit:?}"
    );
}

#[test]
fn r16_the_log_holds_no_secrets() {
    let world = World::new();
    world.applied(set("send", "PASS other-geheim\\r\\n"));
    let text = std::fs::read_to_string(world.folder.path().join("state/audit.jsonl")).unwrap();
    assert!(
        text.contains("(hidden)") && !text.contains("geheim"),
        "{text}"
    );
}

#[test]
fn r12_a_change_of_an_older_file_is_refused_and_both_are_shown() {
    let world = World::new();
    let base = world.read().digest;
    let by_hand = FILE.replace("192.0.2.1\n", "192.0.2.2\n");
    std::fs::write(world.folder.path().join("lvs.cf"), &by_hand).unwrap();
    let Reply::Conflict(conflict) = world.apply(&base, set("port", "8080")) else {
        panic!("not refused");
    };
    assert_eq!(world.text(), by_hand);
    assert_eq!(conflict.current.text, by_hand);
    assert!(conflict.meanwhile.unwrap().contains("+primary = 192.0.2.2"));
    assert!(conflict.wanted.unwrap().contains("port = 8080"));
    assert_eq!((world.versions().len(), world.audit().len()), (0, 0));
    // A base that nobody knows is a conflict as well.
    let Reply::Conflict(conflict) = world.apply("00", set("port", "8080")) else {
        panic!("not refused");
    };
    assert_eq!((conflict.meanwhile, conflict.wanted), (None, None));
}

#[test]
fn undo_brings_an_earlier_version_back_with_a_new_number() {
    let world = World::new();
    world.applied(set("port", "8080"));
    world.applied(Change::Edits(vec![Edit::Remove { at: web() }]));
    assert!(!world.text().contains("virtual web"));
    let undone = world.applied(Change::Version(1));
    assert_eq!(undone.serial, 10);
    assert_eq!(
        world.text(),
        FILE.replace("serial_no = 7", "serial_no = 10")
    );
    assert_eq!(world.audit()[0].act, "undo");
    let Reply::Version { text, version, .. } = world.applier.answer(Request::Version { number: 2 })
    else {
        panic!("no version 2");
    };
    assert!(text.contains("port = 8080") && version.serial == 8);
    let missing = world.apply(&world.read().digest, Change::Version(99));
    assert!(matches!(missing, Reply::Error { .. }));
}

#[test]
fn an_absent_file_is_made_and_an_empty_one_filled() {
    let world = World::new();
    let path = world.folder.path().join("lvs.cf");
    std::fs::remove_file(&path).unwrap();
    assert!(!world.read().exists);
    let add = Change::Edits(vec![Edit::AddVirtual {
        name: "mail".to_owned(),
        keywords: vec![("port".to_owned(), "25".to_owned())],
    }]);
    let applied = world.applied(add.clone());
    assert_eq!((applied.serial, applied.version), (1, None));
    assert!(world.text().starts_with("serial_no = 1\nvirtual mail {"));
    std::fs::write(&path, "").unwrap();
    assert_eq!(world.applied(add).serial, 1);
}

#[test]
fn a_preview_changes_nothing_and_tells_the_plan() {
    let world = World::new();
    let asked = daemon(
        &world.folder.path().join("lvs.sock"),
        r#"{"plan":{"changes":["-e -t 192.0.2.80:80 -r 10.0.0.1 -w 3"],"notes":["x"]}}"#,
    );
    let base = world.read().digest;
    let change = Change::Edits(vec![Edit::Set {
        at: Item::Server {
            service: Name::new("web"),
            server: Name::new("a"),
        },
        keyword: "weight".to_owned(),
        value: "3".to_owned(),
    }]);
    let reply = world.applier.answer(Request::Preview { base, change });
    let Reply::Preview(preview) = reply else {
        panic!("{reply:?}");
    };
    let commands = vec!["-e -t 192.0.2.80:80 -r 10.0.0.1 -w 3".to_owned()];
    let notes = vec!["x".to_owned()];
    assert_eq!(preview.plan, Plan::Known { commands, notes });
    assert!(asked.recv().unwrap().contains("weight = 3"));
    assert!(preview.difference.contains("+         weight = 3"));
    assert!(
        preview.effects.iter().any(|line| line.contains("weight")),
        "{preview:?}"
    );
    assert_eq!(preview.serial, 8);
    assert_eq!(world.text(), FILE);
    assert_eq!(world.versions().len(), 0);
}

#[test]
fn r14_no_program_gets_in_by_any_way() {
    let world = World::new();
    let base = world.read().digest;
    let with_program = FILE.replace(
        "active = 1\n     send",
        "send_program = \"/bin/sh\"\n     send",
    );
    for change in [
        set("send_program", "/bin/sh"),
        set("client_monitor", "/bin/sh"),
        set("load_monitor", "/bin/sh"),
        Change::Text(with_program),
        Change::Text(format!("active_cmd = /bin/sh\n{FILE}")),
        Change::Text(FILE.replace("rsh_command = ssh", "rsh_command = /bin/sh")),
        Change::Text(format!("heartbeat_key = /etc/shadow\n{FILE}")),
        Change::Edits(vec![Edit::AddVirtual {
            name: "x".to_owned(),
            keywords: vec![("stop_cmd".to_owned(), "/bin/sh".to_owned())],
        }]),
    ] {
        let reply = world.apply(&base, change.clone());
        assert!(matches!(reply, Reply::Refused(_)), "{change:?}: {reply:?}");
    }
    assert_eq!(world.text(), FILE);
    assert_eq!(world.versions().len(), 0);
}

#[test]
fn r14_a_version_with_a_program_that_was_taken_out_is_not_brought_back() {
    let world = World::new();
    let path = world.folder.path().join("lvs.cf");
    let with_program = format!("active_cmd = /opt/old\n{FILE}");
    std::fs::write(&path, with_program).unwrap();
    world.applied(set("port", "8080"));
    std::fs::write(&path, FILE).unwrap();
    let reply = world.apply(&world.read().digest, Change::Version(1));
    assert!(matches!(reply, Reply::Refused(_)), "{reply:?}");
}

#[test]
fn what_cannot_be_logged_or_kept_is_not_done() {
    for hindrance in ["state/audit.jsonl", "state/versions", "state"] {
        let world = World::new();
        let base = world.read().digest;
        let path = world.folder.path().join(hindrance);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        if hindrance.ends_with("jsonl") {
            std::fs::create_dir(&path).unwrap();
        } else {
            std::fs::write(&path, "").unwrap();
        }
        let reply = world.apply(&base, set("port", "8080"));
        assert!(
            matches!(reply, Reply::Error { .. }),
            "{hindrance}: {reply:?}"
        );
        assert_eq!(world.text(), FILE, "{hindrance}");
    }
}

#[test]
fn origins_are_single_lines() {
    let world = World::new();
    let base = world.read().digest;
    for who in ["a\nb".to_owned(), "x".repeat(201), "\u{1b}[2J".to_owned()] {
        let origin = Origin { who, ..origin() };
        let (base, change) = (base.clone(), set("port", "1"));
        let request = Request::Apply {
            base,
            change,
            origin,
        };
        assert!(matches!(world.applier.answer(request), Reply::Error { .. }));
    }
    assert_eq!(world.text(), FILE);
}

#[test]
fn drains_reach_lvs_and_the_log() {
    let world = World::new();
    let asked = daemon(&world.folder.path().join("lvs.sock"), r#""done""#);
    let reply = world.applier.answer(Request::Drain {
        server: "web/a".to_owned(),
        seconds: Some(60),
        why: "disk".to_owned(),
        origin: origin(),
    });
    assert!(
        matches!(reply, Reply::Done(Outcome { done: true, .. })),
        "{reply:?}"
    );
    let asked: serde_json::Value = serde_json::from_str(&asked.recv().unwrap()).unwrap();
    let expected =
        serde_json::json!({"command":"drain","server":"web/a","why":"disk","seconds":60});
    assert_eq!(asked, expected);
    let audit = world.audit();
    assert_eq!(
        (audit[0].act.as_str(), audit[0].what.as_str()),
        ("drain", "web/a for 60 s")
    );
}

#[test]
fn daemons_that_do_not_run_are_said_not_to() {
    let world = World::new();
    let silent = |name: &str| Said::Silent(format!("{name} is not running here"));
    let status = world.applier.answer(Request::Status);
    let (pulse, lvs) = (silent("pulse"), silent("lvs"));
    assert_eq!(status, Reply::Status { pulse, lvs });
    let applied = world.applied(set("port", "8080"));
    assert_eq!(applied.reload.text, "pulse is not running here");
    let written = Outcome {
        done: true,
        text: "written; pulse is not running here".to_owned(),
    };
    assert_eq!(world.audit()[0].outcome, written);
}

#[test]
fn two_at_once_make_one_change_and_one_conflict() {
    let world = World::new();
    let base = world.read().digest;
    let replies: Vec<Reply> = std::thread::scope(|scope| {
        let apply = |port: &'static str| {
            let (world, base) = (&world, &base);
            scope.spawn(move || world.apply(base, set("port", port)))
        };
        let both = [apply("81"), apply("82")];
        both.map(|thread| thread.join().unwrap()).into()
    });
    let applied = replies.iter().filter(|r| matches!(r, Reply::Applied(_)));
    let refused = replies.iter().filter(|r| matches!(r, Reply::Conflict(_)));
    assert_eq!((applied.count(), refused.count()), (1, 1), "{replies:?}");
    assert!(world.text().contains("serial_no = 8"));
}

/// What pulse says of the file and what is said here are the same words.
#[test]
fn pair_digests_are_those_of_pulse() {
    let world = World::new();
    let of_pulse = heartbeat::Configuration::of(7, FILE.as_bytes()).digest;
    assert_eq!(world.read().pair_digest, format!("{of_pulse:016x}"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// S4, S11: whatever text is sent, lvs.cf afterwards is the old one, or a right one numbered one
    /// higher, and what was there is kept.
    #[test]
    fn r10_r11_hostile_texts_leave_nothing_half_done(
        text in prop_oneof![
            any::<String>(),
            "([a-z_]{1,12} = [ -~]{0,12}\n){0,6}",
            "[ -~\n]{0,80}".prop_map(|text| format!("{FILE}{text}")),
        ]
    ) {
        let world = World::new();
        let reply = world.apply(&world.read().digest, Change::Text(text));
        match reply {
            Reply::Applied(applied) => {
                prop_assert_eq!(applied.serial, 8);
                let read = lvs_config::parse(world.text().as_bytes()).unwrap();
                prop_assert_eq!(read.config.global.serial_no.value, 8);
                prop_assert_eq!(world.versions().len(), 1);
            }
            Reply::Refused(_) | Reply::Unchanged => {
                prop_assert_eq!(world.text(), FILE);
                prop_assert_eq!(world.versions().len(), 0);
            }
            other => prop_assert!(false, "{:?}", other),
        }
    }
}
