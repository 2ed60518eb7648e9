//! From a form to edits of lvs.cf: only what differs from the file.

use change::{Edit, Item};
use lvs_config::{Config, Place};

use crate::fields::{Control, Definition, Part};
use crate::form::Form;

/// The value that the file gives a keyword, else its default.
pub(crate) fn value(config: &Config, place: Place, definition: &Definition) -> String {
    let written = config.written(place, definition.keyword);
    let text = written.unwrap_or_else(|| definition.default.to_owned());
    part(&text, definition.part).to_owned()
}

fn part(text: &str, part: Part) -> &str {
    match part {
        Part::Whole => text,
        Part::First => text.split(' ').next().unwrap_or_default(),
        Part::Second => text.split_once(' ').map_or("", |(_, second)| second),
    }
}

/// What was typed or ticked.
pub(crate) fn typed(form: &Form, definition: &Definition) -> String {
    match definition.control {
        Control::Flag => u8::from(form.has(definition.parameter)).to_string(),
        // Blanks at the ends of a text to be sent count.
        Control::Text(60) => form.text(definition.parameter).to_owned(),
        _ => form.text(definition.parameter).trim().to_owned(),
    }
}

/// What the form changes at a block; `name` is not among it. Fields that the form does not carry
/// stay as they are.
pub(crate) fn edits(
    form: &Form,
    definitions: &[Definition],
    config: &Config,
    place: Place,
    item: &Item,
) -> Vec<Edit> {
    let mut edits = Vec::new();
    for definition in definitions {
        if definition.keyword == "name" || definition.part == Part::Second {
            continue;
        }
        let is_shown = form.has(definition.parameter) || definition.control == Control::Flag;
        if !is_shown {
            continue;
        }
        let wanted = wanted(form, definitions, definition);
        let written = config.written(place, definition.keyword);
        let old = written.as_deref().unwrap_or(definition.default);
        if wanted == old {
            continue;
        }
        let (at, keyword) = (item.clone(), definition.keyword.to_owned());
        // A file without extensions is one that an original reads.
        let says_nothing = definition.is_extension && wanted == definition.default;
        if !wanted.is_empty() && !says_nothing {
            edits.push(Edit::Set {
                at,
                keyword,
                value: wanted,
            });
        } else if written.is_some() {
            edits.push(Edit::Unset { at, keyword });
        }
    }
    edits
}

/// The whole value of the keyword whose first part this is.
pub(crate) fn wanted(form: &Form, definitions: &[Definition], first: &Definition) -> String {
    let text = typed(form, first);
    if first.part == Part::Whole {
        return text;
    }
    let is_second = |it: &&Definition| it.keyword == first.keyword && it.part == Part::Second;
    let second = definitions.iter().find(is_second);
    let second = second.map(|second| typed(form, second)).unwrap_or_default();
    format!("{text} {second}").trim().to_owned()
}

/// A name as the original made it: blanks become `_`; empty: none is wanted.
pub(crate) fn name(form: &Form, parameter: &str) -> Option<String> {
    let name = form.text(parameter).trim().replace(' ', "_");
    Some(name).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::{GLOBAL, REDUNDANCY, VIRTUAL};

    const FILE: &[u8] = b"primary = 192.0.2.1\nnat_router = 10.0.0.1 eth1:1\nkeepalive = 6\n\
        virtual web {\n address = 192.0.2.80 eth0:1\n port = 80\n vip_nmask = 255.255.255.0\n}\n";

    fn made(definitions: &[Definition], place: Place, item: &Item, body: &str) -> Vec<Edit> {
        let config = lvs_config::parse(FILE).unwrap().config;
        edits(
            &Form::read(body.as_bytes()),
            definitions,
            &config,
            place,
            item,
        )
    }

    fn global(body: &str) -> Vec<Edit> {
        made(GLOBAL, Place::Global, &Item::Global, body)
    }

    fn set(keyword: &str, value: &str) -> Edit {
        Edit::Set {
            at: Item::Global,
            keyword: keyword.to_owned(),
            value: value.to_owned(),
        }
    }

    #[test]
    fn r12_what_is_as_it_was_is_no_edit() {
        let same = "PriLVSIP=192.0.2.1&primary_private=&tcp_timeout=&network=nat&NATRtrIP=10.0.0.1&NATRtrDev=eth1%3A1&nat_nmask=";
        assert_eq!(global(same), []);
        assert_eq!(global(""), [], "no field, no change");
    }

    #[test]
    fn both_words_of_an_address_make_one_value() {
        let body = "NATRtrIP=10.0.0.2&NATRtrDev=eth1%3A1&PriLVSIP=+192.0.2.1+";
        assert_eq!(global(body), [set("nat_router", "10.0.0.2 eth1:1")]);
        let gone = Edit::Unset {
            at: Item::Global,
            keyword: "nat_router".to_owned(),
        };
        assert_eq!(global("NATRtrIP=&NATRtrDev="), [gone]);
    }

    #[test]
    fn boxes_count_when_they_are_not_ticked() {
        let edit = |body| made(REDUNDANCY, Place::Global, &Item::Global, body);
        assert_eq!(edit("hb_interval=6"), []);
        assert_eq!(
            edit("hb_interval=7&syncdaemon=1"),
            [set("keepalive", "7"), set("syncdaemon", "1")]
        );
    }

    #[test]
    fn r9_what_was_typed_reaches_the_checks_unchanged() {
        let item = Item::Virtual {
            service: change::Name::new("web"),
        };
        let made = made(
            VIRTUAL,
            Place::Virtual(0),
            &item,
            "port=80%0Asend_program%3D%2Fx&address=1&device=",
        );
        let values: Vec<_> = made
            .iter()
            .map(|edit| match edit {
                Edit::Set { value, .. } => value.as_str(),
                _ => "",
            })
            .collect();
        assert_eq!(values, ["80\nsend_program=/x", "1"]);
    }
}
