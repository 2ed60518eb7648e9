//! The options of one command line, taken from left to right.
//!
//! Checks that nothing is given twice and that each value can be read, in the order of the line: what
//! comes later may depend on what came before. How the options go together is `hiargs`' business.

use std::net::IpAddr;

use ipvs::{Checksum, DaemonRole, Family, Protocol};

use super::defs::Id;
use super::kinds::{COLUMNS, Command, Opt};
use super::popt::Parser;
use super::value::{leading_number, lenient_ipv4, multicast_group, name, number};
use super::{UsageError, Word, address};
use crate::system;

const LONGEST_TIMEOUT: i64 = 2_678_400;
const DEFAULT_PERSISTENCE: u32 = 360;
const NAME_LENGTH: usize = 15;
const ENGINE_LENGTH: usize = 16;
const FLAGS_LENGTH: usize = 127;

/// Forwarding method as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Gatewaying,
    Ipip,
    Masquerading,
}

/// Kind of tunnel as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TunnelType {
    Ipip,
    Gue,
    Gre,
}

impl TunnelType {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Ipip => "ipip",
            Self::Gue => "gue",
            Self::Gre => "gre",
        }
    }
}

/// Everything that a command line says.
#[derive(Debug)]
pub(super) struct LowArgs {
    pub(super) command: Command,
    /// Bit N: an option of column N was given.
    pub(super) given: u64,
    pub(super) role: DaemonRole,
    pub(super) timeouts: [u32; 3],
    /// Seconds between two looks of a live view.
    pub(super) interval: u64,
    pub(super) protocol: Option<Protocol>,
    pub(super) address: Option<IpAddr>,
    pub(super) port: u16,
    pub(super) mark: Option<u32>,
    pub(super) version6: bool,
    pub(super) scheduler: Option<String>,
    pub(super) persistence: Option<u32>,
    pub(super) netmask: u32,
    pub(super) one_packet: bool,
    pub(super) engine: Option<String>,
    pub(super) flags: u32,
    pub(super) server: Option<(IpAddr, u16)>,
    pub(super) method: Method,
    pub(super) weight: i32,
    pub(super) upper: u32,
    pub(super) lower: u32,
    pub(super) tunnel: TunnelType,
    pub(super) tunnel_port: u16,
    pub(super) checksum: Checksum,
    pub(super) interface: Option<String>,
    pub(super) sync_id: u32,
    pub(super) group: Option<IpAddr>,
    pub(super) group_port: Option<u16>,
    pub(super) ttl: Option<u8>,
    pub(super) max_length: Option<u16>,
    pub(super) only: Option<Word>,
    /// Names of scheduler flags, read when the scheduler is known.
    flag_names: Option<Word>,
}

impl LowArgs {
    const fn new(command: Command) -> Self {
        Self {
            command,
            given: 0,
            role: DaemonRole::Master,
            timeouts: [0; 3],
            interval: 2,
            protocol: None,
            address: None,
            port: 0,
            mark: None,
            version6: false,
            scheduler: None,
            persistence: None,
            netmask: u32::MAX,
            one_packet: false,
            engine: None,
            flags: 0,
            server: None,
            method: Method::Gatewaying,
            weight: 1,
            upper: 0,
            lower: 0,
            tunnel: TunnelType::Ipip,
            tunnel_port: 0,
            checksum: Checksum::None,
            interface: None,
            sync_id: 0,
            group: None,
            group_port: None,
            ttl: None,
            max_length: None,
            only: None,
            flag_names: None,
        }
    }

    /// Family of the service as known so far.
    pub(super) const fn family(&self) -> Family {
        match (self.address, self.version6) {
            (Some(IpAddr::V6(_)), _) | (None, true) => Family::V6,
            _ => Family::V4,
        }
    }

    /// Whether an option of this kind was given.
    pub(super) fn has(&self, option: Opt) -> bool {
        option
            .column()
            .is_some_and(|column| self.given >> column & 1 == 1)
    }
}

/// Takes a command line apart.
pub(super) fn parse(words: Vec<Word>, within_input: bool) -> Result<LowArgs, UsageError> {
    if words.is_empty() {
        return Ok(LowArgs::new(Command::List));
    }
    let mut parser = Parser::new(words);
    let Some(Ok((Id::Command(command), argument))) = parser.take() else {
        return Err(UsageError::Try);
    };
    if within_input && matches!(command, Command::Apply | Command::Watch) {
        return Err(UsageError::Try);
    }
    let mut args = LowArgs::new(command);
    if matches!(command, Command::Help | Command::Version) {
        return Ok(args);
    }
    match argument {
        Some(text) if command == Command::Watch => args.interval = interval(&text)?,
        Some(text) => args.role = daemon_role(command, &text)?,
        None => {}
    }
    while let Some(taken) = parser.take() {
        match taken {
            Ok((Id::Opt(option), argument)) => args.take(option, argument.as_deref())?,
            Ok((Id::Command(_), _)) => {
                return Err(UsageError::quoting(
                    "invalid option `",
                    &parser.last_word(),
                    "'",
                ));
            }
            Err(reason) => {
                return Err(UsageError::Parser {
                    word: parser.last_word(),
                    reason,
                });
            }
        }
    }
    args.finish(parser.into_plain())?;
    Ok(args)
}

fn interval(text: &[u8]) -> Result<u64, UsageError> {
    let refused = || {
        UsageError::quoting(
            "invalid watch interval `",
            text,
            "' specified, 1 to 3600 seconds",
        )
    };
    ranged(text, 1, 3600).ok_or_else(refused)
}

fn daemon_role(command: Command, text: &[u8]) -> Result<DaemonRole, UsageError> {
    match (text, command) {
        (b"master", _) => Ok(DaemonRole::Master),
        (b"backup", _) => Ok(DaemonRole::Backup),
        (_, Command::StartDaemon) => Err(UsageError::refused(
            "illegal start-daemon parameter specified",
        )),
        _ => Err(UsageError::refused("illegal start_daemon specified")),
    }
}

fn illegal(what: &str) -> UsageError {
    UsageError::refused(format!("illegal {what} specified"))
}

/// A number in a range that fits its type.
fn ranged<N: TryFrom<i64>>(text: &[u8], lowest: i64, highest: i64) -> Option<N> {
    number(text, lowest, highest).and_then(|value| N::try_from(value).ok())
}

fn timeout(text: &[u8], lowest: i64) -> Result<u32, UsageError> {
    ranged(text, lowest, LONGEST_TIMEOUT)
        .ok_or_else(|| UsageError::quoting("invalid timeout value `", text, "' specified"))
}

impl LowArgs {
    fn take(&mut self, option: Opt, argument: Option<&[u8]>) -> Result<(), UsageError> {
        if let Some(column) = option.column() {
            if self.has(option) {
                let name = COLUMNS.get(column).copied().unwrap_or_default();
                return Err(UsageError::refused(format!(
                    "multiple '{name}' options specified"
                )));
            }
            self.given |= 1 << column;
        }
        let text = argument.unwrap_or_default();
        match option {
            Opt::Tcp => self.take_service(Protocol::Tcp, text),
            Opt::Udp => self.take_service(Protocol::Udp, text),
            Opt::Sctp => self.take_service(Protocol::Sctp, text),
            Opt::Mark => self.take_mark(text),
            Opt::Ipv6 => self.take_version6(),
            Opt::Scheduler => {
                self.scheduler = Some(name(text, NAME_LENGTH)).filter(|name| !name.is_empty());
                Ok(())
            }
            Opt::Persistent => {
                let seconds = argument.map(|text| timeout(text, 1)).transpose()?;
                self.persistence = Some(seconds.unwrap_or(DEFAULT_PERSISTENCE));
                Ok(())
            }
            Opt::Netmask => self.take_netmask(text),
            Opt::Engine => {
                self.engine = Some(name(text, ENGINE_LENGTH)).filter(|name| !name.is_empty());
                Ok(())
            }
            Opt::SchedFlags => {
                self.flag_names = Some(text.get(..FLAGS_LENGTH).unwrap_or(text).to_vec());
                Ok(())
            }
            Opt::Ops => {
                self.one_packet = true;
                Ok(())
            }
            _ => self.take_for_server(option, text),
        }
    }

    fn take_for_server(&mut self, option: Opt, text: &[u8]) -> Result<(), UsageError> {
        let int_max = i32::MAX.into();
        match option {
            Opt::RealServer => {
                let (address, port) = address::parse(text, self.protocol)
                    .ok_or_else(|| illegal("real server address[:port]"))?;
                self.server = Some((address, port.unwrap_or(self.port)));
            }
            Opt::Gatewaying => self.method = Method::Gatewaying,
            Opt::Ipip => self.method = Method::Ipip,
            Opt::Masquerading => self.method = Method::Masquerading,
            Opt::Weight => {
                self.weight = ranged(text, 0, int_max).ok_or_else(|| illegal("weight"))?;
            }
            Opt::UpperThreshold => {
                self.upper = ranged(text, 0, int_max).ok_or_else(|| illegal("u_threshold"))?;
            }
            Opt::LowerThreshold => {
                self.lower = ranged(text, 0, int_max).ok_or_else(|| illegal("l_threshold"))?;
            }
            Opt::TunType => {
                self.tunnel = match text {
                    b"ipip" => TunnelType::Ipip,
                    b"gue" => TunnelType::Gue,
                    b"gre" => TunnelType::Gre,
                    _ => return Err(illegal("tunnel type")),
                };
            }
            Opt::TunPort => {
                self.tunnel_port = ranged(text, 1, 65535).ok_or_else(|| illegal("tunnel port"))?;
            }
            Opt::TunNocsum => self.checksum = Checksum::None,
            Opt::TunCsum => self.checksum = Checksum::Plain,
            Opt::TunRemcsum => self.checksum = Checksum::Remote,
            _ => return self.take_for_daemon(option, text),
        }
        Ok(())
    }

    fn take_for_daemon(&mut self, option: Opt, text: &[u8]) -> Result<(), UsageError> {
        match option {
            Opt::McastInterface => {
                self.interface = Some(name(text, NAME_LENGTH)).filter(|name| !name.is_empty());
            }
            Opt::Only => self.only = Some(text.to_vec()),
            Opt::SyncId => {
                self.sync_id = ranged(text, 0, 255).ok_or_else(|| illegal("syncid"))?;
            }
            Opt::McastGroup => {
                let group = multicast_group(text).map_err(|family| {
                    UsageError::quoting(&format!("invalid {family} mcast-group `"), text, "'")
                })?;
                self.group = Some(group);
            }
            Opt::McastPort => {
                let port = ranged(text, 1, 65535).ok_or_else(|| illegal("mcast-port"))?;
                self.group_port = Some(port);
            }
            Opt::McastTtl => {
                self.ttl = Some(ranged(text, 1, 255).ok_or_else(|| illegal("mcast-ttl"))?);
            }
            Opt::SyncMaxLength => {
                let length = ranged(text, 1, 65507).ok_or_else(|| illegal("sync-maxlen"))?;
                self.max_length = Some(length);
            }
            // The rest has no value; that it was given is noted.
            _ => {}
        }
        Ok(())
    }

    fn take_service(&mut self, protocol: Protocol, text: &[u8]) -> Result<(), UsageError> {
        self.protocol = Some(protocol);
        let (address, port) = address::parse(text, self.protocol)
            .ok_or_else(|| illegal("virtual server address[:port]"))?;
        self.address = Some(address);
        self.port = port.unwrap_or(0);
        if address.is_ipv6() {
            self.netmask = Family::V6.full_netmask();
        }
        Ok(())
    }

    fn take_mark(&mut self, text: &[u8]) -> Result<(), UsageError> {
        let mark = ranged(text, 1, u32::MAX.into());
        let refused = || UsageError::quoting("invalid fwmark value `", text, "' specified");
        self.mark = Some(mark.ok_or_else(refused)?);
        // Names of server ports are looked up as for TCP.
        self.protocol = Some(Protocol::Tcp);
        Ok(())
    }

    fn take_version6(&mut self) -> Result<(), UsageError> {
        if self.mark.is_none() {
            // The empty line after it is the original's.
            return Err(UsageError::refused("-6 used before -f\n"));
        }
        self.version6 = true;
        self.netmask = Family::V6.full_netmask();
        Ok(())
    }

    fn take_netmask(&mut self, text: &[u8]) -> Result<(), UsageError> {
        self.netmask = match self.family() {
            Family::V6 => leading_number(text)
                .and_then(|(bits, _)| u32::try_from(bits).ok())
                .filter(|bits| (1..=128).contains(bits))
                .ok_or_else(|| illegal("ipv6 netmask"))?,
            Family::V4 => lenient_ipv4(text)
                .or_else(|| system::host_address(text))
                .map(u32::from)
                .ok_or_else(|| illegal("virtual server persistent mask"))?,
        };
        Ok(())
    }

    /// What is done when the options are through: plain words, then scheduler flags.
    fn finish(&mut self, plain: Vec<Word>) -> Result<(), UsageError> {
        let mut plain = plain.into_iter();
        if self.command == Command::Set {
            let (Some(tcp), Some(tcp_fin), Some(udp)) = (plain.next(), plain.next(), plain.next())
            else {
                return Err(UsageError::refused(
                    "--set option requires 3 timeout values",
                ));
            };
            self.timeouts = [timeout(&tcp, 0)?, timeout(&tcp_fin, 0)?, timeout(&udp, 0)?];
        }
        if let Some(word) = plain.next() {
            return Err(UsageError::quoting("unexpected argument ", &word, ""));
        }
        if let Some(names) = self.flag_names.take() {
            self.flags = scheduler_flags(&names, self.scheduler.as_deref())?;
        }
        Ok(())
    }
}

/// The bits of scheduler flags by name; which names there are depends on the scheduler.
fn scheduler_flags(names: &[u8], scheduler: Option<&str>) -> Result<u32, UsageError> {
    let mut flags = 0;
    let parts: Vec<&[u8]> = names
        .split(|byte| *byte == b',')
        .filter(|part| !part.is_empty())
        .collect();
    if parts.is_empty() && !names.is_empty() {
        return Err(UsageError::quoting("invalid scheduler flag `", names, "'"));
    }
    for part in parts {
        let (bit, wanted) = match part {
            b"flag-1" => (0x08, None),
            b"flag-2" => (0x10, None),
            b"flag-3" => (0x20, None),
            b"sh-fallback" => (0x08, Some("sh")),
            b"sh-port" => (0x10, Some("sh")),
            b"mh-fallback" => (0x08, Some("mh")),
            b"mh-port" => (0x10, Some("mh")),
            _ => return Err(UsageError::quoting("invalid scheduler flag `", part, "'")),
        };
        if wanted.is_some() && wanted != scheduler {
            return Err(UsageError::quoting(
                "incompatible scheduler flag `",
                part,
                "'",
            ));
        }
        flags |= bit;
    }
    Ok(flags)
}
