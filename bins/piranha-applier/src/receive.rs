//! `--receive`: lvs.cf as the other router's applier sends it, on standard input.
//!
//! Owns the rules for a file from the partner: whole, right, and not older than the one here.

use std::io::{self, BufRead, Read, Write};
use std::process::ExitCode;

use change::digest;
use change::protocol::LONGEST_TEXT;

use crate::applier::{Applier, Replacement, checked};
use crate::partner::Header;

/// The longest line before the file.
const LONGEST_HEADER: u64 = 4096;

/// Runs to the end; what became of it is one line.
pub(crate) fn run(applier: &Applier) -> ExitCode {
    match receive(applier, &mut io::stdin().lock()) {
        Ok(text) => {
            let _ = writeln!(io::stdout(), "{text}");
            ExitCode::SUCCESS
        }
        Err(text) => {
            let _ = writeln!(io::stderr(), "piranha-applier: {text}");
            ExitCode::FAILURE
        }
    }
}

pub(crate) fn receive(applier: &Applier, input: &mut impl BufRead) -> Result<String, String> {
    let mut line = Vec::new();
    let mut text = Vec::new();
    let longest = LONGEST_TEXT as u64;
    input
        .take(LONGEST_HEADER)
        .read_until(b'\n', &mut line)
        .and_then(|_| input.take(longest + 1).read_to_end(&mut text))
        .map_err(|error| format!("the file did not arrive: {error}"))?;
    let header: Header = serde_json::from_slice(&line)
        .map_err(|error| format!("what arrived was not sent by piranha-applier: {error}"))?;
    let origin = checked(header.origin)?;
    if digest(&text) != header.digest {
        return Err("the file did not arrive as it was sent".to_owned());
    }
    let new = lvs_config::parse(&text).map_err(|error| format!("not a right lvs.cf: {error}"))?;
    let serial = new.config.global.serial_no.value;

    let turn = applier.take_turn()?;
    let current = applier.read()?;
    if current.bytes == text {
        return Ok(format!("lvs.cf is the same already (serial_no {serial})"));
    }
    let here = lvs_config::parse_all(&current.bytes)
        .config
        .global
        .serial_no
        .value;
    if here > serial {
        return Err(format!(
            "lvs.cf here is newer: serial_no {here}, not {serial}"
        ));
    }
    let replacement = Replacement {
        current: &current,
        text: &text,
        act: "receive",
        what: format!("serial_no {serial}"),
        origin: &origin,
    };
    let (_, reload) = applier.replace(&turn, &replacement)?;
    Ok(format!(
        "lvs.cf taken over (serial_no {serial}): {}",
        reload.text
    ))
}
