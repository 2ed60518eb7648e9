//! Kernel settings of interfaces, in the calling thread's network namespace.

use std::path::Path;

use crate::{Error, Result, index_of};

/// Has the kernel keep the other addresses of a subnet when the first one is removed from
/// `interface`. By default it removes them all, so one VIP would take the others with it.
pub fn promote_secondaries(interface: &str) -> Result<()> {
    index_of(interface)?;
    let path = Path::new("/proc/sys/net/ipv4/conf")
        .join(interface)
        .join("promote_secondaries");
    std::fs::write(&path, "1\n").map_err(|source| Error::Setting { path, source })
}
