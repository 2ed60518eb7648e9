//! The keywords as the manual tells of them.
//!
//! Owns how forms and defaults look there. The facts are in the keyword tables.

use crate::keywords::GLOBAL;
use crate::keywords::Keyword;
use crate::keywords::Level;
use crate::keywords::Origin;
use crate::keywords::SERVER;
use crate::keywords::VIRTUAL;
use crate::show;
use crate::value::Kind;

/// Keywords that mean something else when they are not written than any value that could be.
const UNWRITTEN: &[(Level, &str, &str)] = &[
    (Level::Global, "hard_shutdown", "0"),
    (Level::Server, "port", "that of the service"),
];

/// One keyword, described.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// Its name.
    pub name: &'static str,
    /// What stands behind the equal sign, with the names of variable parts in angle brackets.
    pub form: String,
    /// What counts when it is not written; `None`: nothing.
    pub default: Option<String>,
    /// Whether original daemons refuse it.
    pub is_extension: bool,
    /// Sentences.
    pub meaning: &'static str,
}

/// The keywords of a level, in the order of its table.
pub fn describe(level: Level) -> Vec<Description> {
    match level {
        Level::Global => table(level, GLOBAL),
        Level::Virtual | Level::Failover => table(level, VIRTUAL),
        Level::Server => table(level, SERVER),
    }
}

fn table<B: Default>(level: Level, keywords: &'static [Keyword<B>]) -> Vec<Description> {
    let block = B::default();
    let special = |name: &str| {
        let mut rows = UNWRITTEN.iter();
        rows.find(|(place, keyword, _)| *place == level && *keyword == name)
            .map(|(_, _, text)| (*text).to_owned())
    };
    let default = |keyword: &Keyword<B>| {
        let value = (keyword.get)(&block).value()?;
        Some(show::plain(&value)).filter(|text| !text.is_empty() && text != "-")
    };
    let described = keywords.iter().map(|keyword| Description {
        name: keyword.name,
        form: form(keyword.kind),
        default: special(keyword.name).or_else(|| default(keyword)),
        is_extension: keyword.origin == Origin::Extension,
        meaning: keyword.meaning,
    });
    described.collect()
}

fn form(kind: Kind) -> String {
    match kind {
        Kind::Flag => "0|1".into(),
        Kind::Number(..) => "<number>".into(),
        Kind::Port => "<port>".into(),
        Kind::Host(_) | Kind::Ip => "<address>".into(),
        Kind::HostAndDevice => "<address> <device>".into(),
        Kind::Mask | Kind::PersistenceMask => "<mask>".into(),
        Kind::Text => "<text>".into(),
        Kind::Quoted => "\"<text>\"".into(),
        Kind::Choice(names) => names.join("|"),
        Kind::List => "[ <word> ... ]".into(),
        Kind::Hosts(_) => "\"<address> ...\"".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(level: Level, name: &str) -> Description {
        let all = describe(level);
        all.into_iter().find(|found| found.name == name).unwrap()
    }

    #[test]
    fn forms_and_defaults() {
        let keepalive = one(Level::Global, "keepalive");
        assert_eq!(
            (keepalive.form.as_str(), keepalive.default.as_deref()),
            ("<number>", Some("2"))
        );
        assert_eq!(one(Level::Global, "network").form, "nat|direct|tunnel");
        assert_eq!(one(Level::Global, "witness").default, None);
        assert!(one(Level::Global, "witness").is_extension);
        assert_eq!(one(Level::Virtual, "pmask").default, None);
        let port = one(Level::Server, "port").default;
        assert_eq!(port.as_deref(), Some("that of the service"));
    }

    #[test]
    fn each_exception_is_a_keyword_of_its_level() {
        for (level, name, _) in UNWRITTEN {
            assert!(level.keywords().contains(name), "{name}");
        }
    }

    #[test]
    fn meanings_are_sentences_of_one_line() {
        for level in [Level::Global, Level::Virtual, Level::Server] {
            for described in describe(level) {
                let text = described.meaning;
                assert!(text.ends_with('.') && !text.contains('\n'), "{text}");
            }
        }
    }
}
