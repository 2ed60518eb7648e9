//! What is asked of the servers of a service.
//!
//! Owns `checktype`, `service`, `request`, `receive` and their kin.

use lvs_config::Protocol;

use super::line::Line;
use crate::check::{Answer, Check, SUCCESS, Web, by_name, by_status};
use crate::draft::Service;
use crate::notes::Notes;
use crate::source::Place;

/// The directives of a section that concern checks.
#[derive(Debug, Clone, Default)]
pub(super) struct Probe<'a> {
    kind: Option<Line<'a>>,
    protocol: Option<Line<'a>>,
    request: Option<Line<'a>>,
    receive: Option<Line<'a>>,
    host: Option<Line<'a>>,
    method: Option<Line<'a>>,
    command: Option<Line<'a>>,
    /// Login, password and the like: one of them, to be named.
    secret: Option<Line<'a>>,
    /// `checkport`
    pub(super) port: Option<u16>,
    port_line: Option<Line<'a>>,
    virtual_port: u16,
    mark: u32,
}

impl<'a> Probe<'a> {
    pub(super) fn new(virtual_port: u16, mark: u32) -> Self {
        Self {
            virtual_port,
            mark,
            ..Self::default()
        }
    }

    /// Keeps the line when it concerns checks.
    pub(super) fn takes(&mut self, line: &Line<'a>) -> bool {
        let setting = match line.keyword {
            "checktype" => &mut self.kind,
            "service" => &mut self.protocol,
            "request" => &mut self.request,
            "receive" => &mut self.receive,
            "virtualhost" => &mut self.host,
            "httpmethod" => &mut self.method,
            "checkcommand" => &mut self.command,
            "login" | "passwd" | "database" | "secret" => &mut self.secret,
            "checkport" => {
                self.port = line.text().parse().ok().filter(|port| *port > 0);
                &mut self.port_line
            }
            _ => return false,
        };
        *setting = Some(*line);
        true
    }

    /// The check of one server, which may have texts of its own.
    pub(super) fn check(
        &self,
        own: Option<(&str, &str)>,
        (service, port): (&Service, u16),
        place: Place,
        notes: &mut Notes,
    ) -> Check {
        // Said once, at the first server.
        let first = service.servers.is_empty();
        let mut silent = Notes::default();
        let notes = if first { notes } else { &mut silent };
        if let Some(line) = self.port_line.filter(|_| self.port != Some(port)) {
            let help = "a check program in send_program can";
            notes.lost(
                line.place,
                "checkport",
                "the check goes to the server's own port",
                help,
            );
        }
        let kind = self.kind.map_or("negotiate", |line| line.text());
        let kind_place = self.kind.map_or(place, |line| line.place);
        let instead = "a TCP connection is checked instead";
        match kind {
            "connect" => Check::Connect,
            "external" | "external-perl" => self.external(service, port, notes),
            "off" => {
                let help = "write active = 0 into the service";
                notes.lost(
                    kind_place,
                    "checktype",
                    "off keeps the service without servers",
                    help,
                );
                Check::Connect
            }
            "on" => Check::Nothing,
            "ping" => {
                let help = "a check program in send_program can call ping";
                notes.lost(kind_place, "checktype", instead, help);
                Check::Connect
            }
            _ => {
                if kind != "negotiate" {
                    let why = "each check is the thorough one";
                    notes.changed(kind_place, "checktype", why, "");
                }
                self.negotiate(own, service.protocol, place, notes)
            }
        }
    }

    fn external(&self, service: &Service, port: u16, notes: &mut Notes) -> Check {
        let Some(line) = self.command else {
            return Check::Connect;
        };
        let name = match &service.host {
            Some(host) => host.to_string(),
            None => service.mark.to_string(),
        };
        let command = format!("{} {name} {} %h {port}", line.unquoted(), self.virtual_port);
        by_status(&command).unwrap_or_else(|| {
            let help = "put it into a script that prints OK, and name that in send_program";
            notes.lost(
                line.place,
                "checkcommand",
                "lvs.cf cannot hold this command",
                help,
            );
            Check::Connect
        })
    }

    /// `service`, or what the port suggests.
    fn protocol(&self) -> &str {
        if let Some(line) = self.protocol {
            return line.text();
        }
        match self.virtual_port {
            _ if self.mark != 0 => "none",
            21 => "ftp",
            25 => "smtp",
            53 => "dns",
            80 => "http",
            110 => "pop",
            119 => "nntp",
            143 => "imap",
            389 => "ldap",
            443 => "https",
            587 => "submission",
            993 => "imaps",
            995 => "pops",
            1521 => "oracle",
            1812 => "radius",
            3128 => "http_proxy",
            3306 => "mysql",
            5432 => "pgsql",
            5060 => "sip",
            _ => "none",
        }
    }

    fn negotiate(
        &self,
        own: Option<(&str, &str)>,
        transport: Protocol,
        place: Place,
        notes: &mut Notes,
    ) -> Check {
        let protocol = self.protocol();
        if let Some(line) = self.secret {
            let help = "a check program in send_program can log in";
            notes.lost(
                line.place,
                line.keyword,
                "the built-in check does not log in",
                help,
            );
        }
        let place = self.protocol.map_or(place, |line| line.place);
        let greeting = |expect: &str, regex: bool| Check::Exchange {
            send: String::new(),
            expect: expect.to_owned(),
            regex,
        };
        match protocol {
            "http" => self.web(own).plain(),
            "https" => self.secure(own, place, notes),
            "smtp" | "submission" | "ftp" => greeting("220", false),
            "pop" => greeting("+OK", false),
            "imap" => greeting("* OK", false),
            "nntp" => greeting("^20[01]", true),
            "simpletcp" => self.simple(own),
            "none" if transport == Protocol::Tcp => Check::Connect,
            "dns" => self.names(own, place, notes),
            _ => {
                let why = format!(
                    "the built-in check does not speak {protocol}; a TCP connection is checked instead"
                );
                let help = "write a check program into send_program";
                notes.lost(place, "service", &why, help);
                Check::Connect
            }
        }
    }

    fn names(&self, own: Option<(&str, &str)>, place: Place, notes: &mut Notes) -> Check {
        let (request, _) = self.texts(own);
        match by_name(request.trim_start_matches('/'), "A") {
            Some(check) => {
                let why = "the check runs /usr/bin/dig, and any answer is good";
                notes.changed(place, "service", why, "install dig on both routers");
                check
            }
            None => {
                let help = "write a check program into send_program";
                notes.lost(place, "request", "not a name to ask for", help);
                Check::Connect
            }
        }
    }

    fn texts<'b>(&'b self, own: Option<(&'b str, &'b str)>) -> (&'b str, &'b str) {
        let of = |line: Option<Line<'a>>| line.map_or("", |line| line.unquoted());
        own.unwrap_or_else(|| (of(self.request), of(self.receive)))
    }

    fn simple(&self, own: Option<(&str, &str)>) -> Check {
        let (request, receive) = self.texts(own);
        Check::Exchange {
            send: request.replace("\\n", "\n"),
            expect: receive.to_owned(),
            regex: !receive.is_empty(),
        }
    }

    fn web<'b>(&'b self, own: Option<(&'b str, &'b str)>) -> OwnedWeb<'b> {
        let (request, receive) = self.texts(own);
        // A whole address counts for its path here; the server's own address is asked.
        let whole = request
            .strip_prefix("http://")
            .or_else(|| request.strip_prefix("https://"));
        let path = whole.map_or(request, |rest| {
            rest.find('/')
                .map_or("/", |at| rest.get(at..).unwrap_or("/"))
        });
        OwnedWeb {
            path: format!("/{}", path.trim_start_matches('/')),
            host: self
                .host
                .map(|line| line.unquoted())
                .filter(|host| !host.is_empty()),
            method: if self
                .method
                .is_some_and(|line| line.text().eq_ignore_ascii_case("head"))
            {
                "HEAD"
            } else {
                "GET"
            },
            receive,
        }
    }

    fn secure(&self, own: Option<(&str, &str)>, place: Place, notes: &mut Notes) -> Check {
        match self.web(own).secure() {
            Some(check) => {
                let help = "install curl on both routers";
                notes.changed(place, "service", "the check runs /usr/bin/curl", help);
                check
            }
            None => {
                let help = "write a check program into send_program";
                notes.lost(
                    place,
                    "service",
                    "a TCP connection is checked instead",
                    help,
                );
                Check::Connect
            }
        }
    }
}

/// What is asked of a web server, with the path put right.
struct OwnedWeb<'a> {
    path: String,
    host: Option<&'a str>,
    method: &'static str,
    receive: &'a str,
}

impl OwnedWeb<'_> {
    fn web(&self) -> Web<'_> {
        Web {
            method: self.method,
            path: &self.path,
            host: self.host,
            answer: match self.receive {
                "" => Answer::Status(SUCCESS.to_owned()),
                text => Answer::Text(text.to_owned()),
            },
        }
    }

    fn plain(&self) -> Check {
        self.web().plain()
    }

    fn secure(&self) -> Option<Check> {
        self.web().secure()
    }
}
