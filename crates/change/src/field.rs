//! What a single name or value must look like to be taken from a form (R9).
//!
//! Owns the rules beyond lvs.cf's own types. Stricter than the daemons: an original must read what
//! is written here in the same way.

use std::net::Ipv4Addr;

use lvs_config::Level;

/// The longest value; the original form took 255 characters.
const LONGEST_VALUE: usize = 1024;
/// The longest name of a block.
const LONGEST_NAME: usize = 64;
/// The longest name of an interface and alias that the kernel takes.
const LONGEST_DEVICE: usize = 15;

/// Why the name cannot be a block's, if it cannot.
pub fn refuse_name(name: &str) -> Option<String> {
    let bad = |c: char| c.is_whitespace() || c.is_control() || "{}#\"'=\\/".contains(c);
    if name.is_empty() {
        Some("a name is needed".to_owned())
    } else if name.len() > LONGEST_NAME {
        Some(format!("longer than {LONGEST_NAME} bytes"))
    } else {
        name.chars().find(|c| bad(*c)).map(|c| {
            let c = c.escape_default();
            format!("a name must not contain {c}: no blanks, braces, quotes, slashes, # or =")
        })
    }
}

/// Why the value cannot be this keyword's, if it cannot. What lvs.cf itself refuses is found later.
pub fn refuse_value(level: Level, keyword: &str, value: &str) -> Option<String> {
    if let Some(c) = value.chars().find(|c| c.is_control()) {
        let c = c.escape_default();
        return Some(format!("must be one line of printable characters, not {c}"));
    }
    if value.len() > LONGEST_VALUE {
        return Some(format!("longer than {LONGEST_VALUE} bytes"));
    }
    match (level, keyword) {
        (_, "port" | "heartbeat_port") => refuse_number(value, 1, 65_535),
        (_, "weight") => refuse_number(value, 0, 65_535),
        (_, "syncd_id") => refuse_number(value, 0, 255),
        (Level::Virtual, "address") | (Level::Global, "nat_router") => refuse_floating(value),
        (_, "syncd_iface") => refuse_device(value),
        (
            _,
            "address" | "primary" | "primary_private" | "backup" | "backup_private"
            | "sorry_server",
        ) => refuse_host(value),
        (_, "witness") => value.split_whitespace().find_map(refuse_host),
        _ => None,
    }
}

fn refuse_number(value: &str, least: u32, most: u32) -> Option<String> {
    match value.parse::<u32>() {
        Ok(number) if (least..=most).contains(&number) => None,
        _ => Some(format!("must be a number from {least} to {most}")),
    }
}

fn refuse_floating(value: &str) -> Option<String> {
    match value.split_whitespace().collect::<Vec<_>>().as_slice() {
        [host, device] => refuse_host(host).or_else(|| refuse_device(device)),
        _ => Some("must be an address and a device, such as 192.0.2.80 eth0:1".to_owned()),
    }
}

fn refuse_host(value: &str) -> Option<String> {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && label
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
    };
    let numeric = value.chars().all(|c| c.is_ascii_digit() || c == '.');
    let fits = if numeric {
        value.parse::<Ipv4Addr>().is_ok()
    } else {
        value.len() <= 253 && value.split('.').all(label)
    };
    (!fits).then(|| "must be an IPv4 address such as 192.0.2.80, or a host name".to_owned())
}

fn refuse_device(value: &str) -> Option<String> {
    let fits = !value.is_empty()
        && value.len() <= LONGEST_DEVICE
        && value
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | ':' | '@'));
    (!fits).then(|| {
        format!("must be the name of a device such as eth0:1, at most {LONGEST_DEVICE} characters")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r9_names_that_daemons_would_read_differently_are_refused() {
        for good in ["web", "web_1", "[server_name]", "서비스", "a-b.c"] {
            assert_eq!(refuse_name(good), None, "{good}");
        }
        let long = "x".repeat(65);
        for bad in [
            "", "a b", "a{", "}", "#a", "a\"b", "a'b", "a=b", "a\nb", "a\0b", "a\\b", "a/b", &long,
        ] {
            assert!(refuse_name(bad).is_some(), "{bad:?}");
        }
    }

    #[test]
    fn r9_values_of_fields() {
        let refused = |level, keyword, value: &str| refuse_value(level, keyword, value).is_some();
        for (keyword, good, bad) in [
            ("port", "80", "0"),
            ("port", "65535", "65536"),
            ("port", "1", "-1"),
            ("address", "192.0.2.1 eth0:1", "192.0.2.1"),
            ("address", "vip.example.com eth0.5:1", "192.0.2.256 eth0:1"),
            ("address", "192.0.2.1 bond0", "192.0.2.1 eth0:1;reboot"),
            (
                "send",
                "GET / HTTP/1.0\\r\\n\\r\\n",
                "GET\nsend_program = /x",
            ),
            ("expect", "{ok}", "a\0b"),
            ("sorry_server", "192.0.2.9", "-oProxyCommand=x"),
        ] {
            assert!(!refused(Level::Virtual, keyword, good), "{keyword} {good}");
            assert!(refused(Level::Virtual, keyword, bad), "{keyword} {bad}");
        }
        assert!(!refused(Level::Server, "address", "10.0.0.1"));
        assert!(refused(Level::Server, "address", "10.0.0.1 eth0"));
        assert!(refused(Level::Server, "weight", "65536"));
        assert!(refused(Level::Virtual, "send", &"x".repeat(1025)));
    }
}
