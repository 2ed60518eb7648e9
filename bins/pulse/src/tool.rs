//! What pulse does instead of running: a look at a configuration file, a word with a running one.

use std::process::ExitCode;

use lvs_config::check::{self, Format, Request};
use lvs_config::draw::Style;

use crate::ask;
use crate::options::{Options, Tool};
use crate::refusal::Refusal;

pub(crate) fn run(tool: &Tool, options: &Options) -> ExitCode {
    let file = options.config_file.as_path();
    let run_dir = || daemon::paths::run_dir(options.run_dir.as_deref());
    let mut request = Request {
        program: "pulse",
        format: Format::Text,
        style: Style::of_standard_error(),
    };
    match tool {
        Tool::Status { json } => ask::status(&run_dir(), *json),
        Tool::HandOver => ask::hand_over(&run_dir()),
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
