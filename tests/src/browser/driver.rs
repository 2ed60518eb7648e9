//! A browser driven over WebDriver (W3C): JSON over HTTP to chromedriver.
//!
//! Owns the two processes and the few commands that are needed. No library for it: those bring an
//! event loop and a web stack, for a dozen requests over one local connection.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::error::{Context, Error, Result};
use crate::node::Node;
use crate::wait;

/// chromedriver's port; nobody else is in the namespace.
const PORT: u16 = 9515;
/// For starting and for each command: for what hangs, not for what is slow.
const LIMIT: Duration = Duration::from_secs(120);
/// How long a page may take to show what is waited for.
pub(super) const SOON: Duration = Duration::from_secs(60);
/// The name of an element's reference in WebDriver.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser with one window.
pub(super) struct Browser {
    node: Arc<Node>,
    session: String,
    // Dropped last: its end is the browser's.
    _driver: Driver,
}

/// chromedriver and all that it started.
struct Driver(Child);

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = killpg(Pid::from_raw(self.0.id().cast_signed()), Signal::SIGKILL);
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Browser {
    /// Starts both, with a new profile in a folder.
    pub(super) fn start(node: &Arc<Node>, folder: &Path) -> Result<Self> {
        let mut command = Command::new("chromedriver");
        let log = folder.join("chromedriver.log");
        command
            .args([
                format!("--port={PORT}"),
                format!("--log-path={}", log.display()),
            ])
            .env("HOME", folder)
            .env("TMPDIR", folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0);
        let child = node
            .run(move || command.spawn())?
            .during("starting chromedriver")?;
        let driver = Driver(child);
        wait::for_it("chromedriver answers", LIMIT, || {
            let status = request(node, "GET", "/status", None);
            Ok(status.is_ok_and(|status| status.get("ready") == Some(&Value::Bool(true))))
        })?;
        let profile = folder.join("profile");
        let created = request(node, "POST", "/session", Some(&capabilities(&profile)))?;
        let session = text(created.get("sessionId").unwrap_or(&Value::Null));
        Ok(Self {
            node: Arc::clone(node),
            session,
            _driver: driver,
        })
    }

    fn command(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let path = format!("/session/{}{path}", self.session);
        request(&self.node, method, &path, body)
    }

    /// Opens an address and waits until it is loaded.
    pub(super) fn open(&self, address: &str) -> Result<()> {
        self.command("POST", "/url", Some(&json!({ "url": address })))?;
        Ok(())
    }

    /// The address of the page.
    pub(super) fn address(&self) -> Result<String> {
        Ok(text(&self.command("GET", "/url", None)?))
    }

    /// Runs a script in the page; gives what it returns.
    pub(super) fn script(&self, script: &str, arguments: &Value) -> Result<Value> {
        let body = json!({ "script": script, "args": arguments });
        self.command("POST", "/execute/sync", Some(&body))
    }

    fn find(&self, selector: &str) -> Result<Option<String>> {
        let using = if selector.starts_with('/') {
            "xpath"
        } else {
            "css selector"
        };
        let body = json!({ "using": using, "value": selector });
        let found = self.command("POST", "/elements", Some(&body))?;
        let first = found.get(0).and_then(|element| element.get(ELEMENT));
        Ok(first.map(text))
    }

    /// The element, once it is there.
    pub(super) fn element(&self, selector: &str) -> Result<String> {
        let found = wait::until(selector, SOON, || self.find(selector));
        found.map_err(|error| self.with_page(&error))
    }

    /// Whether there is such an element now.
    pub(super) fn has(&self, selector: &str) -> Result<bool> {
        Ok(self.find(selector)?.is_some())
    }

    /// Presses it, scrolled into view. A page that changes by itself may put another one in its place
    /// meanwhile; then that one is pressed.
    pub(super) fn press(&self, selector: &str) -> Result<()> {
        let mut last = None;
        let pressed = wait::for_it(selector, SOON, || {
            let element = self.element(selector)?;
            let path = format!("/element/{element}/click");
            match self.command("POST", &path, Some(&json!({}))) {
                Ok(_) => Ok(true),
                Err(error) if error.to_string().contains("stale element") => {
                    last = Some(error);
                    Ok(false)
                }
                Err(error) => Err(error),
            }
        });
        pressed.map_err(|error| self.with_page(&last.unwrap_or(error)))
    }

    /// Types into a field, in place of what is in it.
    pub(super) fn fill(&self, selector: &str, value: &str) -> Result<()> {
        let element = self.element(selector)?;
        let path = |act: &str| format!("/element/{element}/{act}");
        self.command("POST", &path("clear"), Some(&json!({})))?;
        self.command("POST", &path("value"), Some(&json!({ "text": value })))?;
        Ok(())
    }

    /// Chooses an entry of a list by its value.
    pub(super) fn choose(&self, selector: &str, value: &str) -> Result<()> {
        self.press(&format!("{selector} option[value='{value}']"))
    }

    /// Types with the keyboard, wherever the focus is: one key after the other.
    pub(super) fn type_keys(&self, keys: &str) -> Result<()> {
        let strokes: Vec<Value> = keys
            .chars()
            .flat_map(|key| {
                ["keyDown", "keyUp"].map(|act| json!({ "type": act, "value": key.to_string() }))
            })
            .collect();
        let keyboard = json!({ "type": "key", "id": "keyboard", "actions": strokes });
        self.command("POST", "/actions", Some(&json!({ "actions": [keyboard] })))?;
        Ok(())
    }

    /// The visible text of the page.
    pub(super) fn page(&self) -> Result<String> {
        let page = self.script("return document.body.innerText", &json!([]))?;
        Ok(text(&page))
    }

    /// Waits until the page shows a text; it may change by itself meanwhile.
    pub(super) fn shows(&self, wanted: &str) -> Result<()> {
        let shown = wait::for_it(format_args!("the page shows {wanted:?}"), SOON, || {
            Ok(self.page()?.contains(wanted))
        });
        shown.map_err(|error| self.with_page(&error))
    }

    /// The same for what only a new look at an address shows.
    pub(super) fn comes_to_show(&self, address: &str, wanted: &str) -> Result<()> {
        let shown = wait::for_it(format_args!("{address} shows {wanted:?}"), SOON, || {
            self.open(address)?;
            Ok(self.page()?.contains(wanted))
        });
        shown.map_err(|error| self.with_page(&error))
    }

    /// Width and height of the window.
    pub(super) fn resize(&self, width: u32, height: u32) -> Result<()> {
        let body = json!({ "width": width, "height": height });
        self.command("POST", "/window/rect", Some(&body))?;
        Ok(())
    }

    /// Writes a picture of the page.
    pub(super) fn picture(&self, path: &Path) -> Result<()> {
        let encoded = text(&self.command("GET", "/screenshot", None)?);
        let bytes = decode(&encoded).ok_or_else(|| Error::unmet("a picture that is none"))?;
        std::fs::write(path, bytes).during(format_args!("writing {}", path.display()))
    }

    /// A script that calls its last argument when it is done; gives what it passes.
    pub(super) fn script_later(&self, script: &str) -> Result<Value> {
        let body = json!({ "script": script, "args": [] });
        self.command("POST", "/execute/async", Some(&body))
    }

    fn with_page(&self, error: &Error) -> Error {
        let address = self.address().unwrap_or_default();
        let page = self.page().unwrap_or_default();
        Error::unmet(format_args!("{error}; at {address} the page is:\n{page}"))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.command("DELETE", "", None);
    }
}

fn capabilities(profile: &Path) -> Value {
    let profile = format!("--user-data-dir={}", profile.display());
    let arguments = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-dev-shm-usage",
        "--hide-scrollbars",
        "--disable-extensions",
        "--window-size=1280,900",
        "--force-device-scale-factor=1",
        "--lang=en-GB",
        &profile,
    ];
    json!({ "capabilities": { "alwaysMatch": {
        "browserName": "chrome",
        // The tool's certificate is one that only its tests know.
        "acceptInsecureCerts": true,
        "goog:chromeOptions": { "args": arguments },
        "timeouts": { "pageLoad": 110_000, "script": 110_000 },
    } } })
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// One command: the `value` of its answer.
fn request(node: &Node, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
    let body = body.map(Value::to_string).unwrap_or_default();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    // The connection is made on the machine; it may be used from anywhere.
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, PORT));
    let stream = node
        .run(move || TcpStream::connect_timeout(&address, LIMIT))?
        .during("connecting to chromedriver")?;
    let act = || format!("asking chromedriver: {method} {path}");
    stream.set_read_timeout(Some(LIMIT)).during(act())?;
    (&stream)
        .write_all([head, body].concat().as_bytes())
        .during(act())?;
    let answer = read_answer(&stream).during(act())?;
    let answer: Value = serde_json::from_slice(&answer)
        .map_err(std::io::Error::from)
        .during(act())?;
    let value = answer.get("value").cloned().unwrap_or_default();
    match value.get("error") {
        Some(error) => Err(Error::unmet(format_args!(
            "{method} {path}: {}: {}",
            text(error),
            text(value.get("message").unwrap_or(&Value::Null))
        ))),
        None => Ok(value),
    }
}

/// The body of an HTTP answer with a length.
fn read_answer(stream: &TcpStream) -> std::io::Result<Vec<u8>> {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap_or_default();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(body)
}

/// Base 64 (RFC 4648 section 4) without line ends.
fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0);
    for letter in text.bytes().filter(|letter| *letter != b'=') {
        let six = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(six);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_decoded() {
        for (text, bytes) in [
            ("", ""),
            ("Zg==", "f"),
            ("Zm8=", "fo"),
            ("Zm9v", "foo"),
            ("Zm9vYmE=", "fooba"),
        ] {
            assert_eq!(decode(text).unwrap(), bytes.as_bytes());
        }
        assert_eq!(decode("!"), None);
    }
}
