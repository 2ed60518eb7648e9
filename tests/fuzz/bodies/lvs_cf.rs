//! Any bytes as lvs.cf: read to the end and up to the first error, each message drawn, and what is
//! free of errors written and read again.

use lvs_config::Difference;
use lvs_config::Editor;
use lvs_config::check;
use lvs_config::draw;
use lvs_config::draw::Style;
use lvs_config::parse;
use lvs_config::parse_all;
use lvs_config::show;
use lvs_config::write;

/// Panics when something does not hold for these bytes.
pub(crate) fn run(text: &[u8]) {
    let all = parse_all(text);
    let lines = text.split(|byte| matches!(byte, b'\n' | b'\r')).count();
    for diagnostic in &all.diagnostics {
        assert!(diagnostic.line <= lines, "{diagnostic:?}");
        assert!(
            text.get(diagnostic.span.range()).is_some(),
            "{diagnostic:?}"
        );
        let plain = draw::message(diagnostic, "pulse", "lvs.cf", text, Style::Plain);
        // A file cannot speak to the terminal.
        let speaks = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
        assert!(!plain.contains(speaks), "{plain:?}");
        let first = draw::message(diagnostic, "pulse", "lvs.cf", text, Style::Lines);
        assert_eq!(first.matches('\n').count(), 1, "{first:?}");
        assert!(plain.starts_with(&first), "{plain:?}");
    }
    assert!(check::json(&all.diagnostics).ends_with("]\n"));

    let first = all
        .diagnostics
        .iter()
        .find(|diagnostic| diagnostic.code.original_text().is_some());
    match parse(text) {
        Ok(checked) => {
            assert_eq!(first, None);
            assert_eq!(checked.config, all.config);
            assert!(!show::text(&all.config).is_empty());
            // What was read can be written, and is the same then.
            let written = match write::to_text(&all.config) {
                Ok(written) => written,
                Err(error) => panic!("not written: {error}"),
            };
            match parse(&written) {
                Ok(again) => {
                    assert_eq!(again.config, all.config);
                    assert!(Difference::new(&again.config, &all.config).is_empty());
                    assert_eq!(write::to_text(&again.config).as_deref(), Ok(&*written));
                }
                Err(error) => panic!("written with an error: {error}"),
            }
            match Editor::new(text) {
                Ok(editor) => {
                    assert_eq!(editor.text(), text);
                    assert_eq!(editor.config(), all.config);
                }
                Err(error) => panic!("not to be changed: {error}"),
            }
        }
        Err(error) => {
            assert_eq!(first, Some(&*error.diagnostic));
            let coloured = draw::error(&error, "pulse", "lvs.cf", text, Style::Colour);
            assert!(!coloured.is_empty());
        }
    }
}
