//! lvs.cf, keepalived.conf and ldirectord.cf for many servers on the loopback, the same in all.

use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::path::Path;

/// Servers of one service.
const SERVERS: usize = 50;

/// How the servers are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    /// A connection.
    Connect,
    /// A request and its answer.
    Web,
}

/// What is in the file.
#[derive(Debug, Clone)]
pub(super) struct Services {
    /// Servers in all.
    pub(super) servers: usize,
    /// Pause between checks and limit of each, in seconds.
    pub(super) seconds: u32,
    pub(super) check: Check,
    /// Weight of the first server; all others have 10.
    pub(super) first_weight: u32,
    /// Further global lines.
    pub(super) globals: Vec<String>,
    /// Further lines of each service.
    pub(super) lines: Vec<String>,
}

impl Services {
    pub(super) fn new(servers: usize, seconds: u32, check: Check) -> Self {
        Self {
            servers,
            seconds,
            check,
            first_weight: 10,
            globals: Vec::new(),
            lines: Vec::new(),
        }
    }

    /// Adds a line to each service.
    pub(super) fn with(mut self, line: &str) -> Self {
        self.lines.push(line.to_owned());
        self
    }

    fn blocks(&self) -> impl Iterator<Item = (Ipv4Addr, std::ops::Range<usize>)> {
        let servers = self.servers;
        (0..servers.div_ceil(SERVERS)).map(move |block| {
            let first = block * SERVERS;
            (virtual_address(block), first..servers.min(first + SERVERS))
        })
    }

    fn weight(&self, server: usize) -> u32 {
        if server == 0 { self.first_weight } else { 10 }
    }

    /// As lvs.cf.
    pub(super) fn lvs_cf(&self) -> String {
        let mut text = "primary = 127.0.0.1\nservice = lvs\nnetwork = nat\n".to_owned();
        for line in &self.globals {
            let _ = writeln!(text, "{line}");
        }
        for (address, servers) in self.blocks() {
            let _ = writeln!(text, "virtual v{address} {{\n active = 1");
            let _ = writeln!(text, " address = {address} lo:1\n port = 80");
            let _ = writeln!(text, " scheduler = wlc\n timeout = {}", self.seconds);
            let _ = writeln!(text, " reentry = {}\n slow_start = 0", self.seconds);
            match self.check {
                // Unlike port 80 without a word: that is a request too.
                Check::Connect => text.push_str(" send = \"\"\n"),
                Check::Web => {
                    text.push_str(" send = \"GET / HTTP/1.0\\r\\n\\r\\n\"\n expect = \"HTTP\"\n");
                }
            }
            for line in &self.lines {
                let _ = writeln!(text, " {line}");
            }
            for server in servers {
                let (real, weight) = (real_address(server), self.weight(server));
                let _ = writeln!(text, " server s{server} {{");
                let _ = writeln!(text, "  address = {real}\n  active = 1");
                let _ = writeln!(text, "  weight = {weight}\n }}");
            }
            text.push_str("}\n");
        }
        text
    }

    /// As keepalived.conf.
    pub(super) fn keepalived_conf(&self) -> String {
        let mut text = "global_defs {\n router_id bench\n}\n".to_owned();
        let seconds = self.seconds;
        for (address, servers) in self.blocks() {
            let _ = writeln!(text, "virtual_server {address} 80 {{");
            let _ = writeln!(text, " delay_loop {seconds}\n lb_algo wlc\n lb_kind NAT");
            let _ = writeln!(text, " protocol TCP");
            for server in servers {
                let (real, weight) = (real_address(server), self.weight(server));
                let _ = writeln!(text, " real_server {real} 80 {{\n  weight {weight}");
                let kind = match self.check {
                    Check::Connect => "TCP_CHECK",
                    Check::Web => "HTTP_GET",
                };
                let _ = writeln!(text, "  {kind} {{\n   connect_timeout {seconds}");
                if self.check == Check::Web {
                    text.push_str("   url {\n    path /\n    status_code 200\n   }\n");
                }
                text.push_str("  }\n }\n");
            }
            text.push_str("}\n");
        }
        text
    }

    /// As ldirectord.cf, which checks by a connection whatever is asked for here.
    pub(super) fn ldirectord_cf(&self, log: &Path) -> String {
        let seconds = self.seconds;
        let mut text = format!(
            "checktimeout={seconds}\ncheckinterval={seconds}\nnegotiatetimeout={seconds}\n\
             autoreload=no\nsupervised=yes\nquiescent=no\nlogfile=\"{}\"\n",
            log.display()
        );
        for (address, servers) in self.blocks() {
            let _ = writeln!(text, "virtual={address}:80");
            for server in servers {
                let (real, weight) = (real_address(server), self.weight(server));
                let _ = writeln!(text, "\treal={real}:80 masq {weight}");
            }
            let _ = writeln!(text, "\tservice=http\n\tchecktype=connect");
            let _ = writeln!(text, "\tscheduler=wlc\n\tprotocol=tcp\n");
        }
        text
    }
}

fn virtual_address(block: usize) -> Ipv4Addr {
    address([198, 51], block)
}

/// The address of a server, on the loopback.
fn real_address(server: usize) -> Ipv4Addr {
    address([127, 1], server)
}

fn address([first, second]: [u8; 2], number: usize) -> Ipv4Addr {
    let third = u8::try_from(number / 250).unwrap_or(u8::MAX);
    let fourth = u8::try_from(number % 250 + 1).unwrap_or(u8::MAX);
    Ipv4Addr::new(first, second, third, fourth)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_files_name_every_server_once() {
        let services = Services::new(120, 2, Check::Web);
        let (ours, theirs) = (services.lvs_cf(), services.keepalived_conf());
        let others = services.ldirectord_cf(Path::new("log"));
        assert_eq!(others.matches("\treal=").count(), 120);
        assert_eq!(ours.matches(" server s").count(), 120);
        assert_eq!(theirs.matches(" real_server ").count(), 120);
        assert_eq!(ours.matches("virtual v").count(), 3);
        assert_eq!(real_address(300), Ipv4Addr::new(127, 1, 1, 51));
    }
}
