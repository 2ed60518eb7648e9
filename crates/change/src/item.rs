//! Which thing of a file is meant: by name, not by position (R13).
//!
//! Owns the identity of blocks. Does not change anything.

use lvs_config::{Config, Place, Server, Setting, Text, Virtual};
use serde::{Deserialize, Serialize};

/// A block's name. Two blocks may share one: `nth` counts those from 1.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Name {
    /// As printed; bytes that are not UTF-8 are replaced.
    pub name: String,
    /// 1 for the first block of this name.
    #[serde(default = "first", skip_serializing_if = "is_first")]
    pub nth: usize,
}

fn first() -> usize {
    1
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_first(nth: &usize) -> bool {
    *nth == 1
}

impl Name {
    /// The first block of that name.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            nth: 1,
        }
    }

    /// Those of virtual blocks in their order.
    pub fn of_virtuals(virtuals: &[Virtual]) -> Vec<Self> {
        counted(virtuals.iter().map(|block| &block.name))
    }

    /// Those of a block's servers in their order.
    pub fn of_servers(servers: &[Server]) -> Vec<Self> {
        counted(servers.iter().map(|server| &server.name))
    }
}

/// A thing of lvs.cf.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "item", deny_unknown_fields)]
pub enum Item {
    /// What stands outside of blocks.
    Global,
    /// A virtual block.
    Virtual {
        /// The block.
        service: Name,
    },
    /// A server of a virtual block.
    Server {
        /// The virtual block.
        service: Name,
        /// The server block.
        server: Name,
    },
}

impl Item {
    /// Where it stands; `None` when the file has no such thing.
    pub fn place(&self, config: &Config) -> Option<Place> {
        match self {
            Self::Global => Some(Place::Global),
            Self::Virtual { service } => virtual_at(config, service).map(Place::Virtual),
            Self::Server { service, server } => {
                let block = virtual_at(config, service)?;
                let servers = &config.virtuals.get(block)?.servers;
                let at = position(servers.iter().map(|server| &server.name), server)?;
                Some(Place::VirtualServer(block, at))
            }
        }
    }
}

impl std::fmt::Display for Item {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Global => f.write_str("global"),
            Self::Virtual { service } => write!(f, "virtual {service}"),
            Self::Server { service, server } => write!(f, "virtual {service} server {server}"),
        }
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.nth {
            1 => f.write_str(&self.name),
            nth => write!(f, "{} ({nth})", self.name),
        }
    }
}

fn virtual_at(config: &Config, name: &Name) -> Option<usize> {
    position(config.virtuals.iter().map(|block| &block.name), name)
}

fn position<'c>(names: impl Iterator<Item = &'c Setting<Text>>, wanted: &Name) -> Option<usize> {
    names
        .enumerate()
        .filter(|(_, name)| name.value.to_string() == wanted.name)
        .nth(wanted.nth.checked_sub(1)?)
        .map(|(at, _)| at)
}

fn counted<'c>(names: impl Iterator<Item = &'c Setting<Text>>) -> Vec<Name> {
    let mut times = std::collections::HashMap::new();
    names
        .map(|name| {
            let name = name.value.to_string();
            let nth = times.entry(name.clone()).or_insert(0_usize);
            *nth += 1;
            Name { name, nth: *nth }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "virtual a {\n server x {\n }\n}\nvirtual b {\n}\nvirtual a {\n server x {\n }\n server x {\n }\n}\n";

    #[test]
    fn names_lead_to_places_and_back() {
        let config = lvs_config::parse(FILE.as_bytes()).unwrap().config;
        for (at, service) in Name::of_virtuals(&config.virtuals).into_iter().enumerate() {
            let item = Item::Virtual {
                service: service.clone(),
            };
            assert_eq!(item.place(&config), Some(Place::Virtual(at)));
            let servers = &config.virtuals[at].servers;
            for (inner, server) in Name::of_servers(servers).into_iter().enumerate() {
                let service = service.clone();
                let item = Item::Server { service, server };
                let place = Place::VirtualServer(at, inner);
                assert_eq!(item.place(&config), Some(place), "{item}");
            }
        }
    }

    #[test]
    fn what_is_not_there_has_no_place() {
        let config = lvs_config::parse(FILE.as_bytes()).unwrap().config;
        for (name, nth) in [("a", 0), ("a", 3), ("c", 1), ("", 1), ("a", usize::MAX)] {
            let service = Name {
                name: name.to_owned(),
                nth,
            };
            assert_eq!(Item::Virtual { service }.place(&config), None);
        }
    }

    #[test]
    fn the_first_of_a_name_needs_no_number() {
        let text = r#"{"item":"server","service":{"name":"a"},"server":{"name":"x","nth":2}}"#;
        let item: Item = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&item).unwrap(), text);
    }
}
