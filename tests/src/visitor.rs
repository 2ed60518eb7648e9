//! As much of a browser as is needed to use the web tool: pages, forms, a log-in.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use crate::error::{Context, Error, Result};
use crate::node::Node;

/// For an answer; only bounds a failure.
const LIMIT: Duration = Duration::from_secs(60);

/// An answer with status, head and body.
#[derive(Debug)]
pub struct Answer {
    /// The status of HTTP.
    pub status: u16,
    head: String,
    /// What follows the head, as text.
    pub text: String,
}

impl Answer {
    fn read(bytes: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n")?;
        Some(Self {
            status: head.split(' ').nth(1)?.parse().ok()?,
            head: head.to_owned(),
            text: body.to_owned(),
        })
    }

    /// The value of a hidden field.
    pub fn hidden(&self, name: &str) -> Result<String> {
        let found = self.text.split_once(&format!("name=\"{name}\" value=\""));
        let value = found.and_then(|(_, rest)| Some(rest.split_once('"')?.0));
        value
            .map(meant)
            .ok_or_else(|| Error::unmet(format_args!("no field {name} in {self:?}")))
    }

    /// Name and value of each cookie that it sets.
    fn cookies(&self) -> impl Iterator<Item = (&str, &str)> {
        self.head.lines().filter_map(|line| {
            let (name, value) = line.split_once(": ")?;
            let cookie = value.split(';').next()?.split_once('=')?;
            name.eq_ignore_ascii_case("set-cookie").then_some(cookie)
        })
    }
}

/// Somebody who uses the web tool.
#[derive(Debug)]
pub struct Visitor {
    address: SocketAddr,
    /// The machine that he sits at; nothing: this one.
    node: Option<Arc<Node>>,
    cookies: BTreeMap<String, String>,
}

impl Visitor {
    /// Of the web tool at this address.
    pub fn new(address: SocketAddr, node: Option<Arc<Node>>) -> Self {
        Self {
            address,
            node,
            cookies: BTreeMap::new(),
        }
    }

    /// Sends the form of the log-in; 303 is a success.
    pub fn log_in(&mut self, user: &str, password: &str) -> Result<Answer> {
        let form_token = self.get("/login")?.hidden("form_token")?;
        let fields = [
            ("form_token", form_token.as_str()),
            ("user", user),
            ("password", password),
        ];
        self.post("/login", &fields)
    }

    /// A page.
    pub fn get(&mut self, path: &str) -> Result<Answer> {
        self.request(&format!("GET {path}"), "")
    }

    /// What a form leads to.
    pub fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Result<Answer> {
        let fields = fields
            .iter()
            .map(|(name, value)| format!("{name}={}", encoded(value)));
        let body = fields.collect::<Vec<_>>().join("&");
        self.request(&format!("POST {path}"), &body)
    }

    /// A connection on which this was asked for, with what its answer needs to be read.
    pub fn open(&self, request: &str, body: &str) -> Result<TcpStream> {
        let cookies = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        let cookies = cookies.collect::<Vec<_>>().join("; ");
        let address = self.address;
        let text = format!(
            "{request} HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\nCookie: {cookies}\r\n\
             Accept: text/html\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{body}",
            body.len()
        );
        // The connection is made on the machine; it may be used from anywhere.
        let connect = move || TcpStream::connect_timeout(&address, LIMIT);
        let connected = match &self.node {
            Some(node) => node.run(connect)?,
            None => connect(),
        };
        let mut stream = connected.during("connecting to the web tool")?;
        let asked = stream
            .set_read_timeout(Some(LIMIT))
            .and_then(|()| stream.write_all(text.as_bytes()));
        asked.during(format_args!("asking for {request}"))?;
        Ok(stream)
    }

    fn request(&mut self, request: &str, body: &str) -> Result<Answer> {
        let mut stream = self.open(request, body)?;
        let mut bytes = Vec::new();
        let read = stream.read_to_end(&mut bytes);
        read.during(format_args!("reading what {request} gives"))?;
        let answer = Answer::read(&bytes)
            .ok_or_else(|| Error::unmet(format_args!("{request} gives no HTTP answer")))?;
        let new = answer.cookies();
        self.cookies
            .extend(new.map(|(name, value)| (name.to_owned(), value.to_owned())));
        Ok(answer)
    }
}

/// What a value in a page stands for: these characters are written by their numbers there.
fn meant(value: &str) -> String {
    let mut text = value.to_owned();
    for character in ['"', '\'', '<', '>', '&'] {
        let number = format!("&#{};", u32::from(character));
        text = text.replace(&number, &character.to_string());
    }
    text
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_a_status_cookies_and_fields() {
        let text =
            b"HTTP/1.1 200 OK\r\nset-cookie: a=1; Path=/\r\n\r\n<input name=\"base\" value=\"x&#34;&#38;#34;\">";
        let answer = Answer::read(text).unwrap();
        assert_eq!(answer.status, 200);
        assert_eq!(answer.cookies().collect::<Vec<_>>(), [("a", "1")]);
        assert_eq!(answer.hidden("base").unwrap(), "x\"&#34;");
        assert!(answer.hidden("none").is_err());
    }

    #[test]
    fn what_a_form_sends_is_encoded() {
        assert_eq!(encoded("1/s2 &"), "1%2Fs2%20%26");
    }
}
