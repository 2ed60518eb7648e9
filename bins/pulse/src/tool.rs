//! What pulse does instead of running: a look at a configuration file, a word with a running one.

use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use lvs_config::check::{self, Format, Request};
use lvs_config::draw::Style;
use metrics::Form;

use crate::ask;
use crate::options::{Options, Tool};
use crate::refusal::Refusal;

pub(crate) fn run(tool: &Tool, options: &Options) -> ExitCode {
    let file = options.config_file.as_path();
    let run_dir = || daemon::paths::run_dir_of_another(options.run_dir.as_deref());
    match tool {
        Tool::Status { json } => ask::status(&run_dir(), *json),
        Tool::Metrics { to } => metrics(&run_dir(), to.as_deref()),
        Tool::Reload => ask::reload(&run_dir()),
        Tool::HandOver => ask::hand_over(&run_dir()),
        Tool::ShowConfig { format } => match request(format.as_deref()) {
            Ok(request) => check::show_config(&request, file).print(),
            Err(refusal) => refusal.tell(),
        },
        Tool::Check { format, against } => match (request(format.as_deref()), against) {
            (Ok(request), Some(old)) => check::against(&request, file, old).print(),
            (Ok(request), None) => check::report(&request, file).print(),
            (Err(refusal), _) => refusal.tell(),
        },
    }
}

/// Asks nobody: works while no daemon runs, and for who may not speak to them.
fn metrics(run_dir: &Path, to: Option<&Path>) -> ExitCode {
    let read = |name: &str| daemon::status::read(&run_dir.join(name)).ok();
    let text = metrics::render(Form::Textfile, read);
    let Some(path) = to else {
        // Whoever reads may have gone.
        let _ = io::stdout().write_all(text.as_bytes());
        return ExitCode::SUCCESS;
    };
    match daemon::status::replace(path, text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("pulse: cannot write {}: {error}", path.display());
            ExitCode::FAILURE
        }
    }
}

fn request(format: Option<&str>) -> Result<Request<'static>, Refusal> {
    let format = match format {
        None | Some("text") => Format::Text,
        Some("json") => Format::Json,
        Some(other) => {
            return Err(Refusal::new(format!("bad argument {other}: text or json")));
        }
    };
    Ok(Request {
        program: "pulse",
        format,
        style: Style::of_standard_error(),
    })
}
