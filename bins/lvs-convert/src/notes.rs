//! What is said about the files: what was not carried over, and what makes them unreadable.
//!
//! Owns the look of messages. Decides nothing.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use lvs_config::draw::Style;

use crate::source::{Place, Sources};

/// At the start of each message.
pub(crate) const PROGRAM: &str = "lvs-convert";
/// Widest line that is drawn.
const WIDTH: usize = 160;

/// How a thing fared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It has no counterpart.
    Lost,
    /// It means something near.
    Changed,
    /// lvs.cf wants more than the file says.
    Missing,
}

/// One thing that the reader of the new file should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Note {
    fate: Fate,
    /// `None`: about the whole file.
    place: Option<Place>,
    keyword: String,
    why: String,
    help: String,
}

/// All notes, in the order in which they came up.
#[derive(Debug, Default)]
pub(crate) struct Notes(Vec<Note>);

impl Notes {
    /// Not carried over.
    pub(crate) fn lost(&mut self, place: Place, keyword: &str, why: &str, help: &str) {
        self.add(Fate::Lost, Some(place), keyword, why, help);
    }

    /// Carried over as something near.
    pub(crate) fn changed(&mut self, place: Place, keyword: &str, why: &str, help: &str) {
        self.add(Fate::Changed, Some(place), keyword, why, help);
    }

    /// To be filled in by hand.
    pub(crate) fn missing(&mut self, place: Option<Place>, keyword: &str, why: &str, help: &str) {
        self.add(Fate::Missing, place, keyword, why, help);
    }

    fn add(&mut self, fate: Fate, place: Option<Place>, keyword: &str, why: &str, help: &str) {
        self.0.push(Note {
            fate,
            place,
            keyword: keyword.to_owned(),
            why: why.to_owned(),
            help: help.to_owned(),
        });
    }

    /// All of them by file and line, those about the whole at the end.
    pub(crate) fn text(&self, sources: &Sources, style: Style) -> String {
        let mut notes: Vec<&Note> = self.0.iter().collect();
        notes.sort_by_key(|note| note.place.map_or((usize::MAX, 0), |p| (p.file, p.start)));
        let fate = |note: &Note| match note.fate {
            Fate::Lost => "not carried over",
            Fate::Changed => "carried over as something near",
            Fate::Missing => "to be filled in",
        };
        // What holds for several services is said once.
        notes.dedup();
        notes
            .iter()
            .map(|note| {
                let text = format!("{}: {}: {}", note.keyword, fate(note), note.why);
                message(
                    note.place,
                    &text,
                    &note.help,
                    (Level::WARNING, style),
                    sources,
                )
            })
            .collect()
    }
}

/// What makes a file unreadable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    place: Option<Place>,
    text: String,
    help: String,
}

impl Fault {
    /// About one place.
    pub(crate) fn at(place: Place, text: impl Into<String>, help: &str) -> Self {
        Self {
            place: Some(place),
            text: text.into(),
            help: help.to_owned(),
        }
    }

    /// About no place in particular.
    pub(crate) fn general(text: impl Into<String>, help: &str) -> Self {
        Self {
            place: None,
            text: text.into(),
            help: help.to_owned(),
        }
    }

    /// One line; on a terminal with the line of the file.
    pub(crate) fn text(&self, sources: &Sources, style: Style) -> String {
        message(
            self.place,
            &self.text,
            &self.help,
            (Level::ERROR, style),
            sources,
        )
    }
}

fn message(
    place: Option<Place>,
    text: &str,
    help: &str,
    (level, style): (Level<'static>, Style),
    sources: &Sources,
) -> String {
    let at = place.map(|place| sources.line(place));
    let at = at.map_or(String::new(), |(name, line)| format!("{name}:{line}: "));
    let separator = if help.is_empty() { "" } else { "; " };
    match (style, place) {
        (Style::Plain | Style::Colour, Some(place)) => {
            let picture = picture(place, help, (level, style), sources);
            printable(&format!("{PROGRAM}: {at}{text}")) + "\n" + &picture
        }
        _ => printable(&format!("{PROGRAM}: {at}{text}{separator}{help}")) + "\n",
    }
}

fn picture(
    place: Place,
    help: &str,
    (level, style): (Level<'static>, Style),
    sources: &Sources,
) -> String {
    let renderer = match style {
        Style::Colour => Renderer::styled(),
        _ => Renderer::plain(),
    };
    let (name, line) = sources.line(place);
    let whole = sources.text(place.file);
    let before = whole.get(..place.start).unwrap_or_default();
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let rest = whole.get(start..).unwrap_or_default();
    let drawn: String = rest
        .chars()
        .take_while(|c| *c != '\n')
        .take(WIDTH)
        .collect();
    let drawn = printable(drawn.trim_end());
    let name = printable(name);
    // Control characters grow when they are shown, so the marks are kept within the line.
    let from = (place.start - start).min(drawn.len());
    let to = (place.end.saturating_sub(start)).clamp(from, drawn.len());
    let on_boundary = drawn.is_char_boundary(from) && drawn.is_char_boundary(to);
    let range = if on_boundary {
        from..to
    } else {
        0..drawn.len()
    };
    let annotation = AnnotationKind::Primary.span(range);
    let snippet = Snippet::source(drawn.as_str()).line_start(line);
    let mut group = Group::with_level(level).element(snippet.path(&name).annotation(annotation));
    let help = printable(help);
    if !help.is_empty() {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    renderer.render(&[group]) + "\n"
}

/// Control characters as their code, so that a file cannot speak to the terminal.
fn printable(text: &str) -> String {
    let shown = |c: char| match c {
        '\t' => c.to_string(),
        c if c.is_control() => format!("\\x{:02x}", u32::from(c)),
        c => c.to_string(),
    };
    text.chars().map(shown).collect()
}
