//! Any text as keepalived.conf and as ldirectord.cf: converted, each message drawn, and what is written
//! read again.

use std::path::Path;

use lvs_config::draw::Style;
use lvs_convert::convert_text;

/// Panics when something does not hold for these bytes.
pub(crate) fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    // An input must not make this program read all files of the machine.
    if text.contains("include") && (text.contains('/') || text.contains("..")) {
        return;
    }
    let nowhere = Path::new("/nonexistent");
    for format in ["keepalived", "ldirectord"] {
        let args = ["--from", format, "--primary", "192.0.2.1"];
        let (converted, said) = convert_text(&text, nowhere, &args, Style::Lines);
        let (again, drawn) = convert_text(&text, nowhere, &args, Style::Plain);
        match (&converted, &again) {
            (Ok(written), Ok(again)) => {
                assert_eq!(written, again);
                let parsed = lvs_config::parse_all(written);
                assert!(!parsed.has_errors(), "{:?}", parsed.diagnostics);
                assert!(!parsed.config.virtuals.is_empty());
            }
            (Err(fault), Err(again)) => {
                assert_eq!(fault.matches('\n').count(), 1, "{fault:?}");
                assert_quiet(again);
            }
            _ => panic!("the look of messages changes the outcome"),
        }
        let all = |line: &str| line.starts_with("lvs-convert: ");
        assert!(said.lines().all(all), "{said:?}");
        assert_quiet(&said);
        assert_quiet(&drawn);
    }
}

/// A file cannot speak to the terminal.
fn assert_quiet(text: &str) {
    let speaks = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    assert!(!text.contains(speaks), "{text:?}");
}
