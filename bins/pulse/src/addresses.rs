//! The NAT router address and the VIPs: brought up, renewed, taken down.
//!
//! Owns order and bounds in time. Must not decide when.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;
use netdev::{Netdev, VipAddress};

/// The kernel answers in microseconds; this is for one that does not.
const LIMIT: Duration = Duration::from_secs(1);

/// Adds or renews addresses in parallel; the error texts of those that failed.
pub(crate) async fn add(netdev: &Netdev, vips: &[VipAddress]) -> Vec<String> {
    all(vips, |vip| netdev.add(vip)).await
}

/// Removes addresses in parallel; what is absent counts as removed.
pub(crate) async fn remove(netdev: &Netdev, vips: &[VipAddress]) -> Vec<String> {
    all(vips, |vip| netdev.remove(vip)).await
}

/// The inside first: real servers must be able to answer when the first request comes.
pub(crate) async fn bring_up(
    netdev: &Netdev,
    nat_router: Option<&VipAddress>,
    vips: &[VipAddress],
) -> Vec<String> {
    promote_secondaries(nat_router.into_iter().chain(vips));
    let mut errors = Vec::new();
    if let Some(nat_router) = nat_router {
        errors = add(netdev, std::slice::from_ref(nat_router)).await;
    }
    errors.extend(add(netdev, vips).await);
    errors
}

/// Otherwise removing one VIP would remove others of its network.
fn promote_secondaries<'a>(vips: impl Iterator<Item = &'a VipAddress>) {
    let interfaces: BTreeSet<&str> = vips.map(|vip| vip.interface.as_str()).collect();
    for interface in interfaces {
        if let Err(error) = netdev::sysctl::promote_secondaries(interface) {
            // The administrator may have set it for all interfaces where we may not.
            tracing::debug!("DEBUG -- {error}");
        }
    }
}

async fn all<'a, F>(vips: &'a [VipAddress], act: impl Fn(&'a VipAddress) -> F) -> Vec<String>
where
    F: Future<Output = netdev::Result<()>>,
{
    let acts = vips.iter().map(|vip| {
        let act = tokio::time::timeout(LIMIT, act(vip));
        async move {
            match act.await {
                Ok(result) => result.err().map(|error| error.to_string()),
                Err(_) => Some(format!("{}: the kernel does not answer", vip.address)),
            }
        }
    });
    join_all(acts).await.into_iter().flatten().collect()
}
