//! The web tool's units under systemd: somebody logs in and changes lvs.cf, within their sandboxes.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::LVS_CF;
use crate::ensure;
use crate::error::{Context, Error, Result};
use crate::machine::Machine;
use crate::node::Node;
use crate::wait;

/// Where it listens unless it is told otherwise.
const ADDRESS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 3636);
const PASSWORD: &str = "correct horse battery";
/// For an answer; only bounds a failure.
const LIMIT: Duration = Duration::from_secs(60);

/// On the active router, whose lvs.cf is valid and says `rr`.
pub(super) fn used(machine: &Machine) -> Result<()> {
    machine.sh(&format!("printf %s '{PASSWORD}' | piranha-passwd --stdin"))?;
    machine.sh("systemctl start piranha-gui")?;
    machine.sh("systemctl is-active piranha-gui.service piranha-applier.socket")?;
    let mut visitor = Visitor::new(machine.node());
    machine.wait("bash -c '</dev/tcp/127.0.0.1/3636'")?;
    visitor.log_in()?;
    wait::for_it("the page of the pair shows its server", LIMIT, || {
        let page = visitor.get("/secure/control")?;
        Ok(page.status == 200 && page.text.contains("10.20.0.101:80"))
    })?;
    sandboxed(machine)?;
    change(machine, &mut visitor)?;
    machine.sh("systemctl stop piranha-gui piranha-applier.socket piranha-applier")?;
    Ok(())
}

/// A scheduler is changed: the applier writes the file, and pulse follows it.
fn change(machine: &Machine, visitor: &mut Visitor) -> Result<()> {
    let form = visitor.get("/secure/global")?;
    let change = json!({ "edits": [{
        "edit": "set",
        "at": { "item": "virtual", "service": { "name": "web" } },
        "keyword": "scheduler",
        "value": "wlc",
    }] });
    let fields = [
        ("form_token", form.hidden("form_token")?),
        ("base", form.hidden("base")?),
        ("change", change.to_string()),
        ("next", "/secure/control".to_owned()),
    ];
    let done = visitor.post("/secure/apply", &fields)?;
    ensure!(done.status == 200, "the change: {done:?}");
    machine.sh(&format!("grep -q 'scheduler = wlc' {LVS_CF}"))?;
    machine.wait("ipvsadm -Ln | grep -q ' wlc'")?;
    machine.sh("grep -q '\"who\":\"piranha\"' /var/lib/piranha/audit.jsonl")?;
    Ok(())
}

/// The process that faces the network: no rights, and not even root in its place writes lvs.cf.
fn sandboxed(machine: &Machine) -> Result<()> {
    let pid = machine.sh("systemctl show -P MainPID piranha-gui")?;
    let pid = pid.trim();
    let found = machine.sh(&format!(
        "ps -o user= -p {pid}; grep -h 'CapEff\\|CapBnd\\|NoNewPrivs' /proc/{pid}/status"
    ))?;
    let expected =
        "piranha\nCapEff:\t0000000000000000\nCapBnd:\t0000000000000000\nNoNewPrivs:\t1\n";
    ensure!(found == expected, "the web process has: {found}");
    for file in [LVS_CF, "/var/lib/piranha/owned.json", "/run/pulse.pid"] {
        let (status, said) = machine.ask(&format!(
            "nsenter --target {pid} --mount -- sh -c 'echo x >>{file}'"
        ))?;
        ensure!(
            status != 0 && said.contains("Read-only file system"),
            "{file} can be written there: status {status}: {said}"
        );
    }
    Ok(())
}

/// An answer.
#[derive(Debug)]
struct Answer {
    status: u16,
    cookies: Vec<(String, String)>,
    text: String,
}

impl Answer {
    fn read(text: &str) -> Option<Self> {
        let (head, body) = text.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        let cookies = head.lines().filter_map(|line| {
            let (name, value) = line.split_once(": ")?;
            let (cookie, _) = value.split_once(';').unwrap_or((value, ""));
            let (key, value) = cookie.split_once('=')?;
            name.eq_ignore_ascii_case("set-cookie")
                .then(|| (key.to_owned(), value.to_owned()))
        });
        Some(Self {
            status,
            cookies: cookies.collect(),
            text: body.to_owned(),
        })
    }

    /// The value of a hidden field.
    fn hidden(&self, name: &str) -> Result<String> {
        let start = format!("name=\"{name}\" value=\"");
        let value = self.text.split_once(&start).and_then(|(_, rest)| {
            let (value, _) = rest.split_once('"')?;
            Some(value.to_owned())
        });
        value.ok_or_else(|| Error::unmet(format_args!("no field {name} in {self:?}")))
    }
}

/// A browser, as far as it is needed.
struct Visitor {
    node: Arc<Node>,
    cookies: BTreeMap<String, String>,
}

impl Visitor {
    fn new(node: &Arc<Node>) -> Self {
        Self {
            node: Arc::clone(node),
            cookies: BTreeMap::new(),
        }
    }

    fn log_in(&mut self) -> Result<()> {
        let form = self.get("/login")?;
        let token = form.hidden("form_token")?;
        let wrong = self.post("/login", &self::login(&token, "guess"))?;
        ensure!(wrong.status == 403, "a wrong password: {wrong:?}");
        let answer = self.post("/login", &self::login(&token, PASSWORD))?;
        ensure!(answer.status == 303, "the log-in: {answer:?}");
        Ok(())
    }

    fn get(&mut self, path: &str) -> Result<Answer> {
        self.request(format!("GET {path} HTTP/1.0\r\n"), String::new())
    }

    fn post(&mut self, path: &str, fields: &[(&str, String)]) -> Result<Answer> {
        let fields: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{name}={}", encoded(value)))
            .collect();
        let body = fields.join("&");
        let head = format!(
            "POST {path} HTTP/1.0\r\nOrigin: http://{ADDRESS}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n",
            body.len()
        );
        self.request(head, body)
    }

    fn request(&mut self, head: String, body: String) -> Result<Answer> {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let text = format!(
            "{head}Host: {ADDRESS}\r\nCookie: {}\r\n\r\n{body}",
            cookies.join("; ")
        );
        let answered = self.node.run(move || exchange(&text))?;
        let said = answered.during("asking the web tool")?;
        let answer = Answer::read(&said)
            .ok_or_else(|| Error::unmet(format_args!("the web tool answers {said:?}")))?;
        self.cookies.extend(answer.cookies.iter().cloned());
        Ok(answer)
    }
}

fn login(token: &str, password: &str) -> [(&'static str, String); 3] {
    [
        ("form_token", token.to_owned()),
        ("user", "piranha".to_owned()),
        ("password", password.to_owned()),
    ]
}

fn exchange(text: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&ADDRESS, LIMIT)?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.write_all(text.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// For a form: all but letters and digits by their numbers.
fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}
