//! From model to text, in the layout that the GUI wrote (`piranha-gui.md` 9.2).
//!
//! Owns the layout and the quoting. What it returns means the model, or it returns nothing.

use crate::keywords::GLOBAL;
use crate::keywords::Keyword;
use crate::keywords::SERVER;
use crate::keywords::VIRTUAL;
use crate::lexer;
use crate::model::Config;
use crate::model::Server;
use crate::model::Text;
use crate::model::Virtual;
use crate::parse::parse;
use crate::value::Kind;
use crate::value::Value;

/// Blanks before the lines of a block, and before those of a server.
pub(crate) const BLOCK_INDENT: usize = 5;
pub(crate) const SERVER_INDENT: usize = 9;

/// The GUI's order in failover blocks; the other keywords stand behind these.
const FAILOVER_ORDER: &[&str] = &[
    "address",
    "vip_nmask",
    "active",
    "port",
    "timeout",
    "send",
    "expect",
    "send_program",
    "start_cmd",
    "stop_cmd",
];

/// Why a model has no text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// A value that cannot be written in lvs.cf, such as a text with a line end in it.
    #[error("{keyword} has a value that lvs.cf cannot hold")]
    Unwritable {
        /// The keyword, or `name`.
        keyword: &'static str,
    },
    /// The text would mean something else: a value that differs from its default is marked as not
    /// written.
    #[error("the text would not mean the same")]
    NotTheSame,
}

/// The text of a model: the keywords that are written, failover blocks before virtual ones.
///
/// # Errors
/// [`WriteError`] when the text would not be read as the same model again.
pub fn to_text(config: &Config) -> Result<Vec<u8>, WriteError> {
    let mut lines = Vec::new();
    keywords(&mut lines, GLOBAL, &config.global, 0, &[])?;
    for block in &config.failovers {
        lines.extend(failover_lines(block)?);
    }
    for block in &config.virtuals {
        lines.extend(virtual_lines(block)?);
    }
    let mut text = lines.join(&b'\n');
    text.push(b'\n');
    let mut wanted = config.clone();
    wanted.settle();
    match parse(&text) {
        Ok(checked) if checked.config == wanted => Ok(text),
        _ => Err(WriteError::NotTheSame),
    }
}

type Lines = Vec<Vec<u8>>;

pub(crate) fn virtual_lines(block: &Virtual) -> Result<Lines, WriteError> {
    service_lines("virtual", block, &[])
}

pub(crate) fn failover_lines(block: &Virtual) -> Result<Lines, WriteError> {
    service_lines("failover", block, FAILOVER_ORDER)
}

fn service_lines(kind: &str, block: &Virtual, first: &[&str]) -> Result<Lines, WriteError> {
    let mut lines = vec![opening(0, kind, &block.name)?];
    keywords(&mut lines, VIRTUAL, block, BLOCK_INDENT, first)?;
    for server in &block.servers {
        lines.extend(server_lines(server, BLOCK_INDENT, SERVER_INDENT)?);
    }
    lines.push(b"}".to_vec());
    Ok(lines)
}

pub(crate) fn server_lines(
    server: &Server,
    indent: usize,
    body_indent: usize,
) -> Result<Lines, WriteError> {
    let mut lines = vec![opening(indent, "server", &server.name)?];
    keywords(&mut lines, SERVER, server, body_indent, &[])?;
    let mut end = vec![b' '; indent];
    end.push(b'}');
    lines.push(end);
    Ok(lines)
}

fn opening(indent: usize, kind: &str, name: &Text) -> Result<Vec<u8>, WriteError> {
    let name = name_token(name).ok_or(WriteError::Unwritable { keyword: "name" })?;
    let mut line = vec![b' '; indent];
    line.extend_from_slice(kind.as_bytes());
    line.push(b' ');
    line.extend_from_slice(&name);
    line.extend_from_slice(b" {");
    Ok(line)
}

fn keywords<B>(
    lines: &mut Lines,
    table: &'static [Keyword<B>],
    block: &B,
    indent: usize,
    first: &[&str],
) -> Result<(), WriteError> {
    let mut rows: Vec<_> = table
        .iter()
        .filter(|k| (k.get)(block).span().is_some())
        .collect();
    let place = |name: &str| first.iter().position(|f| *f == name).unwrap_or(first.len());
    rows.sort_by_key(|keyword| (place(keyword.name), keyword.order));
    for keyword in rows {
        let value = (keyword.get)(block).value();
        let words = value.and_then(|value| words_of(keyword.kind, &value));
        let words = words.ok_or(WriteError::Unwritable {
            keyword: keyword.name,
        })?;
        lines.push(assignment(indent, keyword.name, &words));
    }
    Ok(())
}

pub(crate) fn assignment(indent: usize, name: &str, words: &[u8]) -> Vec<u8> {
    let mut line = vec![b' '; indent];
    line.extend_from_slice(name.as_bytes());
    line.extend_from_slice(b" = ");
    line.extend_from_slice(words);
    line
}

/// The value as it stands behind the equal sign; `None` when no text is read as it.
pub(crate) fn words_of(kind: Kind, value: &Value) -> Option<Vec<u8>> {
    words_with(kind, value, kind == Kind::Quoted)
}

/// The same in a form that originals read before a blank too, if there is one (B2).
pub(crate) fn words_before_blank(kind: Kind, value: &Value) -> Option<Vec<u8>> {
    words_with(kind, value, false).or_else(|| words_of(kind, value))
}

/// With quotes, or with them only where they are needed.
fn words_with(kind: Kind, value: &Value, quotes: bool) -> Option<Vec<u8>> {
    let words = match value {
        Value::Flag(flag) => u8::from(*flag).to_string().into_bytes(),
        Value::Number(number) => number.to_string().into_bytes(),
        Value::Host(host) => host.to_string().into_bytes(),
        Value::Ip(None) => b"0.0.0.0".to_vec(),
        Value::Ip(Some(address)) => address.to_string().into_bytes(),
        Value::Choice(name) => name.as_bytes().to_vec(),
        Value::Text(text) => token(text.as_bytes(), quotes)?,
        Value::Address(address) => {
            let mut words = address.host.to_string().into_bytes();
            words.push(b' ');
            words.extend(token(address.device.as_bytes(), false)?);
            words
        }
        Value::Hosts(hosts) => {
            let hosts: Vec<_> = hosts.iter().map(ToString::to_string).collect();
            token(hosts.join(" ").as_bytes(), true)?
        }
        Value::List(items) => {
            let mut words = b"[ ".to_vec();
            for item in items {
                words.extend(token(item.as_bytes(), false)?);
                words.push(b' ');
            }
            words.push(b']');
            words
        }
    };
    let read = lexer::words(&words).ok()?;
    let same = kind.words().is_none_or(|wanted| wanted == read.len())
        && kind.read(&read, &mut None).as_ref() == Ok(value);
    same.then_some(words)
}

pub(crate) fn name_token(name: &Text) -> Option<Vec<u8>> {
    token(name.as_bytes(), false)
}

/// One word that is read as `text`, whatever stands behind it: bare if possible and wanted, else
/// in double quotes, else in single ones.
fn token(text: &[u8], quotes: bool) -> Option<Vec<u8>> {
    if text.iter().any(|b| matches!(b, b'\n' | b'\r' | 0)) {
        return None;
    }
    let marked = |mark: &[u8]| [mark, text, mark].concat();
    let (double, single, bare) = (marked(b"\""), marked(b"'"), text.to_vec());
    let forms = if quotes {
        [double, single, bare]
    } else {
        [bare, double, single]
    };
    forms.into_iter().find(|form| {
        let line = [form.as_slice(), b" x"].concat();
        let read = lexer::words(&line);
        read.is_ok_and(|words| matches!(&*words, [word, _] if word.bytes == text))
    })
}
