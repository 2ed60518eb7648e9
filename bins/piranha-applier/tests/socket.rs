//! The socket as strangers meet it: too much, too slow, too many, nonsense (R23).

#![allow(clippy::unwrap_used, reason = "tests may stop at the first surprise")]

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use piranha_applier::{Applier, Settings, serve};
use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Beyond this a test has failed.
const LIMIT: Duration = Duration::from_secs(60);
const FILE: &str = "serial_no = 7\nprimary = 192.0.2.1\n";

struct Served {
    folder: TempDir,
}

impl Served {
    fn new(allowed: Vec<u32>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("lvs.cf"), FILE).unwrap();
        let applier = Arc::new(Applier::new(Settings {
            config: folder.path().join("lvs.cf"),
            run_dir: folder.path().to_owned(),
            state_dir: folder.path().join("state"),
            program_folders: Vec::new(),
            ssh: None,
        }));
        let listener = UnixListener::bind(folder.path().join("applier.sock")).unwrap();
        // Ends with the test's process.
        std::thread::spawn(move || serve(&listener, &applier, &allowed));
        Self { folder }
    }

    fn own() -> Self {
        Self::new(vec![nix::unistd::geteuid().as_raw()])
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("applier.sock")
    }

    fn connect(&self) -> UnixStream {
        let stream = UnixStream::connect(self.path()).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        stream.set_write_timeout(Some(LIMIT)).unwrap();
        stream
    }

    fn file(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("lvs.cf")).unwrap()
    }
}

/// One line there, one line back.
fn ask(stream: &UnixStream, line: &[u8]) -> Value {
    let mut writer = stream;
    writer.write_all(line).unwrap();
    writer.write_all(b"\n").unwrap();
    answer(stream)
}

fn answer(stream: &UnixStream) -> Value {
    let mut line = String::new();
    BufReader::with_capacity(1, stream)
        .read_line(&mut line)
        .unwrap();
    serde_json::from_str(&line).unwrap_or(Value::Null)
}

#[test]
fn requests_are_answered_one_after_the_other() {
    let served = Served::own();
    let stream = served.connect();
    let read = ask(&stream, br#"{"request":"read"}"#);
    assert_eq!(
        (&read["reply"], &read["serial"]),
        (&json!("configuration"), &json!(7))
    );
    let change = json!({
        "request": "apply", "base": read["digest"],
        "change": {"edits": [{"edit": "set", "at": {"item": "global"}, "keyword": "backup", "value": "192.0.2.2"}]},
        "origin": {"who": "piranha", "from": "127.0.0.1"},
    });
    let applied = ask(&stream, change.to_string().as_bytes());
    assert_eq!(
        (&applied["reply"], &applied["serial"]),
        (&json!("applied"), &json!(8))
    );
    // Several at once are not lost.
    let two = b"{\"request\":\"read\"}\n{\"request\":\"versions\"}";
    assert_eq!(ask(&stream, two)["serial"], 8);
    assert_eq!(answer(&stream)["versions"][0]["number"], 1);
}

#[test]
fn r15_a_stranger_gets_no_word() {
    let own = nix::unistd::geteuid().as_raw();
    let served = Served::new(vec![own + 1]);
    let mut stream = served.connect();
    let _ = stream.write_all(b"{\"request\":\"read\"}\n");
    let mut said = Vec::new();
    // The end, or a reset because of what was left unread.
    let _ = stream.read_to_end(&mut said);
    assert_eq!(said, b"");
}

#[test]
fn r23_an_endless_request_is_cut_off_and_others_go_on() {
    let served = Served::own();
    let endless = served.connect();
    let feeder = {
        let mut endless = endless.try_clone().unwrap();
        std::thread::spawn(move || {
            let block = vec![b'{'; 1 << 20];
            // 100 MB; refused long before.
            for _ in 0..100 {
                if endless.write_all(&block).is_err() {
                    return true;
                }
            }
            false
        })
    };
    let other = served.connect();
    assert_eq!(ask(&other, br#"{"request":"read"}"#)["serial"], 7);
    assert!(feeder.join().unwrap(), "100 MB were taken");
}

#[test]
fn r23_too_many_connections_are_refused_and_places_become_free() {
    let served = Served::own();
    let held: Vec<UnixStream> = (0..16).map(|_| served.connect()).collect();
    for stream in &held {
        assert_eq!(
            ask(stream, br#"{"request":"versions"}"#)["reply"],
            "versions"
        );
    }
    let refused = served.connect();
    assert_eq!(answer(&refused)["reply"], "error");
    drop(held);
    let deadline = std::time::Instant::now() + LIMIT;
    loop {
        let stream = served.connect();
        let mut writer = &stream;
        let _ = writer.write_all(b"{\"request\":\"versions\"}\n");
        if answer(&stream)["reply"] == "versions" {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "no place became free");
    }
}

#[test]
fn a_request_without_its_end_is_none() {
    let served = Served::own();
    let mut stream = served.connect();
    stream
        .write_all(b"{\"request\":\"reload\",\"origin\":{\"who\":\"a\",\"from\":\"b\"}}")
        .unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut said = Vec::new();
    stream.read_to_end(&mut said).unwrap();
    assert_eq!(said, b"");
    assert!(!served.folder.path().join("state/audit.jsonl").exists());
}

fn json_like() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("{\"request\":\"apply\",".to_owned()),
        Just("\"base\":\"00\",".to_owned()),
        Just("\"change\":{\"text\":\"x\"},".to_owned()),
        Just("\"origin\":{\"who\":\"a\",\"from\":\"b\"}}".to_owned()),
        Just("{\"request\":\"version\",\"number\":99999999999999999999}".to_owned()),
        Just("[".repeat(200)),
        Just("{\"request\":\"audit\",\"most\":18446744073709551615}".to_owned()),
        "[ -~]{0,30}",
        any::<String>().prop_map(|text| text.replace('\n', " ")),
    ];
    proptest::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat())
}

#[test]
fn nonsense_gets_an_answer_and_changes_nothing() {
    let served = Served::own();
    let stream = served.connect();
    proptest!(ProptestConfig::with_cases(300), |(line in json_like())| {
        let reply = ask(&stream, line.as_bytes());
        prop_assert!(reply["reply"].is_string(), "{line}: {reply}");
        prop_assert_eq!(served.file(), FILE);
    });
    let reply = ask(&stream, b"\xff\xfe{\"request\":\"read\"}");
    assert_eq!(reply["reply"], "error");
    assert_eq!(served.file(), FILE);
}
