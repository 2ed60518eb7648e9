//! What the kernel tells besides the table: counters, connections, daemons, timeouts.

use std::net::IpAddr;

use crate::{Server, Service};

/// Counters of a service or server since they were last set to 0; rates are averages per second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Connections scheduled.
    pub connections: u64,
    /// Packets from clients.
    pub in_packets: u64,
    /// Packets to clients.
    pub out_packets: u64,
    /// Bytes from clients.
    pub in_bytes: u64,
    /// Bytes to clients.
    pub out_bytes: u64,
    /// Connections per second.
    pub connection_rate: u64,
    /// Packets from clients per second.
    pub in_packet_rate: u64,
    /// Packets to clients per second.
    pub out_packet_rate: u64,
    /// Bytes from clients per second.
    pub in_byte_rate: u64,
    /// Bytes to clients per second.
    pub out_byte_rate: u64,
}

/// A service as the kernel reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceState {
    /// The service.
    pub service: Service,
    /// Its counters.
    pub counters: Counters,
}

/// A server as the kernel reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerState {
    /// The server.
    pub server: Server,
    /// Established connections.
    pub active_connections: u32,
    /// Connections in other states.
    pub inactive_connections: u32,
    /// Persistent ones.
    pub persistent_connections: u32,
    /// Its counters.
    pub counters: Counters,
}

/// Role of a connection-sync daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DaemonRole {
    /// Sends connections.
    Master,
    /// Receives connections.
    Backup,
}

/// A connection-sync daemon; `None` in a request leaves the choice to the kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Daemon {
    /// Master or backup; one of each may run.
    pub role: DaemonRole,
    /// Interface of the multicast traffic.
    pub interface: String,
    /// Number that both sides share, 0 to 255.
    pub sync_id: u32,
    /// Longest message in bytes.
    pub max_length: Option<u16>,
    /// Multicast group.
    pub group: Option<IpAddr>,
    /// UDP port.
    pub port: Option<u16>,
    /// Time to live of the packets.
    pub ttl: Option<u8>,
}

/// Timeouts of connections in seconds; 0 in a request leaves one as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Established TCP connections.
    pub tcp: u32,
    /// TCP connections after a FIN.
    pub tcp_fin: u32,
    /// UDP.
    pub udp: u32,
}

/// What the kernel tells of IPVS itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Info {
    /// 0x010201 is 1.2.1.
    pub version: u32,
    /// Entries of the connection table.
    pub table_size: u32,
}
