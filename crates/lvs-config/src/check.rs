//! What `--check` and `--show-config` say about a file, ready to be printed.
//!
//! Owns output texts and exit statuses of the two. Options are the program's to read.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;

use crate::diagnostic::Diagnostic;
use crate::diagnostic::Severity;
use crate::difference::Difference;
use crate::draw;
use crate::draw::Style;
use crate::file;
use crate::parse::parse_all;
use crate::show;

/// Largest file that is checked.
pub const SIZE_LIMIT: u64 = 64 << 20;

/// The form of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// For people, on standard error.
    #[default]
    Text,
    /// A JSON array on standard output, one object for each message.
    Json,
}

/// Who asks, and how the answer should look.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The program's name, at the start of each message.
    pub program: &'a str,
    /// The form of messages.
    pub format: Format,
    /// The look of messages.
    pub style: Style,
}

/// What to print and how to exit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// For standard output.
    pub output: Vec<u8>,
    /// For standard error.
    pub messages: String,
    /// Exit status: 0 without errors, else 1.
    pub status: u8,
}

impl Answer {
    /// Prints it and gives the exit status; a reader that has gone away is no failure.
    pub fn print(&self) -> ExitCode {
        let _ = std::io::stdout().write_all(&self.output);
        let _ = std::io::stdout().flush();
        let _ = std::io::stderr().write_all(self.messages.as_bytes());
        ExitCode::from(self.status)
    }
}

/// `--check -c FILE`: all errors and warnings of the file.
pub fn report(request: &Request<'_>, path: &Path) -> Answer {
    match file::read(path, SIZE_LIMIT) {
        Ok(text) => report_text(request, &path.to_string_lossy(), &text),
        Err(error) => unreadable(request, &error),
    }
}

/// The same for the bytes of a file.
pub fn report_text(request: &Request<'_>, name: &str, text: &[u8]) -> Answer {
    let parsed = parse_all(text);
    let mut answer = Answer {
        status: parsed.has_errors().into(),
        ..Answer::default()
    };
    match request.format {
        Format::Json => answer.output = json(&parsed.diagnostics).into_bytes(),
        Format::Text => {
            for diagnostic in &parsed.diagnostics {
                let (program, style) = (request.program, request.style);
                answer.messages += &draw::message(diagnostic, program, name, text, style);
            }
        }
    }
    answer
}

/// `--show-config -c FILE`: what the file means; an error's message otherwise.
pub fn show_config(request: &Request<'_>, path: &Path) -> Answer {
    let text = match file::read(path, SIZE_LIMIT) {
        Ok(text) => text,
        Err(error) => return unreadable(request, &error),
    };
    let parsed = parse_all(&text);
    if parsed.has_errors() {
        return report_text(request, &path.to_string_lossy(), &text);
    }
    let output = match request.format {
        Format::Text => show::text(&parsed.config),
        Format::Json => values_json(&show::values(&parsed.config)),
    };
    Answer {
        output: output.into_bytes(),
        ..Answer::default()
    }
}

/// `--check -c NEW --against OLD`: messages about the new file, then what it would change.
pub fn against(request: &Request<'_>, new: &Path, old: &Path) -> Answer {
    let mut answer = report(request, new);
    if answer.status != 0 {
        return answer;
    }
    let texts = file::read(new, SIZE_LIMIT).and_then(|n| Ok((n, file::read(old, SIZE_LIMIT)?)));
    let (new, old_text) = match texts {
        Ok(texts) => texts,
        Err(error) => return unreadable(request, &error),
    };
    let old_parsed = parse_all(&old_text);
    if old_parsed.has_errors() {
        return report_text(request, &old.to_string_lossy(), &old_text);
    }
    let difference = Difference::new(&old_parsed.config, &parse_all(&new).config);
    match request.format {
        Format::Text => answer.output = difference.to_string().into_bytes(),
        Format::Json => {
            let messages = String::from_utf8_lossy(&answer.output)
                .trim_end()
                .to_owned();
            let difference = serde_json::to_string(&difference).unwrap_or_default();
            let text = format!("{{\"messages\":{messages},\"difference\":{difference}}}\n");
            answer.output = text.into_bytes();
        }
    }
    answer
}

fn unreadable(request: &Request<'_>, error: &file::FileError) -> Answer {
    let text = format!("{}: {error}\n", request.program);
    match request.format {
        Format::Text => Answer {
            messages: text,
            status: 1,
            ..Answer::default()
        },
        Format::Json => {
            let message = Message {
                severity: Severity::Error.name(),
                code: "unreadable",
                line: 0,
                column: 0,
                message: &error.to_string(),
                expected: None,
                help: None,
            };
            let output = lines_of(&[message]).into_bytes();
            Answer {
                output,
                messages: text,
                status: 1,
            }
        }
    }
}

#[derive(Serialize)]
struct Message<'a> {
    severity: &'static str,
    code: &'static str,
    line: usize,
    column: usize,
    message: &'a str,
    expected: Option<&'a str>,
    help: Option<&'a str>,
}

/// The messages as a JSON array, one object a line.
pub fn json(diagnostics: &[Diagnostic]) -> String {
    let message = |d: &'_ Diagnostic| -> String {
        let message = Message {
            severity: d.severity.name(),
            code: d.code.name(),
            line: d.line,
            column: d.column,
            message: &d.message,
            expected: d.expected.as_deref(),
            help: d.help.as_deref(),
        };
        serde_json::to_string(&message).unwrap_or_default()
    };
    array(diagnostics.iter().map(message))
}

fn lines_of(messages: &[Message<'_>]) -> String {
    array(
        messages
            .iter()
            .map(|m| serde_json::to_string(m).unwrap_or_default()),
    )
}

fn values_json(values: &[(String, String)]) -> String {
    array(
        values
            .iter()
            .map(|row| serde_json::to_string(row).unwrap_or_default()),
    )
}

fn array(items: impl Iterator<Item = String>) -> String {
    let items: Vec<_> = items.collect();
    if items.is_empty() {
        "[]\n".to_owned()
    } else {
        format!("[\n{}\n]\n", items.join(",\n"))
    }
}
