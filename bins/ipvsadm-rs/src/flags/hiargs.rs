//! What a command line asks for, once its options are known to go together.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::time::Duration;

use ipvs::codec::{Command as Wire, IpvsMessage, config, daemon, destination, service};
use ipvs::{
    Daemon, DaemonRole, Family, Forward, Operation, Persistence, Server, ServerId, Service,
    ServiceId, Timeouts, Tunnel,
};

use super::UsageError;
use super::kinds::{Command, Opt};
use super::lowargs::{LowArgs, Method, TunnelType};
use super::matrix;

const DEFAULT_SCHEDULER: &str = "wlc";
const DEFAULT_INTERFACE: &str = "eth0";

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Print the help text.
    Help,
    /// Print the version.
    Version,
    /// Show something.
    List(Listing),
    /// Print the table as commands.
    Save {
        /// Numbers instead of names.
        numeric: bool,
    },
    /// Carry out the commands on standard input.
    Restore(Restore),
    /// Carry out the changes on standard input and answer each.
    Apply,
    /// Show the table live.
    Watch {
        /// Time from one look at the kernel's table to the next.
        every: Duration,
    },
    /// Change something.
    Change(Change),
}

/// What is done with the commands on standard input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Restore {
    /// They are carried out.
    Run {
        /// Messages begin with the number of their line.
        lines: bool,
    },
    /// Errors of all lines are told; nothing is done.
    Check,
    /// They are the table that shall be.
    Sync {
        /// A file that names the services that are looked at; all when there is none.
        only: Option<PathBuf>,
        /// The changes are printed, not made.
        dry_run: bool,
    },
}

/// A change of the kernel's IPVS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A change of the table. Without persistence the kernel keeps a mask too: `netmask` is that one.
    Table {
        /// The change.
        operation: Operation,
        /// Mask of an added or edited service.
        netmask: u32,
        /// Whether the line names a threshold.
        thresholds: bool,
    },
    /// Delete everything.
    Clear,
    /// Set counters to 0, of one service or of all.
    Zero(Option<ServiceId>),
    /// Set timeouts.
    Timeouts(Timeouts),
    /// Start a connection-sync daemon.
    StartDaemon(Daemon),
    /// Stop one; the number is sent but has no effect.
    StopDaemon(DaemonRole, u32),
}

impl Change {
    /// The request to the kernel.
    pub fn request(&self) -> IpvsMessage {
        match self {
            Self::Table {
                operation: Operation::AddService(service),
                netmask,
                ..
            } => service::change(Wire::NewService, service, Some(*netmask)),
            Self::Table {
                operation: Operation::EditService(service),
                netmask,
                ..
            } => service::change(Wire::SetService, service, Some(*netmask)),
            Self::Table {
                operation: Operation::DeleteService(id),
                ..
            } => service::delete(id),
            Self::Table {
                operation: Operation::AddServer(id, server),
                ..
            } => destination::add(id, server),
            Self::Table {
                operation: Operation::EditServer(id, server),
                ..
            } => destination::edit(id, server),
            Self::Table {
                operation: Operation::DeleteServer(id, server),
                ..
            } => destination::delete(id, server),
            Self::Clear => IpvsMessage::bare(Wire::Flush),
            Self::Zero(id) => service::zero(id.as_ref()),
            Self::Timeouts(timeouts) => config::set(timeouts),
            Self::StartDaemon(daemon) => daemon::start(daemon),
            Self::StopDaemon(role, sync_id) => daemon::stop(*role, *sync_id),
        }
    }
}

/// What is to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listing {
    /// Services and servers.
    Table(TableListing),
    /// Connections.
    Connections {
        /// Numbers instead of names.
        numeric: bool,
        /// Also data of the persistence engine.
        persistent: bool,
    },
    /// Timeouts.
    Timeouts,
    /// Connection-sync daemons.
    Daemons,
    /// Any of them, as JSON.
    Json(Box<Listing>),
}

/// How services and servers are to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableListing {
    /// What is shown of each.
    pub mode: Mode,
    /// Numbers instead of names.
    pub numeric: bool,
    /// Counters in full.
    pub exact: bool,
    /// Sorted, or in the kernel's order.
    pub sorted: bool,
    /// Only this service.
    pub service: Option<ServiceId>,
}

/// What is shown of services and servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Forwarding, weight, connections.
    Default,
    /// Also the tunnel.
    TunnelInfo,
    /// Counters.
    Stats,
    /// Counters per second.
    Rate,
    /// Thresholds.
    Thresholds,
    /// Persistent connections.
    PersistentConnections,
}

/// Checks how the options go together and completes them.
pub(super) fn resolve(mut args: LowArgs) -> Result<Action, UsageError> {
    match args.command {
        Command::Help => return Ok(Action::Help),
        Command::Version => return Ok(Action::Version),
        _ => {}
    }
    matrix::check(args.command, args.given)?;
    Ok(match args.command {
        Command::List if args.has(Opt::Json) => {
            Action::List(Listing::Json(Box::new(listing(&args)?)))
        }
        Command::List => Action::List(listing(&args)?),
        Command::Save => Action::Save {
            numeric: args.has(Opt::Numeric),
        },
        Command::Restore => Action::Restore(restore(&mut args)?),
        Command::Apply => Action::Apply,
        Command::Watch => Action::Watch {
            every: Duration::from_secs(args.interval),
        },
        Command::Add => table_change(&args, Operation::AddService(service_settings(&args)?)),
        Command::Edit => table_change(&args, Operation::EditService(service_settings(&args)?)),
        Command::Delete => table_change(&args, Operation::DeleteService(service_id(&args)?)),
        Command::AddServer => {
            let server = server_settings(&args)?;
            table_change(&args, Operation::AddServer(service_id(&args)?, server))
        }
        Command::EditServer => {
            let server = server_settings(&args)?;
            table_change(&args, Operation::EditServer(service_id(&args)?, server))
        }
        Command::DeleteServer => {
            let operation = Operation::DeleteServer(service_id(&args)?, server_id(&args)?);
            table_change(&args, operation)
        }
        Command::Clear => Action::Change(Change::Clear),
        Command::Zero => {
            let named = service_id(&args).ok().filter(|id| !means_everything(id));
            Action::Change(Change::Zero(named))
        }
        Command::Set => {
            let [tcp, tcp_fin, udp] = args.timeouts;
            Action::Change(Change::Timeouts(Timeouts { tcp, tcp_fin, udp }))
        }
        Command::StartDaemon => Action::Change(Change::StartDaemon(Daemon {
            role: args.role,
            interface: args
                .interface
                .take()
                .unwrap_or_else(|| DEFAULT_INTERFACE.to_owned()),
            sync_id: args.sync_id,
            max_length: args.max_length,
            group: args.group,
            port: args.group_port,
            ttl: args.ttl,
        })),
        Command::StopDaemon => Action::Change(Change::StopDaemon(args.role, args.sync_id)),
        Command::Help => Action::Help,
        Command::Version => Action::Version,
    })
}

fn table_change(args: &LowArgs, operation: Operation) -> Action {
    Action::Change(Change::Table {
        operation,
        netmask: args.netmask,
        thresholds: args.has(Opt::UpperThreshold) || args.has(Opt::LowerThreshold),
    })
}

/// The service; the matrix has made sure that it is there where it is needed.
fn service_id(args: &LowArgs) -> Result<ServiceId, UsageError> {
    match (args.mark, args.protocol, args.address) {
        (Some(mark), ..) => Ok(ServiceId::Mark {
            mark,
            family: args.family(),
        }),
        (None, Some(protocol), Some(address)) => Ok(ServiceId::Address {
            protocol,
            address,
            port: args.port,
        }),
        _ => Err(UsageError::refused("no service specified")),
    }
}

/// Whether `-Z` takes the service for all of them, as ipvsadm does without an address and a port.
const fn means_everything(id: &ServiceId) -> bool {
    match id {
        ServiceId::Mark { .. } => false,
        ServiceId::Address { address, port, .. } => address.is_unspecified() && *port == 0,
    }
}

fn server_id(args: &LowArgs) -> Result<ServerId, UsageError> {
    let (address, port) = args
        .server
        .ok_or_else(|| UsageError::refused("no real server specified"))?;
    Ok(ServerId { address, port })
}

fn service_settings(args: &LowArgs) -> Result<Service, UsageError> {
    let id = service_id(args)?;
    if args.mark.is_none() && args.port == 0 && args.persistence.is_none() {
        return Err(UsageError::refused(
            "Zero port specified for non-persistent service",
        ));
    }
    if args.one_packet && args.mark.is_none() && args.protocol != Some(ipvs::Protocol::Udp) {
        let text = "One-Packet Scheduling is only for UDP virtual services";
        return Err(UsageError::refused(text));
    }
    Ok(Service {
        id,
        scheduler: args
            .scheduler
            .clone()
            .unwrap_or_else(|| DEFAULT_SCHEDULER.to_owned()),
        scheduler_flags: args.flags,
        one_packet: args.one_packet,
        persistence: args.persistence.map(|timeout| Persistence {
            timeout,
            netmask: args.netmask,
        }),
        engine: args.engine.clone(),
    })
}

fn server_settings(args: &LowArgs) -> Result<Server, UsageError> {
    let mut id = server_id(args)?;
    // The kernel sends packets on with the port they came to.
    if args.mark.is_none() && args.method != Method::Masquerading {
        id.port = args.port;
    }
    if Family::of(id.address) != args.family() && args.method != Method::Ipip {
        let text = "Different address family is allowed only for tunneling servers";
        return Err(UsageError::refused(text));
    }
    let tunnel_options = [
        Opt::TunType,
        Opt::TunPort,
        Opt::TunNocsum,
        Opt::TunCsum,
        Opt::TunRemcsum,
    ];
    if args.method != Method::Ipip && tunnel_options.iter().any(|option| args.has(*option)) {
        return Err(UsageError::refused(
            "Tunnel options conflict with forward method",
        ));
    }
    matrix::check_tunnel(args.tunnel, args.given)?;
    let (port, checksum) = (args.tunnel_port, args.checksum);
    let forward = match (args.method, args.tunnel) {
        (Method::Gatewaying, _) => Forward::DirectRoute,
        (Method::Masquerading, _) => Forward::Masquerade,
        (Method::Ipip, TunnelType::Ipip) => Forward::Tunnel(Tunnel::Ipip),
        (Method::Ipip, TunnelType::Gue) => Forward::Tunnel(Tunnel::Gue { port, checksum }),
        (Method::Ipip, TunnelType::Gre) => Forward::Tunnel(Tunnel::Gre { checksum }),
    };
    Ok(Server {
        id,
        forward,
        weight: args.weight,
        upper_threshold: args.upper,
        lower_threshold: args.lower,
    })
}

fn restore(args: &mut LowArgs) -> Result<Restore, UsageError> {
    let (check, sync) = (args.has(Opt::Check), args.has(Opt::Sync));
    if check && sync {
        let text = "The option 'sync' conflicts with the 'check' option in the 'restore' command";
        return Err(UsageError::refused(text));
    }
    if !sync && (args.has(Opt::Only) || args.has(Opt::DryRun)) {
        return Err(UsageError::refused(
            "Options 'only' and 'dry-run' need the 'sync' option",
        ));
    }
    Ok(if check {
        Restore::Check
    } else if sync {
        let only = args.only.take().map(|path| OsString::from_vec(path).into());
        Restore::Sync {
            only,
            dry_run: args.has(Opt::DryRun),
        }
    } else {
        Restore::Run {
            lines: args.has(Opt::Lines),
        }
    })
}

fn listing(args: &LowArgs) -> Result<Listing, UsageError> {
    let any = |options: &[Opt]| options.iter().any(|option| args.has(*option));
    let counters = any(&[Opt::Stats, Opt::Rate, Opt::Thresholds]);
    let other = any(&[Opt::Timeout, Opt::Daemon]);
    if (counters && (other || args.has(Opt::Connection)))
        || (other && args.has(Opt::PersistentConn))
    {
        return Err(UsageError::refused("options conflicts in the list command"));
    }
    let numeric = args.has(Opt::Numeric);
    if args.has(Opt::Connection) {
        return Ok(Listing::Connections {
            numeric,
            persistent: args.has(Opt::PersistentConn),
        });
    }
    if args.has(Opt::Timeout) {
        return Ok(Listing::Timeouts);
    }
    if args.has(Opt::Daemon) {
        return Ok(Listing::Daemons);
    }
    let modes = [
        (Opt::Stats, Mode::Stats),
        (Opt::Rate, Mode::Rate),
        (Opt::Thresholds, Mode::Thresholds),
        (Opt::PersistentConn, Mode::PersistentConnections),
        (Opt::TunInfo, Mode::TunnelInfo),
    ];
    let mode = modes.iter().find(|(option, _)| args.has(*option));
    Ok(Listing::Table(TableListing {
        mode: mode.map_or(Mode::Default, |(_, mode)| *mode),
        numeric,
        exact: args.has(Opt::Exact),
        sorted: !args.has(Opt::NoSort),
        service: service_id(args).ok(),
    }))
}
