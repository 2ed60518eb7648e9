//! The manual pages are drawn without a warning.

use std::process::Command;

use crate::ensure;
use crate::error::{Context, Result};
use crate::setup;

/// Draws each page; gives their number.
pub(crate) fn run() -> Result<String> {
    setup::require(setup::GROFF)?;
    let folder = setup::workspace().join("docs/man");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).during("listing the manual pages")? {
        let page = entry.during("listing the manual pages")?.path();
        let drawn = Command::new("groff")
            .args(["-ww", "-man", "-Tutf8"])
            .arg(&page)
            .output()
            .during("running groff")?;
        let said = String::from_utf8_lossy(&drawn.stderr);
        ensure!(
            drawn.status.success() && said.is_empty() && drawn.stdout.len() > 1000,
            "{}: {}: {said}",
            page.display(),
            drawn.status
        );
        count += 1;
    }
    ensure!(count > 0, "there are no manual pages");
    Ok(format!("{count} pages"))
}
