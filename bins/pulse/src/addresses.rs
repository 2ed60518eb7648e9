//! The NAT router address and the VIPs: brought up, renewed, taken down.
//!
//! Owns their order. Must not decide when.

use std::collections::BTreeSet;

use netdev::{Netdev, VipAddress};

/// Adds or renews addresses; the error texts of those that failed.
pub(crate) async fn add(netdev: &Netdev, vips: &[VipAddress]) -> Vec<String> {
    texts(netdev.add(vips).await)
}

/// Removes addresses; what is absent counts as removed.
pub(crate) async fn remove(netdev: &Netdev, vips: &[VipAddress]) -> Vec<String> {
    texts(netdev.remove(vips).await)
}

/// In the order given.
pub(crate) async fn bring_up(netdev: &Netdev, vips: &[VipAddress]) -> Vec<String> {
    promote_secondaries(vips);
    add(netdev, vips).await
}

/// Removes the one and brings up the other addresses, with no other change between.
pub(crate) async fn replace(
    netdev: &Netdev,
    old: &[VipAddress],
    new: &[VipAddress],
) -> Vec<String> {
    promote_secondaries(new);
    texts(netdev.replace(old, new).await)
}

/// Otherwise removing one VIP would remove others of its network.
fn promote_secondaries(vips: &[VipAddress]) {
    for interface in interfaces(vips) {
        if let Err(error) = netdev::sysctl::promote_secondaries(interface) {
            // The administrator may have set it for all interfaces where we may not.
            tracing::debug!("DEBUG -- {error}");
        }
    }
}

/// Each once.
pub(crate) fn interfaces(vips: &[VipAddress]) -> BTreeSet<&str> {
    vips.iter().map(|vip| vip.interface.as_str()).collect()
}

fn texts(errors: Vec<netdev::Error>) -> Vec<String> {
    errors.iter().map(ToString::to_string).collect()
}
