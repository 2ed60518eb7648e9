//! The IPVS table as values.
//!
//! Ports, marks and counts are in host order here; what the wire wants is the codec's business.
//! Facts: `ipvsadm.md` sections 1 and 4.

use std::collections::BTreeMap;
use std::net::IpAddr;

/// Transport protocol of a service that is identified by address and port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// TCP, 6.
    Tcp,
    /// UDP, 17.
    Udp,
    /// SCTP, 132.
    Sctp,
    /// Any other number that a kernel may report.
    Other(u16),
}

/// Address family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// AF_INET, 2.
    V4,
    /// AF_INET6, 10.
    V6,
}

/// What identifies a virtual service: address, port and protocol, or a firewall mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ServiceId {
    /// `-t`, `-u`, `--sctp-service`.
    Address {
        /// Transport protocol.
        protocol: Protocol,
        /// Virtual address (VIP).
        address: IpAddr,
        /// Virtual port; 0 for "any", which needs persistence.
        port: u16,
    },
    /// `-f`: two services with one mark and different families are different services.
    Mark {
        /// Firewall mark, not 0.
        mark: u32,
        /// Family of the packets.
        family: Family,
    },
}

impl ServiceId {
    /// Family of the packets that the service handles.
    pub const fn family(&self) -> Family {
        match self {
            Self::Address {
                address: IpAddr::V4(_),
                ..
            } => Family::V4,
            Self::Address {
                address: IpAddr::V6(_),
                ..
            } => Family::V6,
            Self::Mark { family, .. } => *family,
        }
    }

    /// Transport protocol; `None` for a firewall mark.
    pub const fn protocol(&self) -> Option<Protocol> {
        match self {
            Self::Address { protocol, .. } => Some(*protocol),
            Self::Mark { .. } => None,
        }
    }
}

/// Bits of the three scheduler flags in [`Service::scheduler_flags`], in the order in which they print.
pub const SCHEDULER_FLAGS: [u32; 3] = [0x08, 0x10, 0x20];

impl Family {
    /// The mask that means "each client by itself" in the form of [`Persistence::netmask`].
    pub const fn full_netmask(self) -> u32 {
        match self {
            Self::V4 => u32::MAX,
            Self::V6 => 128,
        }
    }

    /// Family of an address.
    pub const fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(_) => Self::V6,
        }
    }
}

/// A virtual service without its servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Identity.
    pub id: ServiceId,
    /// Name of the scheduler, at most 15 bytes; `none` for none.
    pub scheduler: String,
    /// The three scheduler flags as the kernel's bits 0x08, 0x10, 0x20.
    pub scheduler_flags: u32,
    /// One-packet scheduling (`-o`).
    pub one_packet: bool,
    /// Persistence.
    pub persistence: Option<Persistence>,
    /// Persistence engine (`--pe`).
    pub engine: Option<String>,
}

/// Persistence of a service (`-p`, `-M`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Persistence {
    /// Seconds, 1..=2678400.
    pub timeout: u32,
    /// IPv4: the mask as a number in host order (0xffffffff = one client each);
    /// IPv6: the prefix length.
    pub netmask: u32,
}

/// What identifies a real server within its service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerId {
    /// Address of the real server.
    pub address: IpAddr,
    /// Port in the table. Direct routing and tunnelling keep the service's port.
    pub port: u16,
}

/// Forwarding method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Forward {
    /// 0, `-m`.
    Masquerade,
    /// 1, chosen by the kernel for its own addresses.
    Local,
    /// 2, `-i`.
    Tunnel(Tunnel),
    /// 3, `-g`.
    DirectRoute,
    /// Any other number that a kernel may report.
    Other(u32),
}

/// Kind of tunnel (`--tun-type` and what belongs to it).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tunnel {
    /// IP in IP.
    Ipip,
    /// Generic UDP encapsulation.
    Gue {
        /// UDP port, not 0.
        port: u16,
        /// Checksum kind.
        checksum: Checksum,
    },
    /// GRE.
    Gre {
        /// Checksum kind.
        checksum: Checksum,
    },
}

/// Checksum of a tunnel (`--tun-nocsum`, `--tun-csum`, `--tun-remcsum`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Checksum {
    /// 0: none.
    #[default]
    None,
    /// 1: checksum.
    Plain,
    /// 2: remote checksum.
    Remote,
}

/// A real server of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Identity within the service.
    pub id: ServerId,
    /// Forwarding method.
    pub forward: Forward,
    /// Weight; 0 takes no new connections. The kernel refuses negative ones.
    pub weight: i32,
    /// Upper connection threshold, 0 for none.
    pub upper_threshold: u32,
    /// Lower connection threshold, 0 for the kernel's choice.
    pub lower_threshold: u32,
}

/// A service with its servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The service.
    pub service: Service,
    /// Its servers.
    pub servers: BTreeMap<ServerId, Server>,
}

/// A whole table.
pub type Table = BTreeMap<ServiceId, Entry>;

/// One change of the table; its text form is a line that `ipvsadm -R` reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// `-A`.
    AddService(Service),
    /// `-E`.
    EditService(Service),
    /// `-D`.
    DeleteService(ServiceId),
    /// `-a`.
    AddServer(ServiceId, Server),
    /// `-e`.
    EditServer(ServiceId, Server),
    /// `-d`.
    DeleteServer(ServiceId, ServerId),
}
