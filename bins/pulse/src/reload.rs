//! HUP: the file is read again, and what changed is followed (B19, B20).
//!
//! Owns the comparison of old and new. Must not touch anything before the new file is known good.

use std::path::Path;

use netdev::VipAddress;

use crate::identity::{self, Identity};
use crate::load::{self, Loaded};
use crate::plan::Plan;

/// A file that was read again and may come into force.
#[derive(Debug)]
pub(crate) struct Reloaded {
    pub(crate) loaded: Loaded,
    /// What the file changes that only a restart can follow.
    pub(crate) needs_restart: Vec<&'static str>,
}

/// Blocks; to be called in a thread of its own.
pub(crate) fn read(file: &Path, identity: &Identity) -> Result<Reloaded, String> {
    let loaded = load::load(file).map_err(|error| error.to_string())?;
    let local = identity::local_addresses().map_err(|refusal| refusal.text)?;
    let needs_restart = match Identity::new(&loaded.config, &local) {
        Ok(new) => identity.differences(&new),
        Err(_) => vec!["primary or backup"],
    };
    Ok(Reloaded {
        loaded,
        needs_restart,
    })
}

/// Addresses to take down and to bring up, in this order.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct AddressChanges {
    pub(crate) remove: Vec<VipAddress>,
    pub(crate) add: Vec<VipAddress>,
}

impl AddressChanges {
    pub(crate) fn between(old: &Plan, new: &Plan) -> Self {
        let missing = |from: &Plan, other: &Plan| {
            from.addresses()
                .filter(|vip| !other.addresses().any(|it| same(it, vip)))
                .cloned()
                .collect()
        };
        Self {
            remove: missing(old, new),
            add: missing(new, old),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.remove.is_empty() && self.add.is_empty()
    }
}

/// The lifetime is a matter of the next renewal.
fn same(one: &VipAddress, other: &VipAddress) -> bool {
    VipAddress {
        lifetime: None,
        ..one.clone()
    } == VipAddress {
        lifetime: None,
        ..other.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(vips: &[(&str, &str)], keepalive: u32) -> Plan {
        let mut text = format!(
            "primary = 10.0.0.1\nbackup = 10.0.0.2\nbackup_active = 1\nkeepalive = {keepalive}\n\
             deadtime = 10\n"
        );
        for (address, device) in vips {
            text += &format!("virtual x {{\n active = 1\n address = {address} {device}\n}}\n");
        }
        let config = lvs_config::parse(text.as_bytes()).unwrap().config;
        Plan::new(&config, &mut Vec::new()).unwrap()
    }

    #[test]
    fn only_what_differs_is_touched() {
        let old = plan(&[("10.0.0.80", "eth0:1"), ("10.0.0.81", "eth0:2")], 1);
        let new = plan(&[("10.0.0.80", "eth0:1"), ("10.0.0.81", "eth0:3")], 2);
        let changes = AddressChanges::between(&old, &new);
        let labels = |vips: &[VipAddress]| -> Vec<_> {
            vips.iter().filter_map(|vip| vip.label.clone()).collect()
        };
        assert_eq!(labels(&changes.remove), ["eth0:2"]);
        assert_eq!(labels(&changes.add), ["eth0:3"]);
        let none = AddressChanges::between(&old, &old);
        assert_eq!(
            none,
            AddressChanges {
                remove: vec![],
                add: vec![]
            }
        );
    }
}
