//! The kernel's IPVS as the program uses it.
//!
//! Owns the probe: opened at first need, so that help and argument errors ask nobody.

use std::process::Command;

use ipvs::codec::IpvsMessage;
use ipvs::{Client, Daemon, Error, Info, Link, ServerState, ServiceId, ServiceState, Timeouts};
use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, SockFlag, SockProtocol, SockType, socket};

/// What the program asks of the kernel.
pub trait Kernel {
    /// Opens the way to IPVS unless it is open, and tells version and table size.
    fn probe(&mut self) -> Result<Info, Error>;
    /// All services in the kernel's order.
    fn services(&mut self) -> Result<Vec<ServiceState>, Error>;
    /// One service.
    fn service(&mut self, id: &ServiceId) -> Result<ServiceState, Error>;
    /// The servers of a service in the kernel's order.
    fn servers(&mut self, id: &ServiceId) -> Result<Vec<ServerState>, Error>;
    /// Running connection-sync daemons.
    fn daemons(&mut self) -> Result<Vec<Daemon>, Error>;
    /// Timeouts.
    fn timeouts(&mut self) -> Result<Timeouts, Error>;
    /// Carries out changes and gives the outcome of each.
    fn execute(&mut self, requests: &[IpvsMessage]) -> Vec<Result<(), Error>>;
}

/// The running kernel, in the network namespace of this process.
#[derive(Debug, Default)]
pub struct RunningKernel {
    open: Option<(Client, Info)>,
}

/// Any open client: also one over a link that a test supplies.
impl<L: Link> Kernel for Client<L> {
    fn probe(&mut self) -> Result<Info, Error> {
        self.info()
    }

    fn services(&mut self) -> Result<Vec<ServiceState>, Error> {
        Self::services(self)
    }

    fn service(&mut self, id: &ServiceId) -> Result<ServiceState, Error> {
        Self::service(self, id)
    }

    fn servers(&mut self, id: &ServiceId) -> Result<Vec<ServerState>, Error> {
        Self::servers(self, id)
    }

    fn daemons(&mut self) -> Result<Vec<Daemon>, Error> {
        Self::daemons(self)
    }

    fn timeouts(&mut self) -> Result<Timeouts, Error> {
        Self::timeouts(self)
    }

    fn execute(&mut self, requests: &[IpvsMessage]) -> Vec<Result<(), Error>> {
        self.execute_all(requests)
    }
}

impl RunningKernel {
    fn client(&mut self) -> Result<&mut Client, Error> {
        self.probe()?;
        self.open
            .as_mut()
            .map(|(client, _)| client)
            .ok_or(Error::NotAvailable)
    }
}

fn open() -> Result<(Client, Info), Error> {
    let mut client = Client::open()?;
    let info = client.info()?;
    Ok((client, info))
}

/// Without IPVS the original falls back to a raw socket, which tells the unprivileged apart.
fn without_family() -> Error {
    let raw = socket(
        AddressFamily::Inet,
        SockType::Raw,
        SockFlag::SOCK_CLOEXEC,
        SockProtocol::Raw,
    );
    match raw {
        Err(Errno::EPERM) => Error::Permission,
        _ => Error::NotAvailable,
    }
}

impl Kernel for RunningKernel {
    fn probe(&mut self) -> Result<Info, Error> {
        if let Some((_, info)) = &self.open {
            return Ok(*info);
        }
        let opened = match open() {
            Err(Error::NotAvailable) => {
                // A kernel that did not load the module by itself; what modprobe says is for people.
                let _ = Command::new("/sbin/modprobe")
                    .args(["--", "ip_vs"])
                    .status();
                open()
            }
            outcome => outcome,
        };
        let (client, info) = match opened {
            Err(Error::NotAvailable) => return Err(without_family()),
            outcome => outcome?,
        };
        self.open = Some((client, info));
        Ok(info)
    }

    fn services(&mut self) -> Result<Vec<ServiceState>, Error> {
        self.client()?.services()
    }

    fn service(&mut self, id: &ServiceId) -> Result<ServiceState, Error> {
        self.client()?.service(id)
    }

    fn servers(&mut self, id: &ServiceId) -> Result<Vec<ServerState>, Error> {
        self.client()?.servers(id)
    }

    fn daemons(&mut self) -> Result<Vec<Daemon>, Error> {
        self.client()?.daemons()
    }

    fn timeouts(&mut self) -> Result<Timeouts, Error> {
        self.client()?.timeouts()
    }

    fn execute(&mut self, requests: &[IpvsMessage]) -> Vec<Result<(), Error>> {
        match self.client() {
            Ok(client) => client.execute_all(requests),
            Err(error) => {
                let mut outcomes = vec![Err(error)];
                outcomes.extend(requests.iter().skip(1).map(|_| Err(Error::Lost)));
                outcomes
            }
        }
    }
}
