//! The checkers of a real server.
//!
//! Owns HTTP_GET, SSL_GET, TCP_CHECK, SMTP_CHECK and MISC_CHECK; names the others.

use std::net::Ipv4Addr;

use super::group::port;
use super::tree::Statement;
use crate::check::{Answer, Check, SUCCESS, Web, by_name, by_status};
use crate::draft::number;
use crate::notes::Notes;
use crate::source::Place;

/// A real server as far as its checks need it.
pub(crate) struct Server<'a> {
    service: &'a Statement,
    block: &'a Statement,
    address: Ipv4Addr,
    port: u16,
    pub(crate) checkers: Vec<Statement>,
}

impl<'a> Server<'a> {
    pub(crate) fn new(
        service: &'a Statement,
        block: &'a Statement,
        (address, port): (Ipv4Addr, u16),
    ) -> Self {
        Self {
            service,
            block,
            address,
            port,
            checkers: Vec::new(),
        }
    }
}

/// Whether it begins a checker.
pub(crate) fn is_checker(keyword: &str) -> bool {
    keyword.ends_with("_CHECK") || matches!(keyword, "HTTP_GET" | "SSL_GET")
}

/// The server's check and its place. `retry` is the number that the service has so far.
pub(crate) fn read(
    server: &Server<'_>,
    retry: &mut Option<u32>,
    notes: &mut Notes,
) -> (Check, Place) {
    let Some(checker) = server.checkers.first() else {
        let place = server.block.place();
        let why = "keepalived does not check this server, nor will lvs: send_program says OK";
        let help = "take send_program and expect away to have a TCP connection checked";
        notes.changed(place, "real_server", why, help);
        return (Check::Nothing, place);
    };
    for other in server.checkers.iter().skip(1) {
        let help = "put both into one check program";
        notes.lost(
            other.place(),
            other.keyword(),
            "lvs.cf has one check for a server",
            help,
        );
    }
    common(checker, server, retry, notes);
    let check = match checker.keyword() {
        "TCP_CHECK" => Check::Connect,
        "SMTP_CHECK" => Check::Exchange {
            send: String::new(),
            expect: "220".to_owned(),
            regex: false,
        },
        "HTTP_GET" | "SSL_GET" => web(checker, server, notes),
        "MISC_CHECK" => program(checker, server, notes),
        "DNS_CHECK" => names(checker, notes),
        keyword => {
            let help = "write a check program into send_program";
            notes.lost(
                checker.place(),
                keyword,
                "a TCP connection is checked instead",
                help,
            );
            Check::Connect
        }
    };
    (check, checker.place())
}

/// What all checkers can have.
fn common(checker: &Statement, server: &Server<'_>, retry: &mut Option<u32>, notes: &mut Notes) {
    for statement in checker.inside() {
        let (place, keyword) = (statement.place(), statement.keyword());
        match keyword {
            "retry" | "nb_get_retry" => *retry = number(statement.word(1)).or(*retry),
            "connect_port" if port(statement.word(1)) == Some(server.port) => {}
            "connect_ip" if statement.word(1) == server.address.to_string() => {}
            "connect_port" | "connect_ip" | "bindto" | "bind_if" | "bind_port" | "fwmark" => {
                let help = "a check program in send_program can";
                notes.lost(
                    place,
                    keyword,
                    "the check goes to the server's own address and port",
                    help,
                );
            }
            "delay_loop" => notes.lost(place, keyword, "lvs.cf has one interval for a service", ""),
            "delay_before_retry" | "warmup" => {
                notes.lost(place, keyword, "checks come at one interval", "");
            }
            "connect_timeout" | "misc_timeout" => {
                let why = "a check may take as long as the interval";
                notes.changed(place, keyword, why, "timeout is both");
            }
            "misc_dynamic" => {
                let help = "load_monitor has a program's number change weights";
                notes.lost(place, keyword, "a check does not change weights", help);
            }
            "user" => notes.lost(
                place,
                keyword,
                "checks run as piranha-check, else nobody",
                "",
            ),
            "helo_name" => notes.lost(place, keyword, "only the greeting is read", ""),
            _ => {}
        }
    }
}

fn web(checker: &Statement, server: &Server<'_>, notes: &mut Notes) -> Check {
    let mut urls = checker
        .inside()
        .iter()
        .filter(|statement| statement.keyword() == "url");
    let none = Statement::default();
    let url = urls.next().unwrap_or(&none);
    for other in urls {
        let help = "put all into one check program";
        notes.lost(
            other.place(),
            "url",
            "lvs.cf has one check for a server",
            help,
        );
    }
    for statement in url.inside() {
        if !matches!(statement.keyword(), "path" | "status_code" | "virtualhost") {
            let help = "expect with use_regex = 1 can look for a text";
            notes.lost(
                statement.place(),
                statement.keyword(),
                "the status of the answer is checked",
                help,
            );
        }
    }
    let host = [url, checker, server.block, server.service];
    let host = host.iter().find_map(|block| block.find("virtualhost"));
    let path = url.find("path").map_or("/", |path| path.word(1));
    let status = url.find("status_code");
    let expression = status.and_then(|status| statuses(&status.rest()));
    if let (Some(status), None) = (status, &expression) {
        let help = "correct expect by hand; any 2xx is written";
        notes.lost(
            status.place(),
            "status_code",
            "no list of codes and ranges from 100 to 599",
            help,
        );
    }
    let web = Web {
        method: "GET",
        path: if path.is_empty() { "/" } else { path },
        host: host.map(|host| host.word(1)),
        answer: Answer::Status(expression.unwrap_or_else(|| SUCCESS.to_owned())),
    };
    if checker.keyword() == "HTTP_GET" {
        return web.plain();
    }
    match web.secure() {
        Some(check) => {
            let why = "the check runs /usr/bin/curl";
            notes.changed(
                checker.place(),
                "SSL_GET",
                why,
                "install curl on both routers",
            );
            check
        }
        None => {
            let help = "write a check program into send_program";
            notes.lost(
                checker.place(),
                "SSL_GET",
                "a TCP connection is checked instead",
                help,
            );
            Check::Connect
        }
    }
}

fn names(checker: &Statement, notes: &mut Notes) -> Check {
    let word = |keyword, default| checker.find(keyword).map_or(default, |found| found.word(1));
    // Without a name keepalived asks for the root.
    match by_name(word("name", "."), word("type", "SOA")) {
        Some(check) => {
            let help = "install dig on both routers";
            notes.changed(
                checker.place(),
                "DNS_CHECK",
                "the check runs /usr/bin/dig",
                help,
            );
            check
        }
        None => {
            let help = "write a check program into send_program";
            notes.lost(
                checker.place(),
                "DNS_CHECK",
                "lvs.cf cannot hold this name",
                help,
            );
            Check::Connect
        }
    }
}

/// `200 204 300-302` as an expression.
fn statuses(list: &str) -> Option<String> {
    let code = |text: &str| {
        text.parse::<u16>()
            .ok()
            .filter(|code| (100..600).contains(code))
    };
    let mut parts = Vec::new();
    for word in list.split_whitespace() {
        let (first, last) = word.split_once('-').unwrap_or((word, word));
        let (first, last) = (code(first)?, code(last)?);
        if first % 100 == 0 && last % 100 == 99 && first <= last {
            let (first, last) = (first / 100, last / 100);
            let hundreds = if first == last {
                first.to_string()
            } else {
                format!("[{first}-{last}]")
            };
            parts.push(format!("{hundreds}[0-9][0-9]"));
        } else if first <= last && last - first < 32 {
            parts.extend((first..=last).map(|code| code.to_string()));
        } else {
            return None;
        }
    }
    (!parts.is_empty() && parts.len() <= 32).then(|| parts.join("|"))
}

fn program(checker: &Statement, server: &Server<'_>, notes: &mut Notes) -> Check {
    let command = checker
        .find("misc_path")
        .map(Statement::rest)
        .unwrap_or_default();
    // The same line has to do for all servers.
    let own = server.address.to_string();
    let words = command
        .split(' ')
        .map(|word| if word == own { "%h" } else { word });
    let command = words.collect::<Vec<_>>().join(" ");
    match by_status(&command) {
        Some(check) => check,
        None => {
            let help = "put it into a script that prints OK, and name that in send_program";
            notes.lost(
                checker.place(),
                "misc_path",
                "lvs.cf cannot hold this command",
                help,
            );
            Check::Connect
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_ranges_become_an_expression() {
        assert_eq!(statuses("200").as_deref(), Some("200"));
        assert_eq!(statuses("200-299 301").as_deref(), Some("2[0-9][0-9]|301"));
        assert_eq!(statuses("200-399").as_deref(), Some("[2-3][0-9][0-9]"));
        assert_eq!(statuses("301-302").as_deref(), Some("301|302"));
        assert_eq!(statuses("abc"), None);
        assert_eq!(statuses("299-200"), None);
    }
}
