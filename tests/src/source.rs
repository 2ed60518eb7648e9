//! Rust source as text: the string literals of calls, statements and functions.
//!
//! Owns as much of the language as that needs. For tests that hold the book to what programs say.

use std::path::{Path, PathBuf};

use crate::error::{Context, Result};
use crate::setup;

/// Paths from the top and texts of the `.rs` files below a folder: without comments, and without tests.
pub fn files(folder: &Path) -> Result<Vec<(PathBuf, String)>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(setup::workspace().join(&folder));
        for entry in entries.during("listing the source")? {
            let entry = entry.during("listing the source")?;
            let path = folder.join(entry.file_name());
            if path.file_stem().is_some_and(|name| name == "tests") {
                continue;
            }
            if entry.path().is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(entry.path()).during("reading the source")?;
                files.push((path, without_tests(&text)));
            }
        }
    }
    files.sort();
    Ok(files)
}

fn without_tests(text: &str) -> String {
    // A module of tests stands at the end; its declaration, where it has a file of its own, anywhere.
    let begin = "#[cfg(test)]\nmod tests {";
    let code = text.split(begin).next().unwrap_or_default();
    let lines = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// What stands between the brackets of each call; `call` ends with the opening one.
pub fn calls<'a>(text: &'a str, call: &'a str) -> Vec<&'a str> {
    let word = call.starts_with(|c: char| c.is_alphanumeric());
    let found = text.match_indices(call).filter(move |(at, _)| {
        let before = text.get(..*at).unwrap_or_default();
        !word || !before.ends_with(|c: char| c.is_alphanumeric() || c == '_')
    });
    found
        .map(|(at, _)| group(text.get(at + call.len()..).unwrap_or_default(), ('(', ')')))
        .collect()
}

/// The rest of each statement that begins so.
pub fn statements<'a>(text: &'a str, begin: &'a str) -> Vec<&'a str> {
    let rests = text.split(begin).skip(1);
    rests.filter_map(|rest| rest.split(";\n").next()).collect()
}

/// The body of each function of this name.
pub fn functions<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    let begin = format!("fn {name}(");
    let found = text.match_indices(&begin);
    found
        .filter_map(|(at, _)| text.get(at..)?.split_once(" {\n"))
        .map(|(_, body)| group(body, ('{', '}')))
        .collect()
}

/// As far as the bracket that closes what is open; brackets in literals do not count.
fn group(text: &str, (open, close): (char, char)) -> &str {
    let mut depth = 1;
    let mut quoted = false;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            c if quoted => _ = c,
            c if c == open => depth += 1,
            c if c == close => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return text.get(..at).unwrap_or_default();
        }
    }
    text
}

/// The string literals, their escapes undone.
pub fn literals(text: &str) -> Vec<String> {
    let mut literals = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            // '"' is a character, not the beginning of a literal.
            '\'' if rest.peek() == Some(&'"') => {
                rest.next();
            }
            '"' => {}
            _ => continue,
        }
        if c == '\'' {
            continue;
        }
        let mut literal = String::new();
        while let Some(c) = rest.next().filter(|c| *c != '"') {
            match c {
                '\\' => match rest.next() {
                    Some('\n') => while rest.next_if(|c| c.is_whitespace()).is_some() {},
                    Some('n') => literal.push('\n'),
                    Some('t') => literal.push('\t'),
                    other => literal.extend(other),
                },
                c => literal.push(c),
            }
        }
        literals.push(literal);
    }
    literals
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "fn a(x: u8) -> String {\n    info!(x = 1, \"one {x} (\\\"two\\\")\");\n    let text = format!(\n        \"long \\\n         text\"\n    );\n    text\n}\nmy_info!(\"no\");\n";

    #[test]
    fn literals_of_calls_statements_and_functions() {
        let one = "one {x} (\"two\")".to_owned();
        let calls = calls(TEXT, "info!(");
        assert_eq!(calls.len(), 1);
        assert_eq!(literals(calls.concat().as_str()), [one.as_str()]);
        let statements = statements(TEXT, "let text = ");
        assert_eq!(literals(&statements.concat()), ["long text"]);
        assert_eq!(
            literals(&functions(TEXT, "a").concat()),
            [one, "long text".to_owned()]
        );
        assert!(functions(TEXT, "b").is_empty());
    }

    #[test]
    fn tests_and_comments_are_not_source() {
        let text = "#[cfg(test)]\nmod tests;\n// \"a\"\nlet x = '\"';\nlet y = \"y\";\n#[cfg(test)]\nmod tests {\n\"b\"\n}\n";
        assert_eq!(literals(&without_tests(text)), ["y"]);
    }
}
