//! From the file as it is and a wish to the file as it would be.
//!
//! Owns the serial number: one more with each real change, never without one (R12).

use lvs_config::{Config, Diagnostic, Editor, Place, parse, parse_all};

use crate::edit::{Edit, FieldError, carry_out};
use crate::programs::{Program, new_programs};

/// What is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// These edits.
    Edits(Vec<Edit>),
    /// This whole text; its serial number does not count.
    Text(Vec<u8>),
}

/// What may be asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rules {
    /// Keywords that name programs may be edited; each new value is still to be judged.
    pub programs: bool,
    /// The longest text that may come of it, in bytes.
    pub longest: usize,
}

/// A text that may replace the old one once its programs are found good.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// The text.
    pub text: Vec<u8>,
    /// What it means.
    pub config: Config,
    /// Its serial number.
    pub serial: i32,
    /// What may surprise.
    pub warnings: Vec<Diagnostic>,
    /// What is run or read as root that was not before.
    pub programs: Vec<Program>,
}

/// Why there is no proposal.
#[derive(Debug, Clone, PartialEq)]
pub enum Refusal {
    /// Nothing would change.
    Unchanged,
    /// Edits that cannot be made.
    Fields(Vec<FieldError>),
    /// The old text has errors, so only a whole text can replace it; or the new one has.
    Broken {
        /// Whether it is the new one.
        new: bool,
        /// Its errors and warnings.
        diagnostics: Vec<Diagnostic>,
    },
    /// The text is too long.
    TooLong {
        /// The most bytes.
        longest: usize,
    },
}

/// What would come of it. An absent or empty file counts as an empty configuration.
///
/// # Errors
/// [`Refusal`].
pub fn propose(old: &[u8], wanted: &Wanted, rules: Rules) -> Result<Proposal, Refusal> {
    let before = match old {
        [] => b"\n",
        old => old,
    };
    let old_config = parse_all(before).config;
    let serial = old_config.global.serial_no.value;
    let edited = match wanted {
        Wanted::Edits(edits) => edit(before, edits, rules)?,
        Wanted::Text(text) if text.len() > rules.longest => return Err(too_long(rules)),
        Wanted::Text(text) => open(text, true)?,
    };
    let text = edited.text();
    if text == before || old_config.global.serial_no.is_written() && same(&edited, before, serial) {
        return Err(Refusal::Unchanged);
    }
    let next = serial.checked_add(1).filter(|next| *next > 0).unwrap_or(1);
    let numbered = with_serial(edited, next)?;
    if numbered.text().len() > rules.longest {
        return Err(too_long(rules));
    }
    let mut text = numbered.text();
    if old.is_empty() {
        text = text.strip_prefix(before).unwrap_or(text);
    }
    let text = text.to_vec();
    // What the editor holds is what it meant to write; what counts is what the daemons will read.
    let checked = match parse(&text) {
        Ok(checked) if checked.config == numbered.config() => checked,
        _ => return Err(broken(&text, true)),
    };
    Ok(Proposal {
        programs: new_programs(&old_config, &checked.config),
        serial: next,
        config: checked.config,
        warnings: checked.warnings,
        text,
    })
}

fn edit(old: &[u8], edits: &[Edit], rules: Rules) -> Result<Editor, Refusal> {
    let mut editor = open(old, false)?;
    carry_out(&mut editor, edits, rules.programs).map_err(Refusal::Fields)?;
    Ok(editor)
}

fn open(text: &[u8], new: bool) -> Result<Editor, Refusal> {
    let control = |byte: &u8| byte.is_ascii_control() && !matches!(byte, b'\n' | b'\r' | b'\t');
    match Editor::new(text) {
        // What no field takes, no text may bring in.
        Ok(_) if new && text.iter().any(control) => Err(broken(text, new)),
        Ok(editor) => Ok(editor),
        Err(_) => Err(broken(text, new)),
    }
}

fn broken(text: &[u8], new: bool) -> Refusal {
    Refusal::Broken {
        new,
        diagnostics: parse_all(text).diagnostics,
    }
}

fn too_long(rules: Rules) -> Refusal {
    Refusal::TooLong {
        longest: rules.longest,
    }
}

/// Whether the two differ in nothing but the number.
fn same(edited: &Editor, before: &[u8], serial: i32) -> bool {
    with_serial(edited.clone(), serial).is_ok_and(|editor| editor.text() == before)
}

fn with_serial(mut editor: Editor, serial: i32) -> Result<Editor, Refusal> {
    let done = editor.set(Place::Global, "serial_no", serial.to_string());
    match done {
        Ok(()) => Ok(editor),
        Err(_) => Err(broken(editor.text(), true)),
    }
}

#[cfg(test)]
mod tests;
