//! Differences of two files, the writer, and the editor, by example.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use lvs_config::Difference;
use lvs_config::Editor;
use lvs_config::Place;
use lvs_config::Server;
use lvs_config::check::Format;
use lvs_config::check::Request;
use lvs_config::check::against;
use lvs_config::check::show_config;
use lvs_config::draw::Style;
use lvs_config::edit::EditError;
use lvs_config::file;
use lvs_config::parse;
use lvs_config::write::to_text;

const NAT: &str = include_str!("samples/good/02-gui-nat-two-nic-pair.cf");
const MESSY: &str = include_str!("samples/good/13-messy-hand-edited.cf");
const REQUEST: Request<'_> = Request {
    program: "pulse",
    format: Format::Text,
    style: Style::Lines,
};

#[test]
fn the_writer_writes_what_the_gui_wrote() {
    assert_eq!(
        to_text(&parse(NAT.as_bytes()).unwrap().config).unwrap(),
        NAT.as_bytes()
    );
}

#[test]
fn each_good_sample_is_written_as_the_same_model() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/samples/good");
    for entry in std::fs::read_dir(folder).unwrap() {
        let config = parse(&std::fs::read(entry.unwrap().path()).unwrap())
            .unwrap()
            .config;
        assert_eq!(parse(&to_text(&config).unwrap()).unwrap().config, config);
    }
}

fn changed() -> String {
    NAT.replace("keepalive = 6", "keepalive = 3")
        .replace("primary = 198.51.100.10", "primary = 198.51.100.12")
        .replace("10.20.0.1 eth1:1", "10.20.0.1 eth2:1")
        .replace("10.20.0.103", "10.20.0.104")
        .replace("weight = 1", "weight = 5")
        .replace("port = 443", "port = 8080")
        .replace("scheduler = wlc", "scheduler = rr")
}

#[test]
fn a_difference_is_told_line_by_line() {
    let old = parse(NAT.as_bytes()).unwrap().config;
    let new = parse(changed().as_bytes()).unwrap().config;
    let difference = Difference::new(&old, &new);
    insta::assert_snapshot!("difference", difference.to_string());
    assert_eq!(
        difference.needing_restart().collect::<Vec<_>>(),
        ["primary"]
    );
    assert!(Difference::new(&old, &old).is_empty());
    // Comments, layout and defaults written out change nothing.
    let bare = NAT.replace("     use_regex = 0\n", "# nothing\n");
    assert!(Difference::new(&old, &parse(bare.as_bytes()).unwrap().config).is_empty());
}

#[test]
fn inactive_blocks_count_as_absent() {
    let old = parse(NAT.as_bytes()).unwrap().config;
    let mut editor = Editor::new(NAT.as_bytes()).unwrap();
    editor.set(Place::Virtual(1), "active", "0").unwrap();
    editor
        .set(Place::VirtualServer(0, 0), "active", "0")
        .unwrap();
    let text = Difference::new(&old, &editor.config()).to_string();
    insta::assert_snapshot!("difference_inactive", text);
}

#[test]
fn check_against_prints_the_difference() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (folder.path().join("old.cf"), folder.path().join("new.cf"));
    std::fs::write(&old, NAT).unwrap();
    std::fs::write(&new, changed()).unwrap();
    let answer = against(&REQUEST, &new, &old);
    assert_eq!(answer.status, 0);
    assert!(answer.output.starts_with(b"~ "));
    let json = against(
        &Request {
            format: Format::Json,
            ..REQUEST
        },
        &new,
        &old,
    );
    let json: serde_json::Value = serde_json::from_slice(&json.output).unwrap();
    assert_eq!(json["difference"]["globals"][0]["keyword"], "primary");
    let shown = show_config(&REQUEST, &new);
    assert!(shown.output.starts_with(b"global.serial_no\t27\n"));
    std::fs::write(&old, "bogus\n").unwrap();
    let answer = against(&REQUEST, &new, &old);
    let line = format!(
        "pulse: error parsing {} at line 1: unknown command\n",
        old.display()
    );
    assert_eq!((answer.messages, answer.status), (line, 1));
    let missing = show_config(&REQUEST, &folder.path().join("missing"));
    assert!(
        missing.messages.starts_with("pulse: failed to open "),
        "{}",
        missing.messages
    );
    assert_eq!(missing.status, 1);
}

#[test]
fn an_edit_leaves_all_else_alone() {
    let mut editor = Editor::new(MESSY.as_bytes()).unwrap();
    editor.set(Place::Global, "primary", "192.0.2.68").unwrap();
    editor
        .set(Place::Virtual(0), "send", "GET /\\r\\n")
        .unwrap();
    editor
        .set(Place::Virtual(0), "address", "192.0.2.90 eth0:7")
        .unwrap();
    editor
        .set(Place::VirtualServer(0, 1), "weight", "3")
        .unwrap();
    editor.unset(Place::Global, "keepalive").unwrap();
    let server = parse(b"virtual v {\nserver c {\naddress = 192.0.2.93\nactive = 1\n}\n}\n");
    let server: Server = server.unwrap().config.virtuals.remove(0).servers.remove(0);
    editor.add_server(Place::Virtual(0), &server).unwrap();
    editor.rename(Place::Virtual(1), "spare one").unwrap();
    insta::assert_snapshot!("edited", String::from_utf8(editor.text().to_vec()).unwrap());
}

/// The original takes a quote before a blank for unclosed (B2).
#[test]
fn an_edited_text_before_a_blank_is_one_that_originals_read() {
    let text = "virtual a {\n expect = HTTP \t\n send = \"GET /\" \n}\n";
    let mut editor = Editor::new(text.as_bytes()).unwrap();
    editor.set(Place::Virtual(0), "expect", "OK").unwrap();
    editor.set(Place::Virtual(0), "send", "quit").unwrap();
    let edited = String::from_utf8(editor.text().to_vec()).unwrap();
    assert_eq!(edited, "virtual a {\n expect = OK \t\n send = quit \n}\n");
    editor.set(Place::Virtual(0), "expect", "O K").unwrap();
    editor.set(Place::Virtual(0), "send", "a\"").unwrap();
    let checked = parse(editor.text()).unwrap();
    assert_eq!(checked.config, editor.config());
    let edited = String::from_utf8(editor.text().to_vec()).unwrap();
    assert!(edited.contains("expect = \"O K\" \t\n"), "{edited}");
}

#[test]
fn what_cannot_be_is_refused_and_changes_nothing() {
    let mut editor = Editor::new(NAT.as_bytes()).unwrap();
    let refused = |result: Result<(), EditError>| result.unwrap_err().to_string();
    let shown = refused(editor.set(Place::Global, "keepalive", "six"));
    assert!(
        shown.starts_with("keepalive: integer expected; expected a whole number"),
        "{shown}"
    );
    let shown = refused(editor.set(Place::Virtual(7), "port", "80"));
    assert_eq!(shown, "there is no virtual[8]");
    let shown = refused(editor.set(Place::VirtualServer(0, 0), "scheduler", "rr"));
    assert_eq!(shown, "scheduler cannot stand in a server block");
    let shown = refused(editor.set(Place::Virtual(0), "send", "two\nlines"));
    assert_eq!(shown, "send has a value that lvs.cf cannot hold");
    assert!(editor.remove(Place::Global).is_err());
    assert_eq!(editor.text(), NAT.as_bytes());
}

#[test]
fn an_edited_file_is_replaced_only_if_nobody_else_did() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lvs.cf");
    std::fs::write(&path, NAT).unwrap();
    let old = file::read(&path, 1 << 20).unwrap();
    let mut editor = Editor::new(&old).unwrap();
    editor.set(Place::Global, "serial_no", "28").unwrap();
    file::replace_unchanged(&path, &old, editor.text()).unwrap();
    assert!(file::replace_unchanged(&path, &old, editor.text()).is_err());
    assert_eq!(std::fs::read(&path).unwrap(), editor.text());
}
