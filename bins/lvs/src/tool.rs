//! The ipvsadm that lvs calls: which one, with which words, and what its answers mean.
//!
//! The table is read and written only here. A tool of this project takes a batch on its standard input,
//! any other one command per change (`piranha-daemons.md` appendix B).

mod call;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use daemon::child::Stdin;
use ipvs::{Operation, Table};
use lvs_config::Text;

use crate::connections::{self, Connections};
use call::{Call, Ended, name};
/// The tool's argument for a batch.
const APPLY: &str = "--apply";
/// Paths that stand for "the usual one".
const STOCK: [&str; 2] = ["/sbin/ipvsadm", "/usr/sbin/ipvsadm"];

/// Which tool, and how it is spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tool {
    /// `ipvsadm-rs`: all changes as one `--apply`, which answers line by line.
    Batch(PathBuf),
    /// A site's own: one call per change.
    Single(PathBuf),
}

impl Tool {
    /// The tool that `ipvsadm =` asks for.
    pub fn choose(ipvsadm: &Text) -> Self {
        if STOCK.iter().any(|stock| ipvsadm == *stock) {
            Self::Batch(daemon::paths::program("ipvsadm-rs"))
        } else {
            Self::Single(PathBuf::from(ipvsadm.as_os_str()))
        }
    }

    /// The program.
    pub fn path(&self) -> &Path {
        match self {
            Self::Batch(path) | Self::Single(path) => path,
        }
    }
}

/// One piece of work for the tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Job {
    /// Read the table; the text that it is known to have been, if any.
    Read(Option<Arc<str>>),
    /// Change it.
    Write(Write),
}

/// Changes, in this order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Write {
    /// `--set TCP TCPFIN UDP`.
    pub timeouts: Option<[u32; 3]>,
    /// `-C`.
    pub clear: bool,
    /// The operations.
    pub operations: Vec<Operation>,
}

impl Write {
    /// The command lines, without the program.
    pub fn lines(&self) -> Vec<String> {
        let set = self
            .timeouts
            .map(|[tcp, tcpfin, udp]| format!("--set {tcp} {tcpfin} {udp}"));
        let clear = self.clear.then(|| "-C".to_owned());
        set.into_iter()
            .chain(clear)
            .chain(self.operations.iter().map(Operation::to_string))
            .collect()
    }
}

/// Why the tool did not do its work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// It could not be started; trying again may help (no processes, no memory).
    #[error("cannot run {program}: {reason}")]
    Start {
        /// The program.
        program: String,
        /// The system's reason.
        reason: String,
        /// The program itself is missing or not executable.
        missing: bool,
    },
    /// The kernel has no IPVS or gives no permission: why, what to do, and the tool's own words.
    #[error("{0}")]
    Unusable(String),
    /// Anything else that it said.
    #[error("{program}: {message}")]
    Said {
        /// The program.
        program: String,
        /// Its own words.
        message: String,
    },
}

/// What became of a [`Write`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Written {
    /// Operations known to be done.
    pub done: Vec<Operation>,
    /// Operations known to be refused, with the tool's words.
    pub refused: Vec<(Operation, String)>,
    /// Operations that failed or were not answered, with the words about them; the table must be read.
    pub doubtful: Vec<(Operation, String)>,
    /// The tool stopped before the end.
    pub stopped: bool,
    /// `--set` failed, with the words about it.
    pub timeouts_failed: Option<String>,
    /// `-C` failed.
    pub clear_failed: bool,
}

/// The table as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// As it was known to be.
    Same,
    /// The table and its text.
    New(Table, Arc<str>),
}

/// The tool's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// To [`Job::Read`].
    Table(Result<Reading, Failure>),
    /// To [`Job::Write`].
    Written(Written),
}

/// A tool that was started for a batch to come: the start, which is most of the time that a lone change
/// takes, is done before the change is known. Its input is the one batch; without any it changes nothing.
#[derive(Debug)]
pub struct Waiting {
    tool: Tool,
    call: Call,
}

impl Waiting {
    /// Starts one, unless the tool takes single changes. One that cannot be started is none: the batch
    /// itself will tell.
    pub fn start(tool: Tool) -> Option<Self> {
        let Tool::Batch(path) = &tool else {
            return None;
        };
        let call = Call::start(path, &[APPLY.into()], Stdin::Pipe).ok()?;
        Some(Self { tool, call })
    }

    /// Waits for the end of one that was given no batch. Can be cancelled.
    pub async fn ended(&mut self) {
        self.call.ended().await;
    }
}

/// Does the work; with `waiting` a batch need not wait for the start of the tool.
pub async fn perform(tool: Tool, job: Job, waiting: Option<Waiting>) -> Outcome {
    match job {
        Job::Read(known) => Outcome::Table(read(&tool, known.as_deref()).await),
        Job::Write(write) => Outcome::Written(match &tool {
            Tool::Batch(path) => {
                let waiting = waiting.filter(|waiting| waiting.tool == tool);
                write_batch(path, write, waiting.map(|waiting| waiting.call)).await
            }
            Tool::Single(path) => write_singly(path, write).await,
        }),
    }
}

/// Reads the table with `-Sn`. A large one is parsed only when its text is not the `known` one.
pub async fn read(tool: &Tool, known: Option<&str>) -> Result<Reading, Failure> {
    let ended = call(tool.path(), &["-Sn".into()]).await?;
    if !ended.success {
        return Err(ended.failure(tool.path()));
    }
    if known == Some(&*ended.stdout) {
        return Ok(Reading::Same);
    }
    match ipvs::text::parse_table(&ended.stdout) {
        Ok(table) => Ok(Reading::New(table, ended.stdout.into())),
        Err(error) => Err(Failure::Said {
            program: name(tool.path()),
            message: format!("unreadable table: {error}"),
        }),
    }
}

/// Counts connections with `-L --json`, or the `-Ln` that any other tool has.
pub async fn count(tool: &Tool) -> Result<Connections, Failure> {
    let args: &[OsString] = match tool {
        Tool::Batch(_) => &["-L".into(), "--json".into()],
        Tool::Single(_) => &["-Ln".into()],
    };
    let ended = call(tool.path(), args).await?;
    if !ended.success {
        return Err(ended.failure(tool.path()));
    }
    match tool {
        Tool::Single(_) => Ok(connections::parse_table(&ended.stdout)),
        Tool::Batch(_) => connections::parse_json(&ended.stdout).map_err(|error| Failure::Said {
            program: name(tool.path()),
            message: format!("unreadable counts: {error}"),
        }),
    }
}

async fn write_batch(path: &Path, write: Write, waiting: Option<Call>) -> Written {
    let mut input = write.lines().join("\n");
    input.push('\n');
    let call = waiting.map_or_else(|| Call::start(path, &[APPLY.into()], Stdin::Pipe), Ok);
    let ended = match call {
        Ok(call) => call.finish(Some(input)).await,
        Err(failure) => Err(failure),
    };
    let (answers, silence) = match ended {
        Ok(ended) => (answers(&ended.stdout), ended.failure(path).to_string()),
        Err(failure) => (BTreeMap::new(), failure.to_string()),
    };
    judged(write, &name(path), &answers, &silence)
}

/// The answers of `--apply`: `NUMBER ok` or `NUMBER error TEXT`, one to each line of the input.
fn answers(text: &str) -> BTreeMap<usize, Result<(), String>> {
    let answer = |line| {
        let (number, outcome) = str::split_once(line, ' ')?;
        let outcome = match outcome {
            "ok" => Ok(()),
            _ => Err(outcome.strip_prefix("error ")?.to_owned()),
        };
        Some((number.parse().ok()?, outcome))
    };
    text.lines().filter_map(answer).collect()
}

/// What became of a batch; `silence` explains lines without an answer.
fn judged(
    write: Write,
    program: &str,
    answers: &BTreeMap<usize, Result<(), String>>,
    silence: &str,
) -> Written {
    let mut number = 0;
    let mut stopped = false;
    let mut next = || {
        number += 1;
        match answers.get(&number) {
            Some(Ok(())) => None,
            Some(Err(text)) => Some(format!("{program}: {text}")),
            None => {
                stopped = true;
                Some(silence.to_owned())
            }
        }
    };
    let mut written = Written {
        timeouts_failed: write.timeouts.and_then(|_| next()),
        clear_failed: write.clear && next().is_some(),
        ..Written::default()
    };
    for operation in write.operations {
        match next() {
            None => written.done.push(operation),
            Some(message) => written.doubtful.push((operation, message)),
        }
    }
    written.stopped = stopped;
    written
}

async fn write_singly(path: &Path, write: Write) -> Written {
    let mut written = Written::default();
    let plain = Write {
        operations: Vec::new(),
        ..write.clone()
    };
    for line in plain.lines() {
        let message = match call(path, &words(&line)).await {
            Ok(ended) if ended.success => continue,
            Ok(ended) => ended.failure(path).to_string(),
            Err(failure) => failure.to_string(),
        };
        if line == "-C" {
            written.clear_failed = true;
        } else {
            written.timeouts_failed = Some(message);
        }
    }
    for operation in write.operations {
        match call(path, &words(&operation.to_string())).await {
            Ok(ended) if ended.success || is_done_already(&operation, &ended.stderr) => {
                written.done.push(operation);
            }
            Ok(ended) => {
                let message = ended.failure(path).to_string();
                written.refused.push((operation, message));
            }
            Err(failure) => written.refused.push((operation, failure.to_string())),
        }
    }
    written
}

fn words(line: &str) -> Vec<OsString> {
    line.split(' ').map(OsString::from).collect()
}

/// "Exists" on add and "no such" on delete are what was wanted (B68).
fn is_done_already(operation: &Operation, stderr: &str) -> bool {
    match operation {
        Operation::AddService(_) | Operation::AddServer(..) => stderr.contains("already exists"),
        Operation::DeleteService(_) | Operation::DeleteServer(..) => [
            "No such service",
            "No such destination",
            "Service not defined",
        ]
        .iter()
        .any(|text| stderr.contains(text)),
        Operation::EditService(_) | Operation::EditServer(..) => false,
    }
}

/// Runs the program once, without input.
async fn call(path: &Path, args: &[OsString]) -> Result<Ended, Failure> {
    Call::start(path, args, Stdin::Null)?.finish(None).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write() -> Write {
        let table = |text| ipvs::text::parse_table(text).unwrap();
        let text = "-A -f 1 -s rr\n-a -f 1 -r 10.0.0.1:0 -m -w 1\n-A -f 2 -s rr\n";
        Write {
            timeouts: Some([900, 0, 0]),
            clear: false,
            operations: ipvs::diff(&Table::new(), &table(text)),
        }
    }

    #[test]
    fn a_failed_line_names_itself() {
        let answers = answers("1 error No space left\n2 ok\n3 error Service not defined\n4 ok\n");
        let written = judged(write(), "ipvsadm-rs", &answers, "");
        let failed = &write().operations[1];
        assert_eq!(
            written.timeouts_failed.unwrap(),
            "ipvsadm-rs: No space left"
        );
        assert_eq!(written.done.len(), 2);
        let message = "ipvsadm-rs: Service not defined".to_owned();
        assert_eq!(written.doubtful, [(failed.clone(), message)]);
        assert!(!written.stopped);
    }

    #[test]
    fn lines_without_an_answer_are_in_doubt() {
        let answers = answers("1 ok\n2 ok\nrubbish\n3 what\n");
        let written = judged(write(), "ipvsadm-rs", &answers, "killed");
        assert_eq!((written.done.len(), written.doubtful.len()), (1, 2));
        assert!(written.stopped && written.timeouts_failed.is_none());
        assert_eq!(written.doubtful[1].1, "killed");
    }
}
