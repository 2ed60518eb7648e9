//! Messages for people: the line of the file with a caret, what was expected, a hint.
//!
//! Owns the look of messages. Whether there is a terminal is the caller's to know.

use std::io::IsTerminal;

use annotate_snippets::AnnotationKind;
use annotate_snippets::Group;
use annotate_snippets::Level;
use annotate_snippets::Renderer;
use annotate_snippets::Snippet;

use crate::diagnostic::Diagnostic;
use crate::diagnostic::ParseError;
use crate::diagnostic::Severity;
use crate::diagnostic::first_line;

/// How much is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Style {
    /// The first line of each message only: for logs and pipes.
    #[default]
    Lines,
    /// With the line of the file below it: for a terminal.
    Plain,
    /// The same with colours.
    Colour,
}

impl Style {
    /// What suits this process's standard error: pictures on a terminal, in colour unless
    /// `NO_COLOR` is set or the terminal is `dumb`.
    pub fn of_standard_error() -> Self {
        let set = |name| std::env::var_os(name).unwrap_or_default();
        if !std::io::stderr().is_terminal() {
            Self::Lines
        } else if !set("NO_COLOR").is_empty() || set("TERM") == "dumb" {
            Self::Plain
        } else {
            Self::Colour
        }
    }
}

/// Widest part of a line that is drawn.
const WIDTH: usize = 160;

/// One message about `file`, whose bytes are `text`, in the words of `program`.
pub fn message(
    diagnostic: &Diagnostic,
    program: &str,
    file: &str,
    text: &[u8],
    style: Style,
) -> String {
    let mut out = printable(&headline(diagnostic, program, file));
    out.push('\n');
    if style != Style::Lines {
        out.push_str(&picture(diagnostic, file, text, style));
    }
    out
}

/// The error that stopped `program`, as it tells it.
pub fn error(error: &ParseError, program: &str, file: &str, text: &[u8], style: Style) -> String {
    message(&error.diagnostic, program, file, text, style)
}

fn headline(diagnostic: &Diagnostic, program: &str, file: &str) -> String {
    let (line, text) = (diagnostic.line, &diagnostic.message);
    match (diagnostic.severity, line) {
        (Severity::Error, _) => first_line(program, file, line, text),
        (Severity::Warning, 0) => format!("{program}: warning in {file}: {text}"),
        (Severity::Warning, _) => format!("{program}: warning in {file} at line {line}: {text}"),
    }
}

fn picture(diagnostic: &Diagnostic, file: &str, text: &[u8], style: Style) -> String {
    let renderer = match style {
        Style::Colour => Renderer::styled(),
        _ => Renderer::plain(),
    };
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let help = diagnostic.help.as_deref().map(printable);
    let mut group = Group::with_level(level);
    let line = (diagnostic.line > 0).then(|| Excerpt::new(diagnostic, text));
    let file = printable(file);
    if let Some(line) = &line {
        let label = diagnostic
            .expected
            .as_ref()
            .map(|e| printable(&format!("expected {e}")));
        let annotation = AnnotationKind::Primary
            .span(line.start..line.end)
            .label(label);
        let snippet = Snippet::source(line.text.as_str()).line_start(diagnostic.line);
        group = group.element(snippet.path(file.as_str()).annotation(annotation));
    }
    if let Some(help) = &help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    if group.is_empty() {
        return String::new();
    }
    let mut out = renderer.render(&[group]);
    out.push('\n');
    out
}

/// The line meant, as text that can be printed.
struct Excerpt {
    text: String,
    start: usize,
    end: usize,
}

impl Excerpt {
    fn new(diagnostic: &Diagnostic, text: &[u8]) -> Self {
        let span = diagnostic.span.range();
        let line_start = (span.start + 1).saturating_sub(diagnostic.column.max(1));
        // What cannot be drawn is not looked at: a line may be all of a long file.
        let from = line_start.max(span.start.saturating_sub(WIDTH / 2));
        let to = text.len().min(from + WIDTH).max(from);
        let drawn = text.get(from..to).unwrap_or_default();
        let length = drawn
            .iter()
            .position(|b| *b == b'\n')
            .unwrap_or(drawn.len());
        let bare = drawn.get(..length).unwrap_or_default();
        let to = from + bare.strip_suffix(b"\r").unwrap_or(bare).len();
        let part = |start: usize, end: usize| {
            let (start, end) = (start.clamp(from, to), end.clamp(from, to));
            printable(&String::from_utf8_lossy(
                text.get(start..end).unwrap_or_default(),
            ))
        };
        let (before, meant) = (part(from, span.start), part(span.start, span.end));
        let after = part(span.end.max(span.start), to);
        let start = before.len();
        let length = meant.len();
        let mut text = before + &meant + &after;
        // A line end gets a caret all the same.
        if start == text.len() {
            text.push(' ');
        }
        let first = text.get(start..).and_then(|rest| rest.chars().next());
        let end = start + length.max(first.map_or(0, char::len_utf8));
        Self { text, start, end }
    }
}

/// Tabs stay; other control characters are shown as their code, so that a file cannot speak to
/// the terminal.
fn printable(text: &str) -> String {
    if !text.chars().any(|c| c.is_control() || c == '\u{feff}') {
        return text.to_owned();
    }
    let shown = |c: char| match c {
        '\t' => c.to_string(),
        '\u{feff}' => "\u{fffd}".to_owned(),
        '\r' => "\u{240d}".to_owned(),
        c if c.is_control() => format!("\\x{:02x}", u32::from(c)),
        c => c.to_string(),
    };
    text.chars().map(shown).collect()
}
