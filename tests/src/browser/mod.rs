//! The web tool as a person uses it: Debian's Chromium, driven over WebDriver, on a network with a
//! router pair inside a kernel of its own.
//!
//! The browser runs on this machine, in a network namespace with a tap device whose other end is the
//! kernel's network card; so it has no way to any other network.

mod driver;
mod inside;
mod keyboard;
mod outside;
mod pictures;
mod story;

pub use inside::inside;

use crate::error::{Error, Result};
use crate::setup;

/// What makes tap devices.
const TUN: &str = "/dev/net/tun";

/// Tells the whole story; gives what was done. As with other tests, a second attempt counts, and is
/// not hidden.
pub fn run() -> Result<String> {
    if !std::path::Path::new(TUN).exists() {
        return Err(Error::NotRun(format!("this machine has no {TUN}")));
    }
    setup::require(setup::BROWSER)?;
    setup::build()?;
    match story::tell() {
        Ok(note) => Ok(note),
        Err(Error::Interrupted) => Err(Error::Interrupted),
        Err(first) => {
            if let Error::Explained { report, .. } = &first {
                println!("{report}");
            }
            println!("the browser's story is told once more: {first}");
            let note = story::tell()?;
            Ok(format!("{note}; at the second attempt only"))
        }
    }
}
