//! Two texts side by side, for people.
//!
//! Owns the form of the comparison, and what of it a log may keep.

use std::time::Duration;

use similar::{Algorithm, TextDiff};

/// Beyond this the comparison is coarser.
const PATIENCE: Duration = Duration::from_millis(500);

/// Keywords whose values may hold passwords: requests, answers, command lines.
const SECRET: &[&str] = &[
    "send",
    "expect",
    "send_program",
    "load_monitor",
    "active_cmd",
    "inactive_cmd",
    "start_cmd",
    "stop_cmd",
];

/// A unified difference with three lines around each change; empty when the texts are equal.
pub fn compare(old: &[u8], new: &[u8]) -> String {
    let (old, new) = (String::from_utf8_lossy(old), String::from_utf8_lossy(new));
    let difference = TextDiff::configure()
        .algorithm(Algorithm::Myers)
        .timeout(PATIENCE)
        .diff_lines(old.as_ref(), new.as_ref());
    difference.unified_diff().context_radius(3).to_string()
}

/// The same comparison without values that may be secret.
pub fn hide_secrets(difference: &str) -> String {
    let mut shown = String::with_capacity(difference.len());
    for line in difference.split_inclusive('\n') {
        let body = line.get(1..).unwrap_or_default().trim_start();
        let keyword = body.split(|c: char| c == '=' || c.is_whitespace()).next();
        match keyword.filter(|keyword| SECRET.contains(keyword)) {
            Some(keyword) => {
                let before = line.len() - line.get(1..).unwrap_or_default().len();
                let indent = line.len() - before - body.len();
                shown.push_str(line.get(..before + indent).unwrap_or_default());
                shown.push_str(keyword);
                shown.push_str(" = (hidden)\n");
            }
            None => shown.push_str(line),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comparison_names_what_changed() {
        let old = b"a = 1\nb = 2\n";
        let shown = compare(old, b"a = 1\nb = 3\n");
        assert_eq!(shown, "@@ -1,2 +1,2 @@\n a = 1\n-b = 2\n+b = 3\n");
        assert_eq!(compare(old, old), "");
    }

    #[test]
    fn r16_secrets_are_not_kept() {
        let old = b"virtual x {\n     send = \"PASS geheim\"\n     port = 80\n}\n";
        let new = b"virtual x {\n     send = \"PASS anders\"\n send_program=\"/c -p geheim\"\n     port = 81\n}\n";
        let shown = hide_secrets(&compare(old, new));
        assert!(
            !shown.contains("geheim") && !shown.contains("anders"),
            "{shown}"
        );
        assert!(shown.contains("-     send = (hidden)\n"), "{shown}");
        assert!(shown.contains("+ send_program = (hidden)\n"), "{shown}");
        assert!(shown.contains("+     port = 81\n"), "{shown}");
    }
}
