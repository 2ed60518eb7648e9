//! `lvs-convert`: writes an lvs.cf that does what a keepalived.conf or an ldirectord.cf did, and
//! names what it could not carry over.
//!
//! Touches no network and no table; the files are all it reads.

use std::ffi::OsString;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use lvs_config::draw::Style;

mod build;
mod check;
mod draft;
mod keepalived;
mod ldirectord;
mod notes;
mod options;
mod source;
#[cfg(test)]
mod tests;

pub use options::command;

use notes::{Fault, Notes};
use options::Options;
use source::Sources;

/// What can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// keepalived.conf
    Keepalived,
    /// ldirectord.cf
    Ldirectord,
}

impl Format {
    /// As the text looks.
    fn of(text: &str) -> Option<Self> {
        let first = |line: &str| {
            let word = line
                .split(|c: char| c.is_whitespace() || c == '=' || c == '{')
                .next();
            match word? {
                "virtual" | "virtual6" if line.contains('=') => Some(Self::Ldirectord),
                "virtual_server"
                | "vrrp_instance"
                | "global_defs"
                | "virtual_server_group"
                | "vrrp_sync_group"
                | "vrrp_script"
                | "include" => Some(Self::Keepalived),
                _ => None,
            }
        };
        text.lines().find_map(|line| first(line.trim()))
    }
}

/// Runs the program with its arguments, its own name first.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let options = match Options::parse(args) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let mut sources = Sources::default();
    let mut notes = Notes::default();
    let style = Style::of_standard_error();
    let converted = sources
        .read(&options.file)
        .and_then(|file| convert(file, &options, &mut sources, &mut notes))
        .and_then(|text| write(&text, &options));
    let (said, status) = match converted {
        Ok(()) => (notes.text(&sources, style), ExitCode::SUCCESS),
        Err(fault) => {
            let said = notes.text(&sources, style) + &fault.text(&sources, style);
            (said, ExitCode::FAILURE)
        }
    };
    // Nobody is left to be told when standard error is closed.
    let _ = std::io::stderr().write_all(said.as_bytes());
    status
}

/// What becomes of a text that stands in no file, with `args` as on the command line: the new file, or
/// what is wrong; then all that is said about the old one. Its includes are looked for in `folder`.
pub fn convert_text(
    text: &str,
    folder: &Path,
    args: &[&str],
    style: Style,
) -> (Result<Vec<u8>, String>, String) {
    let words = [notes::PROGRAM, "-"]
        .into_iter()
        .chain(args.iter().copied());
    let Ok(options) = Options::parse(words) else {
        return (Err("these options are refused".to_owned()), String::new());
    };
    let mut sources = Sources::default();
    let mut notes = Notes::default();
    let file = sources.add("-", folder.to_owned(), text.to_owned());
    let converted = convert(file, &options, &mut sources, &mut notes)
        .map_err(|fault| fault.text(&sources, style));
    (converted, notes.text(&sources, style))
}

/// The text of lvs.cf for file number `file`.
fn convert(
    file: usize,
    options: &Options,
    sources: &mut Sources,
    notes: &mut Notes,
) -> Result<Vec<u8>, Fault> {
    options.validate()?;
    let name = options.file.display().to_string();
    let format = options.from.or_else(|| Format::of(sources.text(file)));
    let format = format.ok_or_else(|| {
        let text = format!("{name} looks like neither keepalived.conf nor ldirectord.cf");
        Fault::general(
            text,
            "say which with --from keepalived or --from ldirectord",
        )
    })?;
    let draft = match format {
        Format::Keepalived => keepalived::read(file, sources, notes)?,
        Format::Ldirectord => ldirectord::read(file, sources.text(file), notes)?,
    };
    if draft.services.is_empty() {
        let text = format!("{name} has no virtual service that lvs.cf could have");
        return Err(Fault::general(text, "nothing was written"));
    }
    let body = build::text(&draft, options, notes);
    let body =
        body.map_err(|error| Fault::general(format!("{name}: {error}"), "please report it"))?;
    let mut text =
        b"# Written by lvs-convert. On standard error it named what it could not carry over.\n"
            .to_vec();
    text.extend(body);
    Ok(text)
}

fn write(text: &[u8], options: &Options) -> Result<(), Fault> {
    let Some(path) = &options.output else {
        let result = std::io::stdout()
            .write_all(text)
            .and_then(|()| std::io::stdout().flush());
        return result.map_err(|error| Fault::general(format!("cannot write: {error}"), ""));
    };
    save(text, path, options.force).map_err(|error| {
        let help = match error.kind() {
            std::io::ErrorKind::AlreadyExists => "--force replaces it",
            _ => "nothing was written",
        };
        Fault::general(format!("cannot write {}: {error}", path.display()), help)
    })
}

/// The whole file appears at once, or not at all.
fn save(text: &[u8], path: &Path, force: bool) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
    file.write_all(text)?;
    file.as_file()
        .set_permissions(std::fs::Permissions::from_mode(0o644))?;
    file.as_file().sync_all()?;
    let kept = if force {
        file.persist(path)
    } else {
        file.persist_noclobber(path)
    };
    kept.map(|_| ()).map_err(|error| error.error)
}
