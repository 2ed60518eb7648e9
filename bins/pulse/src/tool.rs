//! `--check` and `--show-config`: a look at a configuration file without running anything.

use std::path::Path;
use std::process::ExitCode;

use crate::load;
use crate::options::Tool;
use crate::refusal::Refusal;

/// A file to be looked at may be larger than one to be run.
const LIMIT: u64 = 64 * 1024 * 1024;

pub(crate) fn run(tool: &Tool, file: &Path) -> ExitCode {
    let bytes = match load::read(file, LIMIT) {
        Ok(bytes) => bytes,
        Err(error) => {
            return Refusal::new(format!("failed to open {}: {error}", file.display())).tell();
        }
    };
    match tool {
        Tool::ShowConfig => match lvs_config::parse(&bytes) {
            Ok(checked) => {
                print!("{}", lvs_config::show::text(&checked.config));
                ExitCode::SUCCESS
            }
            Err(error) => {
                eprintln!("{}", error.first_line("pulse", &file.display().to_string()));
                ExitCode::from(1)
            }
        },
        Tool::Check { .. } => {
            let parsed = lvs_config::parse_all(&bytes);
            for diagnostic in &parsed.diagnostics {
                println!("{}: {diagnostic}", file.display());
            }
            ExitCode::from(u8::from(parsed.has_errors()))
        }
    }
}
