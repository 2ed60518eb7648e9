//! Changes of a model by the name of the place and of the keyword.
//!
//! Owns the way from names to fields. Knows no text.

use crate::edit::EditError;
use crate::keywords;
use crate::keywords::GLOBAL;
use crate::keywords::Keyword;
use crate::keywords::Level;
use crate::keywords::SERVER;
use crate::keywords::VIRTUAL;
use crate::model::Config;
use crate::model::Server;
use crate::model::Setting;
use crate::model::Span;
use crate::model::Text;
use crate::model::Virtual;
use crate::place::Place;
use crate::show::plain;
use crate::value::Value;

pub(crate) fn no_such_keyword(place: Place, keyword: &str) -> EditError {
    EditError::NoSuchKeyword {
        keyword: keyword.to_owned(),
        place,
    }
}

/// The keyword's value if it is written; the outer `None`: it is not.
pub(crate) fn current(
    config: &Config,
    place: Place,
    keyword: &str,
) -> Result<Option<Option<Value>>, EditError> {
    fn of<B>(table: &'static [Keyword<B>], block: &B, name: &str) -> Option<Option<Value>> {
        let field = (keywords::find(table, name.as_bytes())?.get)(block);
        field.span().map(|_| field.value())
    }
    let found = match place {
        Place::Global => Some(of(GLOBAL, &config.global, keyword)),
        Place::Virtual(at) => config.virtuals.get(at).map(|b| of(VIRTUAL, b, keyword)),
        Place::Failover(at) => config.failovers.get(at).map(|b| of(VIRTUAL, b, keyword)),
        Place::VirtualServer(block, at) => config
            .virtuals
            .get(block)
            .and_then(|b| b.servers.get(at))
            .map(|s| of(SERVER, s, keyword)),
        Place::FailoverServer(block, at) => config
            .failovers
            .get(block)
            .and_then(|b| b.servers.get(at))
            .map(|s| of(SERVER, s, keyword)),
    };
    found.ok_or(EditError::NoSuchPlace(place))
}

impl Config {
    /// The value that is written for a keyword, in the form in which [`crate::Editor::set`] takes it;
    /// empty for a mask that means "none". `None`: it is not written.
    pub fn written(&self, place: Place, keyword: &str) -> Option<String> {
        let value = current(self, place, keyword).ok()??;
        Some(match value {
            None | Some(Value::Ip(None)) => String::new(),
            Some(value) => plain(&value),
        })
    }
}

/// Makes the change in the model: a value, or none to take it out.
pub(crate) fn apply(
    config: &mut Config,
    place: Place,
    keyword: &str,
    value: Option<Value>,
) -> Result<(), EditError> {
    fn to<B>(
        table: &'static [Keyword<B>],
        block: &mut B,
        name: &str,
        value: Option<Value>,
    ) -> Option<()> {
        let keyword = keywords::find(table, name.as_bytes())?;
        match value {
            Some(value) => (keyword.get_mut)(block).load(value, Span::default()),
            None => (keyword.reset)(block),
        }
        Some(())
    }
    let missing = EditError::NoSuchPlace(place);
    let done = match place {
        Place::Global => to(GLOBAL, &mut config.global, keyword, value),
        Place::Virtual(_) | Place::Failover(_) => to(
            VIRTUAL,
            block_of(config, place).ok_or(missing)?,
            keyword,
            value,
        ),
        Place::VirtualServer(..) | Place::FailoverServer(..) => to(
            SERVER,
            server_of(config, place).ok_or(missing)?,
            keyword,
            value,
        ),
    };
    done.ok_or_else(|| no_such_keyword(place, keyword))
}

pub(crate) fn block_of(config: &mut Config, place: Place) -> Option<&mut Virtual> {
    match place {
        Place::Virtual(at) => config.virtuals.get_mut(at),
        Place::Failover(at) => config.failovers.get_mut(at),
        _ => None,
    }
}

pub(crate) fn server_of(config: &mut Config, place: Place) -> Option<&mut Server> {
    match place {
        Place::VirtualServer(block, at) => config.virtuals.get_mut(block)?.servers.get_mut(at),
        Place::FailoverServer(block, at) => config.failovers.get_mut(block)?.servers.get_mut(at),
        _ => None,
    }
}

pub(crate) fn name_of(config: &mut Config, place: Place) -> Option<&mut Setting<Text>> {
    match place.level() {
        Level::Global => None,
        Level::Virtual | Level::Failover => block_of(config, place).map(|block| &mut block.name),
        Level::Server => server_of(config, place).map(|server| &mut server.name),
    }
}

pub(crate) fn remove_from(config: &mut Config, place: Place) -> bool {
    fn take<T>(list: &mut Vec<T>, at: usize) -> bool {
        let there = at < list.len();
        if there {
            list.remove(at);
        }
        there
    }
    let Config {
        virtuals,
        failovers,
        ..
    } = config;
    match place {
        Place::Global => false,
        Place::Virtual(at) => take(virtuals, at),
        Place::Failover(at) => take(failovers, at),
        Place::VirtualServer(block, at) => virtuals
            .get_mut(block)
            .is_some_and(|block| take(&mut block.servers, at)),
        Place::FailoverServer(block, at) => failovers
            .get_mut(block)
            .is_some_and(|block| take(&mut block.servers, at)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_values_have_the_form_that_editing_takes() {
        let text =
            b"primary = 192.0.2.1\nvirtual a {\n address = 192.0.2.80 eth0:1\n send = \"a b\"\n\
            vip_nmask = 0.0.0.0\n active = 1\n}\n";
        let config = crate::parse(text).unwrap().config;
        let of = |keyword| config.written(Place::Virtual(0), keyword);
        assert_eq!(of("address").as_deref(), Some("192.0.2.80 eth0:1"));
        assert_eq!(of("send").as_deref(), Some("a b"));
        assert_eq!(of("vip_nmask").as_deref(), Some(""));
        assert_eq!(of("active").as_deref(), Some("1"));
        assert_eq!(of("port"), None);
        assert_eq!(config.written(Place::Virtual(1), "port"), None);
        assert_eq!(config.written(Place::Global, "no such").as_deref(), None);
        assert_eq!(
            config.written(Place::Global, "primary").as_deref(),
            Some("192.0.2.1")
        );
    }
}
