//! Showing things on standard output.

use std::fs::File;

use ipvs::{Daemon, DaemonRole, Error, Timeouts};

use super::{DONE, NO_DATA, Session};
use crate::flags::{Action, Listing};
use crate::json::Json;
use crate::{connections, json, list, save};

/// Why there is nothing to show.
enum Nothing {
    /// The original is silent then.
    Silent,
    /// The text for standard error.
    Told(String),
}

impl From<Error> for Nothing {
    fn from(error: Error) -> Self {
        Self::Told(error.to_string())
    }
}

impl Session<'_> {
    /// Shows what a listing or save asks for: all of it or nothing.
    pub(super) fn show(&mut self, action: &Action) -> u8 {
        let text = match action {
            Action::Save { numeric } => self.saved(*numeric),
            Action::List(Listing::Json(listing)) => {
                self.json(listing).map(|value| format!("{value}\n"))
            }
            Action::List(listing) => self.listed(listing),
            _ => Ok(String::new()),
        };
        match text {
            Ok(text) => {
                if self.out.is_empty() {
                    self.out = text.into_bytes();
                } else {
                    self.out.extend(text.into_bytes());
                }
                DONE
            }
            Err(Nothing::Silent) => NO_DATA,
            Err(Nothing::Told(text)) => {
                self.complain(text.as_bytes());
                NO_DATA
            }
        }
    }

    fn saved(&mut self, numeric: bool) -> Result<String, Nothing> {
        let mut text = String::new();
        save::print(&mut text, self.kernel, numeric)?;
        Ok(text)
    }

    fn listed(&mut self, listing: &Listing) -> Result<String, Nothing> {
        match listing {
            Listing::Table(listing) => {
                let mut text = String::new();
                list::print(&mut text, self.kernel, listing)?;
                Ok(text)
            }
            Listing::Connections {
                numeric,
                persistent,
            } => {
                let mut text = String::new();
                let file = self.connection_file()?;
                if connections::print(&mut text, file, *numeric, *persistent) {
                    Ok(text)
                } else {
                    Err(self.without_titles())
                }
            }
            Listing::Timeouts => {
                let Timeouts { tcp, tcp_fin, udp } =
                    self.kernel.timeouts().map_err(|_| Nothing::Silent)?;
                Ok(format!("Timeout (tcp tcpfin udp): {tcp} {tcp_fin} {udp}\n"))
            }
            Listing::Daemons => {
                let daemons = self.kernel.daemons().map_err(|_| Nothing::Silent)?;
                Ok(daemons.iter().map(daemon_line).collect())
            }
            Listing::Json(_) => Ok(String::new()),
        }
    }

    fn json(&mut self, listing: &Listing) -> Result<Json, Nothing> {
        match listing {
            Listing::Table(listing) => Ok(json::table(self.kernel, listing)?),
            Listing::Connections { .. } => {
                let file = self.connection_file()?;
                connections::json(file).ok_or_else(|| self.without_titles())
            }
            Listing::Timeouts => Ok(json::timeouts(&self.kernel.timeouts()?)),
            Listing::Daemons => Ok(json::daemons(&self.kernel.daemons()?)),
            Listing::Json(listing) => self.json(listing),
        }
    }

    fn connection_file(&self) -> Result<File, Nothing> {
        let path = &self.connections;
        File::open(path).map_err(|_| Nothing::Told(format!("cannot open file {}", path.display())))
    }

    fn without_titles(&self) -> Nothing {
        Nothing::Told(format!(
            "unexpected input from {}",
            self.connections.display()
        ))
    }
}

fn daemon_line(daemon: &Daemon) -> String {
    let role = match daemon.role {
        DaemonRole::Master => "master",
        DaemonRole::Backup => "backup",
    };
    let mut line = format!(
        "{role} sync daemon (mcast={}, syncid={}",
        daemon.interface, daemon.sync_id
    );
    if let Some(length) = daemon.max_length.filter(|length| *length != 0) {
        line += &format!(", maxlen={length}");
    }
    if let Some(group) = daemon.group {
        line += &format!(", group={group}");
    }
    if let Some(port) = daemon.port.filter(|port| *port != 0) {
        line += &format!(", port={port}");
    }
    if let Some(ttl) = daemon.ttl.filter(|ttl| *ttl != 0) {
        line += &format!(", ttl={ttl}");
    }
    line + ")\n"
}
