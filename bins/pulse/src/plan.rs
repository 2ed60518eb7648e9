//! What lvs.cf asks of pulse, as values: addresses, times, commands, sync daemon.
//!
//! Owns the choice and order of addresses (`piranha-daemons.md` 3.8). Must not carry anything out.

use std::ffi::OsString;
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use heartbeat::auth::{Keys, Mode};
use lvs_config::{Address, Config, Global, HeartbeatAuth, Network, Setting};
use netdev::VipAddress;

use crate::command;
use crate::load::{self, resolve};

/// Paths of the tool that mean "whatever this system has".
const STOCK_IPVSADM: [&str; 2] = ["/sbin/ipvsadm", "/usr/sbin/ipvsadm"];

/// Two keys and a remark.
const KEY_FILE_LIMIT: u64 = 64 * 1024;

/// Everything that pulse itself takes from lvs.cf, apart from who the routers are.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Plan {
    pub(crate) keepalive: Duration,
    pub(crate) deadtime: Duration,
    pub(crate) serial: i32,
    pub(crate) has_backup: bool,
    pub(crate) nat_router: Option<VipAddress>,
    /// Under NAT, answers find their way without an address of ours.
    pub(crate) lacks_nat_router: bool,
    /// Each distinct VIP of the active services, in the order of the file.
    pub(crate) vips: Vec<VipAddress>,
    pub(crate) lifetime: Option<Duration>,
    pub(crate) monitor_links: bool,
    /// Addresses that are pinged before a take-over.
    pub(crate) witnesses: Vec<Ipv4Addr>,
    /// How long the primary is to be healthy before it asks for its role back.
    pub(crate) failback: Option<Duration>,
    /// `heartbeat_key`, and what is asked of the partner with it.
    pub(crate) auth: Option<Auth>,
    pub(crate) arp_interval: Option<Duration>,
    pub(crate) active_cmd: Option<Vec<OsString>>,
    pub(crate) inactive_cmd: Option<Vec<OsString>>,
    /// lvs checks while the partner serves.
    pub(crate) standby_checks: bool,
    /// No tool of the site's own is named.
    pub(crate) stock_ipvsadm: bool,
    pub(crate) sync: Option<SyncPlan>,
}

/// Keys of heartbeats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Auth {
    pub(crate) keys: Keys,
    pub(crate) mode: Mode,
}

/// The kernel's connection sync daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SyncPlan {
    pub(crate) ipvsadm: PathBuf,
    pub(crate) interface: OsString,
    pub(crate) id: u32,
}

impl Plan {
    /// May resolve names, hence block. What may surprise is added to `warnings`.
    pub(crate) fn new(config: &Config, warnings: &mut Vec<String>) -> Result<Self, String> {
        let global = &config.global;
        let lifetime = global.vip_lifetime();
        if *global.backup_active && !config.has_backup() {
            warnings.push("Undefined backup node marked as active? -- clearing that!".to_owned());
        }
        let nat_router = match &global.nat_router.value {
            Some(address) if *global.network == Network::Nat => {
                Some(vip(address, *global.nat_nmask, lifetime)?)
            }
            _ => None,
        };
        let mut vips: Vec<VipAddress> = Vec::new();
        for block in config.active_blocks() {
            let Some(address) = &block.address.value else {
                continue;
            };
            let vip = vip(address, *block.vip_nmask, lifetime)?;
            if !vips.iter().any(|other| other.address == vip.address) {
                vips.push(vip);
            }
        }
        let witnesses = global.witness.value.iter();
        let witnesses = witnesses.map(resolve).collect::<Result<_, _>>()?;
        let seconds =
            |setting: u32| Some(Duration::from_secs(setting.into())).filter(|time| !time.is_zero());
        let plan = Self {
            keepalive: global.keepalive(),
            deadtime: global.deadtime(),
            serial: *global.serial_no,
            has_backup: config.has_backup(),
            lacks_nat_router: *global.network == Network::Nat && nat_router.is_none(),
            nat_router,
            vips,
            lifetime,
            auth: auth(global, warnings)?,
            monitor_links: *global.monitor_links != 0,
            witnesses,
            failback: seconds(*global.failback),
            arp_interval: seconds(*global.arp_interval),
            active_cmd: words(&global.active_cmd),
            inactive_cmd: words(&global.inactive_cmd),
            standby_checks: *global.standby_checks,
            stock_ipvsadm: has_stock_ipvsadm(global),
            sync: sync(global),
        };
        plan.warn_of_shared_labels(warnings);
        Ok(plan)
    }

    /// All addresses, the NAT router address first.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = &VipAddress> {
        self.nat_router.iter().chain(&self.vips)
    }

    /// Addresses are kept apart by themselves, but old tools show one per label (B37).
    fn warn_of_shared_labels(&self, warnings: &mut Vec<String>) {
        let all: Vec<&VipAddress> = self.addresses().collect();
        for (index, vip) in all.iter().enumerate() {
            let twin = all.iter().take(index).find(|other| {
                vip.label.is_some() && other.label == vip.label && other.address != vip.address
            });
            if let (Some(twin), Some(label)) = (twin, &vip.label) {
                warnings.push(format!(
                    "{label} is the device of both {} and {}: old tools show only one of them",
                    twin.address, vip.address
                ));
            }
        }
    }
}

fn vip(
    address: &Address,
    mask: Option<Ipv4Addr>,
    lifetime: Option<Duration>,
) -> Result<VipAddress, String> {
    let ip = resolve(&address.host)?;
    VipAddress::new(ip, mask, &address.device, lifetime).map_err(|error| error.to_string())
}

fn words(text: &Setting<Option<lvs_config::Text>>) -> Option<Vec<OsString>> {
    let words = command::words(text.value.as_ref()?.as_bytes());
    Some(words).filter(|words| !words.is_empty())
}

/// Reads the key file, which nobody else should be able to.
fn auth(global: &Global, warnings: &mut Vec<String>) -> Result<Option<Auth>, String> {
    let Some(file) = &global.heartbeat_key.value else {
        return Ok(None);
    };
    let file = Path::new(file.as_os_str());
    let name = file.display();
    let bytes = load::read(file, KEY_FILE_LIMIT)
        .map_err(|error| format!("cannot read heartbeat_key {name}: {error}"))?;
    let keys = Keys::parse(&bytes).map_err(|error| format!("heartbeat_key {name}: {error}"))?;
    let open = file
        .metadata()
        .is_ok_and(|data| data.permissions().mode() & 0o077 != 0);
    if open {
        warnings.push(format!(
            "heartbeat_key {name} can be read by others: chmod 600"
        ));
    }
    let mode = match *global.heartbeat_auth {
        HeartbeatAuth::Send => Mode::Send,
        HeartbeatAuth::Permissive => Mode::Permissive,
        HeartbeatAuth::Enforce => Mode::Enforce,
    };
    Ok(Some(Auth { keys, mode }))
}

fn has_stock_ipvsadm(global: &Global) -> bool {
    STOCK_IPVSADM
        .iter()
        .any(|stock| global.ipvsadm.value == **stock)
}

fn sync(global: &Global) -> Option<SyncPlan> {
    let ipvsadm = if has_stock_ipvsadm(global) {
        daemon::paths::program("ipvsadm-rs")
    } else {
        PathBuf::from(global.ipvsadm.as_os_str())
    };
    (*global.syncdaemon).then(|| SyncPlan {
        ipvsadm,
        interface: global.syncd_iface.as_os_str().to_owned(),
        // The kernel has eight bits for it, and so had the original.
        id: *global.syncd_id & 0xff,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\
primary = 10.0.0.1
backup = 10.0.0.2
backup_active = 1
keepalive = 1
deadtime = 4
network = nat
nat_router = 10.1.0.254 eth1:1
nat_nmask = 255.255.255.0
active_cmd = \"/bin/echo 'a b' c\"
syncdaemon = 1
syncd_id = 300
virtual off {
  address = 10.0.0.80 eth0:9
}
virtual web {
  active = 1
  address = 10.0.0.80 eth0:1
  vip_nmask = 255.255.255.0
}
virtual tls {
  active = 1
  address = 10.0.0.80 eth0:2
  port = 443
}
virtual other {
  active = 1
  address = 192.168.5.1 eth0:1
}
";

    fn plan(text: &str) -> (Plan, Vec<String>) {
        let mut warnings = Vec::new();
        let config = lvs_config::parse(text.as_bytes()).unwrap().config;
        (Plan::new(&config, &mut warnings).unwrap(), warnings)
    }

    #[test]
    fn each_distinct_vip_of_active_services_with_the_first_ones_device() {
        let (plan, warnings) = plan(FILE);
        let shown: Vec<String> = plan
            .addresses()
            .map(|vip| {
                let label = vip.label.clone().unwrap_or_default();
                format!("{}/{} {label}", vip.address, vip.prefix_len)
            })
            .collect();
        assert_eq!(
            shown,
            [
                "10.1.0.254/24 eth1:1",
                "10.0.0.80/24 eth0:1",
                "192.168.5.1/24 eth0:1"
            ]
        );
        assert_eq!(plan.lifetime, Some(Duration::from_secs(3)));
        assert!(
            warnings
                .iter()
                .any(|text| text.starts_with("eth0:1 is the device of both"))
        );
    }

    #[test]
    fn nat_router_belongs_to_nat_only() {
        let (plan, _) = plan(&FILE.replace("network = nat", "network = direct"));
        assert_eq!(plan.nat_router, None);
    }

    #[test]
    fn commands_and_sync_daemon() {
        let (plan, _) = plan(FILE);
        assert_eq!(
            plan.active_cmd,
            Some(["/bin/echo", "a b", "c"].map(OsString::from).to_vec())
        );
        assert_eq!(plan.inactive_cmd, None);
        assert_eq!(plan.sync.map(|sync| sync.id), Some(44));
    }

    #[test]
    fn an_undefined_backup_is_no_backup() {
        let (plan, warnings) = plan(&FILE.replace("backup = 10.0.0.2", "backup = 0.0.0.0"));
        assert!(!plan.has_backup);
        assert_eq!(plan.lifetime, None);
        assert_eq!(
            warnings.first().map(String::as_str),
            Some("Undefined backup node marked as active? -- clearing that!")
        );
    }
}
