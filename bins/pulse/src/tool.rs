//! `--check` and `--show-config`: a look at a configuration file without running anything.

use std::path::Path;
use std::process::ExitCode;

use lvs_config::check::{self, Format, Request};
use lvs_config::draw::Style;

use crate::options::Tool;
use crate::refusal::Refusal;

pub(crate) fn run(tool: &Tool, file: &Path) -> ExitCode {
    let mut request = Request {
        program: "pulse",
        format: Format::Text,
        style: Style::of_standard_error(),
    };
    match tool {
        Tool::ShowConfig => check::show_config(&request, file).print(),
        Tool::Check { format, against } => {
            request.format = match format.as_deref() {
                None | Some("text") => Format::Text,
                Some("json") => Format::Json,
                Some(other) => {
                    return Refusal::new(format!("bad argument {other}: text or json")).tell();
                }
            };
            match against {
                Some(old) => check::against(&request, file, old).print(),
                None => check::report(&request, file).print(),
            }
        }
    }
}
