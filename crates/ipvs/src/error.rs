//! What can go wrong between this crate and the kernel.
//!
//! Owns the texts that people know from ipvsadm (`ipvsadm.md` 3.4).

use std::io;

use netlink_packet_core::DecodeError;

use crate::codec::Command;

/// Why a request was not carried out, or a listing is not complete.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Add service: it is there already.
    #[error("Service already exists")]
    ServiceExists,
    /// Add or edit service: no module for the scheduler or the engine.
    #[error("Scheduler or persistence engine not found")]
    SchedulerNotFound,
    /// Edit, delete, zero or get service: there is none.
    #[error("No such service")]
    NoSuchService,
    /// Add, edit or delete server: its service is missing.
    #[error("Service not defined")]
    ServiceNotDefined,
    /// Add server: it is there already.
    #[error("Destination already exists")]
    ServerExists,
    /// Edit or delete server: there is none.
    #[error("No such destination")]
    NoSuchServer,
    /// Start daemon: one of this role runs.
    #[error("Daemon has already run")]
    DaemonRuns,
    /// Stop daemon: none of this role runs.
    #[error("No daemon is running")]
    NoDaemon,
    /// No CAP_NET_ADMIN in the initial user namespace.
    #[error("Permission denied (you must be root)")]
    Permission,
    /// EINVAL; `ipvsadm.md` 3.5 lists its causes.
    #[error("Invalid operation.  Possibly wrong module version, address not unicast, ...")]
    Invalid,
    /// IPVS is not there.
    #[error("Protocol not available")]
    NotAvailable,
    /// The kernel is short of memory.
    #[error("Memory allocation problem")]
    Memory,
    /// EOPNOTSUPP.
    #[error("Operation not supported with IPv6")]
    NotWithIpv6,
    /// EAFNOSUPPORT.
    #[error("Operation not supported with specified address family")]
    FamilyNotSupported,
    /// EMSGSIZE.
    #[error("Module is wrong version")]
    WrongModule,
    /// Any other error number of the kernel.
    #[error("{}", system_text(*.0))]
    System(i32),
    /// The socket cannot be opened.
    #[error("cannot open a netlink socket: {0}")]
    Open(io::Error),
    /// The request did not reach the kernel.
    #[error("cannot send to the kernel: {0}")]
    Send(io::Error),
    /// The socket failed while an answer was awaited.
    #[error("cannot receive from the kernel: {0}")]
    Receive(io::Error),
    /// An answer was lost or did not come in time; for a change: its outcome is not known.
    #[error("no answer from the kernel")]
    Lost,
    /// An answer was longer than the receive buffer.
    #[error("answer of the kernel cut short")]
    Truncated,
    /// The kernel says that the table changed while it was listed.
    #[error("listing interrupted by a change")]
    Interrupted,
    /// An answer that cannot be understood.
    #[error("answer of the kernel not understood: {0}")]
    Malformed(#[from] DecodeError),
}

impl Error {
    /// The error that a positive error number means as answer to a command.
    pub fn of_kernel(command: Command, errno: i32) -> Self {
        match (command, errno) {
            (Command::NewService, libc::EEXIST) => Self::ServiceExists,
            (Command::NewService | Command::SetService, libc::ENOENT) => Self::SchedulerNotFound,
            (
                Command::SetService | Command::DelService | Command::Zero | Command::GetService,
                libc::ESRCH,
            )
            | (Command::GetDest, libc::ESRCH) => Self::NoSuchService,
            (Command::NewDest | Command::SetDest | Command::DelDest, libc::ESRCH) => {
                Self::ServiceNotDefined
            }
            (Command::NewDest, libc::EEXIST) => Self::ServerExists,
            (Command::SetDest | Command::DelDest, libc::ENOENT) => Self::NoSuchServer,
            (Command::NewDaemon, libc::EEXIST) => Self::DaemonRuns,
            (Command::DelDaemon, libc::ESRCH) => Self::NoDaemon,
            (_, libc::EPERM) => Self::Permission,
            (_, libc::EINVAL) => Self::Invalid,
            (_, libc::ENOPROTOOPT) => Self::NotAvailable,
            (_, libc::ENOMEM) => Self::Memory,
            (_, libc::EOPNOTSUPP) => Self::NotWithIpv6,
            (_, libc::EAFNOSUPPORT) => Self::FamilyNotSupported,
            (_, libc::EMSGSIZE) => Self::WrongModule,
            (_, other) => Self::System(other),
        }
    }

    /// Whether asking again may help: the fault lies in the transport, not in the request.
    pub const fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Lost | Self::Truncated | Self::Interrupted | Self::Malformed(_)
        )
    }
}

/// The system's text for an error number, as `strerror` gives it.
fn system_text(errno: i32) -> String {
    let text = io::Error::from_raw_os_error(errno).to_string();
    match text.rfind(" (os error ") {
        Some(end) => text.get(..end).unwrap_or(&text).to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_numbers_have_the_systems_text() {
        for (errno, text) in [
            (libc::ERANGE, "Numerical result out of range"),
            (libc::ENODEV, "No such device"),
        ] {
            assert_eq!(Error::of_kernel(Command::NewDest, errno).to_string(), text);
        }
    }
}
