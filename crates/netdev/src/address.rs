//! IPv4 addresses of interfaces, as wanted (from lvs.cf) and as the kernel reports them, and their
//! form in netlink messages.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use netlink_packet_route::AddressFamily;
use netlink_packet_route::address::{AddressAttribute, AddressMessage, CacheInfo};

use crate::{Error, NAME_LIMIT, Result};

/// The lifetime that means "permanent" in netlink messages (`INFINITY_LIFE_TIME`).
const FOREVER: u32 = u32::MAX;

/// A virtual address as it is to be held.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct VipAddress {
    /// The address.
    pub address: Ipv4Addr,
    /// Its network's prefix length.
    pub prefix_len: u8,
    /// Broadcast address; `None` sets none.
    pub broadcast: Option<Ipv4Addr>,
    /// The interface, without alias part.
    pub interface: String,
    /// The alias (`eth0:1`) under which old tools show the address.
    pub label: Option<String>,
    /// How long the kernel keeps it without renewal; `None` is for ever. Whole seconds, at least 1.
    pub lifetime: Option<Duration>,
}

impl VipAddress {
    /// From an lvs.cf device such as `eth0:1` or `eth0` and its mask. Without mask the conventional
    /// one of the address's class applies, as with `ifconfig DEV ADDR up`; the broadcast address is
    /// `(ADDR & MASK) | !MASK` (`piranha-daemons.md` 3.8).
    pub fn new(
        address: Ipv4Addr,
        mask: Option<Ipv4Addr>,
        device: &str,
        lifetime: Option<Duration>,
    ) -> Result<Self> {
        let conventional = conventional_prefix(address).ok_or(Error::Address { address })?;
        let prefix_len = mask.map_or(Ok(conventional), prefix_of_mask)?;
        let (interface, alias) = device.split_once(':').unwrap_or((device, ""));
        Ok(Self {
            address,
            prefix_len,
            broadcast: Some(broadcast(address, prefix_len)),
            interface: interface.to_owned(),
            label: Some(device.to_owned()).filter(|_| !alias.is_empty()),
            lifetime,
        })
    }

    /// The label, unless the kernel would refuse it.
    pub fn usable_label(&self) -> Option<&str> {
        self.label
            .as_deref()
            .filter(|label| label.len() <= NAME_LIMIT)
    }

    pub(crate) fn message(&self, index: u32) -> AddressMessage {
        let mut message = self.identity(index);
        message
            .attributes
            .extend(self.broadcast.map(AddressAttribute::Broadcast));
        let label = self.usable_label().map(str::to_owned);
        message
            .attributes
            .extend(label.map(AddressAttribute::Label));
        if let Some(lifetime) = self.lifetime {
            let mut cache = CacheInfo::default();
            cache.ifa_valid = whole_seconds(lifetime);
            cache.ifa_preferred = cache.ifa_valid;
            message.attributes.push(AddressAttribute::CacheInfo(cache));
        }
        message
    }

    /// Only what the kernel finds an address by. The label is not part of it: the address may have
    /// been added without.
    pub(crate) fn identity(&self, index: u32) -> AddressMessage {
        let mut message = AddressMessage::default();
        message.header.family = AddressFamily::Inet;
        message.header.prefix_len = self.prefix_len;
        message.header.index = index;
        let address = IpAddr::V4(self.address);
        message.attributes = vec![
            AddressAttribute::Local(address),
            AddressAttribute::Address(address),
        ];
        message
    }
}

/// Rounded up, so that an address never goes earlier than said, and not 0, which the kernel refuses.
fn whole_seconds(lifetime: Duration) -> u32 {
    let seconds = lifetime
        .as_secs()
        .saturating_add(u64::from(lifetime.subsec_nanos() > 0));
    u32::try_from(seconds.max(1)).unwrap_or(FOREVER)
}

/// Prefix length of an address's class: A 8, B 16, C 24. `None` where there is no such (0.0.0.0,
/// multicast, reserved), for those cannot be an interface's address.
pub fn conventional_prefix(address: Ipv4Addr) -> Option<u8> {
    match address.octets() {
        [0, 0, 0, 0] => None,
        [0..=127, ..] => Some(8),
        [128..=191, ..] => Some(16),
        [192..=223, ..] => Some(24),
        _ => None,
    }
}

/// Number of leading ones of a mask.
pub fn prefix_of_mask(mask: Ipv4Addr) -> Result<u8> {
    let bits = u32::from(mask);
    let ones = bits.leading_ones();
    if bits.count_ones() != ones {
        return Err(Error::Mask { mask });
    }
    u8::try_from(ones).map_err(|_| Error::Mask { mask })
}

/// The highest address of the network that `address` is in.
pub fn broadcast(address: Ipv4Addr, prefix_len: u8) -> Ipv4Addr {
    let hosts = u32::MAX.checked_shr(u32::from(prefix_len)).unwrap_or(0);
    Ipv4Addr::from(u32::from(address) | hosts)
}

/// An address as the kernel has it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LocalAddress {
    /// The interface's name, without alias part.
    pub interface: String,
    /// The interface's number.
    pub index: u32,
    /// The address.
    pub address: Ipv4Addr,
    /// Its network's prefix length.
    pub prefix_len: u8,
    /// Broadcast address, when it has one.
    pub broadcast: Option<Ipv4Addr>,
    /// Alias under which it was added, when that is not the interface's name.
    pub label: Option<String>,
    /// How long it has left at the time of the report; `None` is for ever.
    pub lifetime: Option<Duration>,
}

impl LocalAddress {
    /// Whether this is the address that `vip` asks for: interface, address and prefix length.
    pub fn is(&self, vip: &VipAddress) -> bool {
        self.address == vip.address
            && self.prefix_len == vip.prefix_len
            && self.interface == vip.interface
    }

    /// `None` for what is not an IPv4 address.
    pub(crate) fn from_message(
        message: &AddressMessage,
        name_of: impl Fn(u32) -> Option<String>,
    ) -> Option<Self> {
        let (mut local, mut peer, mut broadcast, mut label) = (None, None, None, None);
        let mut valid = FOREVER;
        for attribute in &message.attributes {
            match attribute {
                AddressAttribute::Local(IpAddr::V4(address)) => local = Some(*address),
                AddressAttribute::Address(IpAddr::V4(address)) => peer = Some(*address),
                AddressAttribute::Broadcast(address) => broadcast = Some(*address),
                AddressAttribute::Label(text) => label = Some(text.clone()),
                AddressAttribute::CacheInfo(cache) => valid = cache.ifa_valid,
                _ => {}
            }
        }
        // A link that is just disappearing has no name any more; the label begins with it.
        let interface = name_of(message.header.index).or_else(|| {
            let name = label.as_deref()?.split(':').next()?;
            Some(name.to_owned())
        })?;
        Some(Self {
            index: message.header.index,
            address: local.or(peer)?,
            prefix_len: message.header.prefix_len,
            broadcast,
            label: label.filter(|label| *label != interface),
            interface,
            lifetime: (valid != FOREVER).then(|| Duration::from_secs(u64::from(valid))),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Ipv4Addr {
        text.parse().unwrap()
    }

    fn vip(ip: &str, mask: Option<&str>, device: &str) -> VipAddress {
        VipAddress::new(address(ip), mask.map(address), device, None).unwrap()
    }

    #[test]
    fn mask_of_lvs_cf_gives_prefix_and_broadcast() {
        let vip = vip("10.1.2.3", Some("255.255.255.128"), "eth0:1");
        assert_eq!(
            (vip.prefix_len, vip.broadcast),
            (25, Some(address("10.1.2.127")))
        );
        assert_eq!(
            (vip.interface.as_str(), vip.label.as_deref()),
            ("eth0", Some("eth0:1"))
        );
    }

    #[test]
    fn no_mask_means_the_class() {
        for (ip, prefix_len, broadcast) in [
            ("10.1.2.3", 8, "10.255.255.255"),
            ("172.16.2.3", 16, "172.16.255.255"),
            ("192.168.7.9", 24, "192.168.7.255"),
        ] {
            let vip = vip(ip, None, "eth1");
            assert_eq!(
                (vip.prefix_len, vip.broadcast),
                (prefix_len, Some(address(broadcast)))
            );
            assert_eq!(vip.label, None);
        }
        for ip in ["0.0.0.0", "224.0.0.1", "255.255.255.255"] {
            assert!(
                VipAddress::new(address(ip), None, "eth0", None).is_err(),
                "{ip}"
            );
        }
    }

    #[test]
    fn host_mask_and_wrong_mask() {
        let vip = vip("10.1.2.3", Some("255.255.255.255"), "eth0:1");
        assert_eq!(
            (vip.prefix_len, vip.broadcast),
            (32, Some(address("10.1.2.3")))
        );
        let refused = VipAddress::new(
            address("10.1.2.3"),
            Some(address("255.0.255.0")),
            "eth0",
            None,
        );
        assert_eq!(
            refused.unwrap_err().to_string(),
            "255.0.255.0 is not a network mask"
        );
    }

    #[test]
    fn overlong_label_is_not_used() {
        assert_eq!(
            vip("10.0.0.1", None, "interface1:2345").usable_label(),
            Some("interface1:2345")
        );
        assert_eq!(
            vip("10.0.0.1", None, "interface1:23456").usable_label(),
            None
        );
    }

    #[test]
    fn lifetime_is_rounded_up_to_whole_seconds() {
        for (milliseconds, seconds) in [(0, 1), (1, 1), (1000, 1), (1001, 2), (5000, 5)] {
            assert_eq!(whole_seconds(Duration::from_millis(milliseconds)), seconds);
        }
        assert_eq!(whole_seconds(Duration::MAX), FOREVER);
    }

    #[test]
    fn message_read_back_is_the_address() {
        let mut vip = vip("10.1.2.3", Some("255.255.255.0"), "eth0:1");
        vip.lifetime = Some(Duration::from_secs(5));
        let local =
            LocalAddress::from_message(&vip.message(7), |_| Some("eth0".to_owned())).unwrap();
        assert!(local.is(&vip));
        assert_eq!((local.index, local.label.as_deref()), (7, Some("eth0:1")));
        assert_eq!(local.lifetime, vip.lifetime);
        let gone = LocalAddress::from_message(&vip.message(7), |_| None).unwrap();
        assert_eq!(gone.interface, "eth0");
    }
}
