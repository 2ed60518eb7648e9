//! From lines to model: statements, blocks, the end of the file (`piranha-daemons.md` 1.5, 1.10).
//!
//! Owns the order of checks and what is read on after an error. Looks at one statement at a time;
//! what concerns several is the business of `checks`.

use crate::checks;
use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
use crate::hints;
use crate::keywords;
use crate::keywords::Keyword;
use crate::keywords::Level;
use crate::keywords::Origin;
use crate::lexer;
use crate::lexer::Line;
use crate::lexer::LineEnd;
use crate::lexer::Lines;
use crate::lexer::Word;
use crate::model::Config;
use crate::model::Server;
use crate::model::Setting;
use crate::model::Span;
use crate::model::Text;
use crate::model::Virtual;
use crate::notes::MOST_MESSAGES;
use crate::notes::Note;
use crate::notes::Notes;
use crate::notes::warnings;
use crate::original;
use crate::services::Services;
use crate::value::Kind;

/// An error, before its line is known.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) code: Code,
    pub(crate) span: Span,
    pub(crate) expected: Option<String>,
    pub(crate) help: Option<String>,
}
struct OpenBlock {
    level: Level,
    block: Virtual,
    /// Where the block was opened.
    line: usize,
    /// For each server the block's port as read before the server: the original's default.
    ports_so_far: Vec<u16>,
}

struct OpenServer {
    server: Server,
    line: usize,
}

pub(crate) struct Reader<'a> {
    text: &'a [u8],
    first_only: bool,
    services: Option<Services>,
    pub(crate) config: Config,
    block: Option<OpenBlock>,
    server: Option<OpenServer>,
    /// The last statement should have ended in a brace: one alone on a line is meant for it.
    brace_pending: bool,
    crlf: Option<Span>,
    pub(crate) errors: Vec<Diagnostic>,
    notes: Vec<Note>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(text: &'a [u8], first_only: bool) -> Self {
        Self {
            text,
            first_only,
            services: None,
            config: Config::default(),
            block: None,
            server: None,
            brace_pending: false,
            crlf: None,
            errors: Vec::new(),
            notes: Vec::new(),
        }
    }

    pub(crate) fn read(&mut self) {
        if self.text.is_empty() {
            let help = Some("a file of comments alone would do".to_owned());
            let fault = Fault {
                code: Code::EmptyConfiguration,
                span: Span::default(),
                expected: None,
                help,
            };
            return self.error(0, 0, fault);
        }
        let mut last = None;
        for line in Lines::new(self.text) {
            if let Err(fault) = self.line(&line) {
                self.error(line.number, line.start, fault);
                if self.first_only || self.errors.len() >= MOST_MESSAGES {
                    return;
                }
            }
            last = Some(line);
        }
        if let Some(last) = last {
            self.end_of_file(&last);
        }
    }

    fn error(&mut self, line: usize, line_start: usize, fault: Fault) {
        let column = match line {
            0 => 0,
            _ => (fault.span.start as usize).saturating_sub(line_start) + 1,
        };
        self.errors.push(Diagnostic {
            severity: fault.code.severity(),
            code: fault.code,
            line,
            column,
            span: fault.span,
            message: fault.code.original_text().unwrap_or_default().to_owned(),
            expected: fault.expected,
            help: fault.help,
        });
    }

    fn level(&self) -> Level {
        match (&self.server, &self.block) {
            (Some(_), _) => Level::Server,
            (None, Some(open)) => open.level,
            (None, None) => Level::Global,
        }
    }

    fn line(&mut self, line: &Line<'a>) -> Result<(), Fault> {
        if line.crlf && self.crlf.is_none() {
            self.crlf = Some(line.span_of(line.bytes));
        }
        if let Some(fault) = hints::stray_byte(line) {
            return Err(fault);
        }
        let trimmed = line.trimmed();
        if trimmed.is_empty() || trimmed.starts_with(b"#") {
            return Ok(());
        }
        let words = lexer::words(line.bytes).map_err(|at| hints::unclosed_quote(line, at))?;
        let Some((first, rest)) = words.split_first() else {
            return Ok(());
        };
        let brace_pending = std::mem::take(&mut self.brace_pending);
        if *first == *"}" {
            return self.close(line, first);
        }
        self.note_quotes(line, &words);
        if brace_pending && *first == *"{" && rest.is_empty() {
            return Ok(());
        }
        let level = self.level();
        let opener = |level: Level| level.openers().iter().any(|name| *first == **name);
        if opener(level) {
            return self.open(level, line, &words);
        }
        let known = match level {
            Level::Global => self.assign_global(line, first, rest),
            Level::Virtual | Level::Failover => self.assign_virtual(line, first, rest),
            Level::Server => self.assign_server(line, first, rest),
        };
        known.unwrap_or_else(|| {
            let fault = hints::unknown_command(level, line, &words);
            self.reopen(line, &words, opener);
            Err(fault)
        })
    }

    /// An original partner would stop here, or understand something else.
    fn note_quotes(&mut self, line: &Line<'a>, words: &[Word<'a>]) {
        let Some(quoted) = words.iter().find(|word| word.quote.is_some()) else {
            return;
        };
        if !original::reads_the_same(line.bytes, words) {
            let span = Some(line.span_of(quoted.raw));
            let message = "original daemons read the quotes of this line otherwise".to_owned();
            let help = "they want a word without blanks bare, or its quote at the end of the line";
            Notes(&mut self.notes).add(Code::OriginalQuotes, span, message, help);
        }
    }

    fn assign_global(
        &mut self,
        line: &Line<'a>,
        first: &Word<'a>,
        rest: &[Word<'a>],
    ) -> Option<Result<(), Fault>> {
        let keyword = keywords::find(keywords::GLOBAL, first.bytes)?;
        let (block, services, notes) =
            (&mut self.config.global, &mut self.services, &mut self.notes);
        Some(assign(keyword, block, line, first, rest, services, notes))
    }

    fn assign_virtual(
        &mut self,
        line: &Line<'a>,
        first: &Word<'a>,
        rest: &[Word<'a>],
    ) -> Option<Result<(), Fault>> {
        let keyword = keywords::find(keywords::VIRTUAL, first.bytes)?;
        let block = &mut self.block.as_mut()?.block;
        Some(assign(
            keyword,
            block,
            line,
            first,
            rest,
            &mut self.services,
            &mut self.notes,
        ))
    }

    fn assign_server(
        &mut self,
        line: &Line<'a>,
        first: &Word<'a>,
        rest: &[Word<'a>],
    ) -> Option<Result<(), Fault>> {
        let keyword = keywords::find(keywords::SERVER, first.bytes)?;
        let block = &mut self.server.as_mut()?.server;
        Some(assign(
            keyword,
            block,
            line,
            first,
            rest,
            &mut self.services,
            &mut self.notes,
        ))
    }

    /// `virtual NAME {`, `failover NAME {`, `server NAME {`. A wrong opening opens all the same,
    /// so that the lines of the block are not taken for others.
    fn open(&mut self, level: Level, line: &Line<'a>, words: &[Word<'a>]) -> Result<(), Fault> {
        let fault = match words {
            [_, _, brace] if *brace == *"{" => None,
            [_, _, _, _, ..] => Some(Code::UnexpectedArguments),
            _ => Some(Code::MissingArguments),
        };
        let one_line = fault.is_some() && words.last().is_some_and(|word| *word == *"}");
        self.brace_pending = fault.is_some() && !words.iter().any(|w| w.bytes.ends_with(b"{"));
        if !one_line {
            let nothing = Word {
                bytes: b"",
                raw: line.bytes,
                quote: None,
            };
            let name = words.get(1).copied().unwrap_or(nothing);
            let kind = words.first().map(|w| w.bytes).unwrap_or_default();
            self.begin(level, kind, line, name);
        }
        match fault {
            None => Ok(()),
            Some(code) => Err(hints::bad_opening(code, line, words)),
        }
    }

    fn begin(&mut self, level: Level, kind: &[u8], line: &Line<'a>, name: Word<'a>) {
        let name = Setting::written(Text::from(name.bytes), line.span_of(name.raw));
        if level == Level::Global {
            let level = if kind == b"failover" {
                Level::Failover
            } else {
                Level::Virtual
            };
            let block = Virtual {
                name,
                ..Virtual::default()
            };
            let ports_so_far = Vec::new();
            self.block = Some(OpenBlock {
                level,
                block,
                line: line.number,
                ports_so_far,
            });
        } else {
            if let Some(open) = &mut self.block {
                open.ports_so_far.push(*open.block.port);
            }
            let server = Server {
                name,
                ..Server::default()
            };
            self.server = Some(OpenServer {
                server,
                line: line.number,
            });
        }
    }

    /// After an opening in the wrong place (a brace is missing above): go on as if it were there.
    fn reopen(&mut self, line: &Line<'a>, words: &[Word<'a>], opener: impl Fn(Level) -> bool) {
        let opens = words.last().is_some_and(|word| word.bytes.ends_with(b"{"));
        let level = self
            .block
            .as_ref()
            .map(|open| open.level)
            .filter(|level| opener(*level));
        let (true, [kind, name, ..]) = (opens, words) else {
            return;
        };
        if let Some(level) = level {
            self.close_server();
            self.begin(level, kind.bytes, line, *name);
        } else if opener(Level::Global) {
            self.close_server();
            self.close_block();
            self.begin(Level::Global, kind.bytes, line, *name);
        }
    }

    fn close(&mut self, line: &Line<'a>, word: &Word<'a>) -> Result<(), Fault> {
        if self.close_server() || self.close_block() {
            return Ok(());
        }
        Err(Fault {
            code: Code::UnknownCommand,
            span: line.span_of(word.raw),
            expected: None,
            help: Some("no block is open here: this brace is one too many".to_owned()),
        })
    }

    fn close_server(&mut self) -> bool {
        let (Some(server), Some(open)) = (self.server.take(), &mut self.block) else {
            return false;
        };
        open.block.servers.push(server.server);
        true
    }

    fn close_block(&mut self) -> bool {
        let Some(mut open) = self.block.take() else {
            return false;
        };
        open.block.servers.shrink_to_fit();
        let port = *open.block.port;
        let servers = open.block.servers.iter().zip(open.ports_so_far);
        for (server, so_far) in servers.filter(|(server, _)| !server.port.is_written()) {
            if so_far != port {
                let message = format!(
                    "server {} takes port {port}; the original would take {so_far}",
                    server.name.value
                );
                let help = "write the service's port above its servers";
                let span = server.name.span;
                Notes(&mut self.notes).add(Code::ServerPortOrder, span, message, help);
            }
        }
        match open.level {
            Level::Failover => self.config.failovers.push(open.block),
            _ => self.config.virtuals.push(open.block),
        }
        true
    }

    fn end_of_file(&mut self, last: &Line<'a>) {
        let Some(line) = self.block.as_ref().map(|open| open.line) else {
            return;
        };
        let line = self.server.as_ref().map_or(line, |open| open.line);
        let fault = Fault {
            code: Code::UnexpectedEndOfFile,
            span: last.span_of(last.trimmed()),
            expected: Some("a closing brace }".to_owned()),
            help: Some(format!("the block opened in line {line} is not closed")),
        };
        self.error(last.number, last.start, fault);
        self.close_server();
        self.close_block();
    }

    /// The model, with the values that follow from others, and the warnings.
    pub(crate) fn finish(self) -> (Config, Vec<Diagnostic>) {
        self.finish_after(&[])
    }

    /// After errors the model has holes, so that only warnings about single statements are told.
    pub(crate) fn finish_after(mut self, errors: &[Diagnostic]) -> (Config, Vec<Diagnostic>) {
        self.config.settle();
        let mut notes = Vec::new();
        if !self.text.is_empty() {
            self.notes_about_bytes(&mut notes);
        }
        notes.append(&mut self.notes);
        if errors.is_empty() {
            checks::run(&self.config, &mut notes);
        }
        (self.config, warnings(self.text, notes))
    }

    fn notes_about_bytes(&self, notes: &mut Vec<Note>) {
        let mut notes = Notes(notes);
        let start = Some(Span::new(0, 0));
        if self.text.starts_with(lexer::BYTE_ORDER_MARK) {
            let message = "the file starts with a byte-order mark, which is skipped".to_owned();
            let help = "original daemons refuse such a file";
            notes.add(Code::ByteOrderMark, start, message, help);
        }
        if let Some(span) = self.crlf {
            let message = "lines end in CR LF, which counts as LF".to_owned();
            let help = "original daemons read only the first line of such a file";
            notes.add(Code::CrlfLineEnds, Some(span), message, help);
        }
        if Lines::new(self.text).line_end() == LineEnd::Cr {
            let message = "lines end in CR, which counts as LF".to_owned();
            notes.add(Code::CrLineEnds, start, message, "");
        }
    }
}
/// `keyword = value`, checked in the original's order: the sign, enough words, no more, the value.
fn assign<'a, B>(
    keyword: &'static Keyword<B>,
    block: &mut B,
    line: &Line<'a>,
    first: &Word<'a>,
    rest: &[Word<'a>],
    services: &mut Option<Services>,
    notes: &mut Vec<Note>,
) -> Result<(), Fault> {
    let (name, kind) = (keyword.name, keyword.kind);
    let Some((_, values)) = rest.split_first().filter(|(equal, _)| **equal == *"=") else {
        return Err(hints::equal_expected(name, kind, line, first, rest));
    };
    let wanted = kind.words();
    if values.len() < wanted.unwrap_or(1) {
        return Err(hints::missing_value(name, kind, line, values));
    }
    if let Some(extra) = wanted.and_then(|wanted| values.get(wanted)) {
        return Err(hints::extra_word(name, kind, line, values, extra));
    }
    let value = kind
        .read(values, services)
        .map_err(|refused| hints::refused(name, kind, line, refused))?;
    let (start, end) = (values.first(), values.last());
    let span = match (start, end) {
        (Some(start), Some(end)) => {
            let (start, end) = (line.span_of(start.raw), line.span_of(end.raw));
            Span {
                start: start.start,
                end: end.end,
            }
        }
        _ => Span::default(),
    };
    let field = (keyword.get_mut)(block);
    let (mut notes, place) = (Notes(notes), Some(line.span_of(first.raw)));
    if field.span().is_some() {
        let message = format!("{name} is given again; only this last value counts");
        notes.add(
            Code::DuplicateKeyword,
            place,
            message,
            "remove one of the two lines",
        );
    }
    if kind == Kind::Quoted && values.first().is_some_and(|word| word.quote == Some(b'\'')) {
        let message = format!("{name} is in single quotes, which are not part of the text");
        let help = "original daemons hand them on to the checker: use double quotes";
        notes.add(Code::SingleQuotes, Some(span), message, help);
    }
    if keyword.origin == Origin::Extension {
        let message = format!("{name} is not known to original daemons, which refuse the file");
        let help = "use it only when both routers run this program";
        notes.add(Code::Extension, place, message, help);
    }
    field.load(value, span);
    Ok(())
}
