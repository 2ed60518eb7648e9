//! The checker's own entry in the IPVS table, when it runs without lvs: ipvsadm, called as
//! `piranha-daemons.md` 5.6 and appendix B have it, without a shell.

use crate::options::Options;
use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::process::{Command, Stdio};

/// Of a tool's complaints, as much as goes into a message.
const MOST_COMPLAINTS: u64 = 4096;

/// One server of one service.
#[derive(Debug)]
pub(crate) struct Table {
    tool: OsString,
    service: [OsString; 2],
    /// Address and port as they are told to the tool.
    server: OsString,
    /// Address and port as the kernel has them.
    entry: OsString,
    method: &'static str,
    norun: bool,
}

/// ipvsadm failed, and not because the work was done already.
#[derive(Debug)]
pub(crate) struct CommandFailed;

impl Table {
    pub(crate) fn new(options: &Options) -> Self {
        let address = options.virtual_address.clone().unwrap_or_default();
        let service = if options.mark > 0 {
            ["-f".into(), options.mark.to_string().into()]
        } else {
            let flag = if options.udp { "-u" } else { "-t" };
            let mut name = address;
            name.push(format!(":{}", options.port));
            [flag.into(), name]
        };
        // Direct routing and tunnelling cannot change the port: whatever is given, the kernel's
        // entry has the virtual one, and only so it is found when it is to be deleted (B29).
        let translated = options.method == "-m" || options.mark > 0;
        let port = if translated {
            options.real_port
        } else {
            options.port
        };
        Self {
            tool: options.ipvsadm.clone(),
            service,
            server: format!("{}:{}", options.server, options.real_port).into(),
            entry: format!("{}:{port}", options.server).into(),
            method: options.method,
            norun: options.norun,
        }
    }

    /// Adds the entry; one that is there already gets the weight (B68).
    pub(crate) fn add(&self, weight: u32) -> Result<(), CommandFailed> {
        match self.run("-a", &self.server, Some(weight)) {
            Err(complaint) if complaint.contains("exists") => {
                self.done(self.run("-e", &self.server, Some(weight)))
            }
            result => self.done(result),
        }
    }

    /// Changes the weight; an entry that somebody removed is added again (B68).
    pub(crate) fn edit(&self, weight: u32) -> Result<(), CommandFailed> {
        match self.run("-e", &self.server, Some(weight)) {
            Err(complaint) if complaint.contains("No such destination") => {
                self.done(self.run("-a", &self.server, Some(weight)))
            }
            result => self.done(result),
        }
    }

    /// Deletes the entry; one that is not there is as good (B68).
    pub(crate) fn delete(&self) -> Result<(), CommandFailed> {
        match self.run("-d", &self.entry, None) {
            Err(complaint)
                if complaint.contains("No such") && !complaint.contains("No such file") =>
            {
                Ok(())
            }
            result => self.done(result),
        }
    }

    fn done(&self, result: Result<(), String>) -> Result<(), CommandFailed> {
        result.map_err(|complaint| {
            tracing::info!("{} command failed!", self.tool.to_string_lossy());
            complaint
                .lines()
                .filter(|line| !line.is_empty())
                .for_each(|line| {
                    tracing::info!("{}: {line}", self.tool.to_string_lossy());
                });
            CommandFailed
        })
    }

    /// `Err` is what the tool wrote to standard error, or why it could not be run.
    fn run(&self, command: &str, server: &OsStr, weight: Option<u32>) -> Result<(), String> {
        if self.norun {
            return Ok(());
        }
        let mut tool = Command::new(&self.tool);
        tool.arg(command).args(&self.service).arg("-r").arg(server);
        if let Some(weight) = weight {
            tool.args([self.method, "-w", &weight.to_string()]);
        }
        tool.stdin(Stdio::null()).stderr(Stdio::piped());
        let mut child = tool.spawn().map_err(|error| error.to_string())?;
        let mut complaint = Vec::new();
        if let Some(pipe) = child.stderr.take() {
            let mut pipe = pipe.take(MOST_COMPLAINTS);
            let _ = pipe.read_to_end(&mut complaint);
            // A tool that complains without end must not wait for a reader.
            let _ = std::io::copy(&mut pipe.into_inner(), &mut std::io::sink());
        }
        match child.wait() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("{}\n{status}", String::from_utf8_lossy(&complaint))),
            Err(error) => Err(error.to_string()),
        }
    }
}
