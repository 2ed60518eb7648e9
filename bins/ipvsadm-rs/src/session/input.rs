//! Commands on standard input: `-R` in all its forms, `--apply`, `ipvsadm-restore`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use ipvs::codec::IpvsMessage;
use ipvs::{ServiceId, diff};

use super::{DONE, KERNEL_REFUSED, NO_DATA, REFUSED, Session};
use crate::flags::{self, Action, Change, UsageError};
use crate::restore::{Line, Lines};
use crate::sync::{self, Fault};

/// Changes that are read before they are sent; as many travel together.
const BATCH: usize = 128;

/// Changes that were read but not sent, and how far the run has come.
#[derive(Default)]
struct Pending {
    numbers: Vec<usize>,
    requests: Vec<IpvsMessage>,
    /// Status of the last line, with `--apply` of the whole run.
    status: u8,
}

impl Pending {
    fn push(&mut self, number: usize, request: IpvsMessage) {
        self.numbers.push(number);
        self.requests.push(request);
    }
}

impl Session<'_> {
    /// Reads lines as they come. `each` says whether the run is over; `rest` is called before more input is
    /// waited for, so that everything that was read is done by then.
    fn read_lines(
        &mut self,
        pending: &mut Pending,
        each: impl Fn(&mut Self, &mut Pending, Line) -> bool,
        rest: impl Fn(&mut Self, &mut Pending),
    ) {
        let mut lines = Lines::default();
        let mut piece = vec![0; 64 * 1024];
        loop {
            // What cannot be read ends the input.
            let length = self.input.read(&mut piece).unwrap_or(0);
            let found = match piece.get(..length) {
                None | Some([]) => break,
                Some(piece) => lines.take(piece),
            };
            let over = found.into_iter().any(|line| each(self, pending, line));
            rest(self, pending);
            if over {
                return;
            }
        }
        if let Some(line) = lines.end() {
            each(self, pending, line);
        }
        rest(self, pending);
    }

    /// Carries out the lines of standard input as they come.
    pub(super) fn restore(&mut self, lines: bool) -> u8 {
        if let Err(status) = self.probe() {
            return status;
        }
        let mut pending = Pending::default();
        self.read_lines(
            &mut pending,
            |session, pending, line| session.restore_line(pending, line, lines),
            |session, pending| session.send(pending, lines),
        );
        pending.status
    }

    /// `true` when the line ends the run.
    fn restore_line(&mut self, pending: &mut Pending, line: Line, lines: bool) -> bool {
        let number = line.number;
        match flags::parse_line(line.words) {
            Ok(Action::Change(change)) => {
                pending.push(number, change.request());
                if pending.requests.len() == BATCH {
                    self.send(pending, lines);
                }
                false
            }
            other => {
                self.send(pending, lines);
                self.line = lines.then_some(number);
                let over = match other {
                    Ok(action) => {
                        pending.status = self.perform(&action);
                        pending.status == NO_DATA
                            || matches!(action, Action::Help | Action::Version)
                    }
                    Err(error) => {
                        pending.status = self.refuse(&error);
                        !matches!(error, UsageError::Parser { .. })
                    }
                };
                self.line = None;
                over
            }
        }
    }

    /// Sends what is pending; each refusal is told in its turn.
    fn send(&mut self, pending: &mut Pending, lines: bool) {
        let requests = std::mem::take(&mut pending.requests);
        let numbers = std::mem::take(&mut pending.numbers);
        for (outcome, number) in self.kernel.execute(&requests).into_iter().zip(numbers) {
            pending.status = DONE;
            if let Err(error) = outcome {
                self.line = lines.then_some(number);
                self.complain(error.to_string().as_bytes());
                self.line = None;
                pending.status = KERNEL_REFUSED;
            }
        }
    }

    /// Tells the errors of all lines and does nothing.
    pub(super) fn check(&mut self) -> u8 {
        let mut pending = Pending::default();
        self.read_lines(
            &mut pending,
            |session, pending, line| {
                session.line = Some(line.number);
                if let Err(error) = flags::parse_line(line.words) {
                    session.refuse(&error);
                    pending.status = REFUSED;
                }
                session.line = None;
                false
            },
            |_, _| {},
        );
        pending.status
    }

    /// Carries out changes as they come and answers each line.
    pub(super) fn apply(&mut self) -> u8 {
        if let Err(status) = self.probe() {
            return status;
        }
        let mut pending = Pending::default();
        self.read_lines(&mut pending, Self::apply_line, Self::send_and_answer);
        pending.status
    }

    fn apply_line(&mut self, pending: &mut Pending, line: Line) -> bool {
        let text = match flags::parse_line(line.words) {
            Ok(Action::Change(change)) => {
                pending.push(line.number, change.request());
                if pending.requests.len() == BATCH {
                    self.send_and_answer(pending);
                }
                return false;
            }
            Ok(_) => b"Not a change".to_vec(),
            Err(error) => error.text(&self.program),
        };
        self.send_and_answer(pending);
        self.answer(line.number, Some(&text));
        pending.status = KERNEL_REFUSED;
        // Whoever waits for an answer has it.
        !self.deliver()
    }

    fn send_and_answer(&mut self, pending: &mut Pending) {
        let requests = std::mem::take(&mut pending.requests);
        let numbers = std::mem::take(&mut pending.numbers);
        for (outcome, number) in self.kernel.execute(&requests).into_iter().zip(numbers) {
            match outcome {
                Ok(()) => self.answer(number, None),
                Err(error) => {
                    self.answer(number, Some(error.to_string().as_bytes()));
                    pending.status = KERNEL_REFUSED;
                }
            }
        }
        self.deliver();
    }

    fn answer(&mut self, number: usize, error: Option<&[u8]>) {
        match error {
            None => self.out.extend(format!("{number} ok\n").into_bytes()),
            Some(text) => {
                self.out.extend(format!("{number} error ").into_bytes());
                // One line whatever the text: the original ends one of its messages with an empty line.
                self.out.extend(text.iter().filter(|byte| **byte != b'\n'));
                self.out.push(b'\n');
            }
        }
    }

    /// Makes the table what standard input says, by the differences alone.
    pub(super) fn sync(&mut self, only: Option<&Path>, dry_run: bool) -> u8 {
        let mut text = Vec::new();
        if let Err(error) = self.input.read_to_end(&mut text) {
            self.complain(format!("cannot read standard input: {error}").as_bytes());
            return REFUSED;
        }
        let scope = match only.map(|path| self.scope(path)).transpose() {
            Ok(scope) => scope,
            Err(status) => return status,
        };
        // An error here is told below, after those of the lines.
        if let Ok(true) = sync::is_as_saved(&text, self.kernel, scope.as_ref()) {
            return DONE;
        }
        let mut desired = match sync::read_table(&text, scope.as_ref(), &self.program) {
            Ok(table) => table,
            Err(faults) => return self.tell(&faults),
        };
        if let Err(status) = self.probe() {
            return status;
        }
        let actual = match sync::actual_table(self.kernel, scope.as_ref()) {
            Ok(table) => table,
            Err(error) => {
                self.complain(error.to_string().as_bytes());
                return NO_DATA;
            }
        };
        desired.keep_unsaid(&actual);
        let operations = diff(&actual, &desired.table);
        if dry_run {
            let lines = operations.iter().map(|operation| format!("{operation}\n"));
            self.out.extend(lines.collect::<String>().into_bytes());
            return DONE;
        }
        let requests: Vec<_> = operations.iter().map(IpvsMessage::from).collect();
        let mut status = DONE;
        for (outcome, operation) in self.kernel.execute(&requests).into_iter().zip(&operations) {
            if let Err(error) = outcome {
                self.complain(format!("{error}: {operation}").as_bytes());
                status = KERNEL_REFUSED;
            }
        }
        status
    }

    fn scope(&mut self, path: &Path) -> Result<BTreeSet<ServiceId>, u8> {
        let text = fs::read(path).map_err(|error| {
            self.complain(format!("cannot read {}: {error}", path.display()).as_bytes());
            REFUSED
        })?;
        sync::read_scope(&text, &self.program).map_err(|faults| self.tell(&faults))
    }

    fn tell(&mut self, faults: &[Fault]) -> u8 {
        for fault in faults {
            self.line = Some(fault.line);
            self.complain(&fault.text);
        }
        self.line = None;
        REFUSED
    }

    /// Clears the table and carries out the lines of standard input, without those that begin with `#`:
    /// what `ipvsadm-restore` does, also with input that is empty or wrong.
    pub fn clear_and_restore(&mut self) -> u8 {
        let mut text = Vec::new();
        // What cannot be read ends the input.
        let _ = self.input.read_to_end(&mut text);
        let lines = text
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.starts_with(b"#"));
        let mut kept: Vec<u8> = lines.collect::<Vec<_>>().join(&b'\n');
        kept.push(b'\n');
        self.perform(&Action::Change(Change::Clear));
        let mut session = Session {
            program: self.program.clone(),
            kernel: self.kernel,
            input: &mut kept.as_slice(),
            stdout: self.stdout,
            out: std::mem::take(&mut self.out),
            err: self.err,
            connections: self.connections.clone(),
            warned: self.warned,
            line: None,
        };
        let status = session.restore(false);
        self.out = session.out;
        status
    }
}
