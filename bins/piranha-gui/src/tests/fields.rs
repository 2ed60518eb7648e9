//! Hostile text in each field of each form (R9): the fields are those of the forms that the pages show,
//! so that a new one cannot be forgotten.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::*;
use crate::fields::{GLOBAL, REDUNDANCY, SCRIPTS, SERVER, VIRTUAL};

static TAG: LazyLock<regex::Regex> =
    LazyLock::new(|| regex::Regex::new("<(input|select|button|textarea)( [^>]*)>").unwrap());
static SELECT: LazyLock<regex::Regex> =
    LazyLock::new(|| regex::Regex::new("(?s)<select[^>]*>(.*?)</select>").unwrap());

/// A control of a form.
#[derive(Debug)]
struct Control {
    kind: String,
    name: String,
    value: String,
    /// Whether a browser sends it when nothing is touched.
    is_sent: bool,
}

/// A form as a page shows it.
#[derive(Debug)]
struct Shown {
    action: String,
    is_post: bool,
    controls: Vec<Control>,
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    Some(plain(rest.split('"').next()?))
}

/// Text as the page's author meant it.
fn plain(text: &str) -> String {
    let text = text.replace("&#34;", "\"").replace("&#39;", "'");
    let text = text.replace("&#60;", "<").replace("&#62;", ">");
    text.replace("&#38;", "&")
}

fn shown(page: &str) -> Vec<Shown> {
    let forms = page.split("<form").skip(1);
    forms
        .map(|form| {
            let form = form.split("</form>").next().unwrap();
            let tag = form.split('>').next().unwrap();
            Shown {
                action: attribute(tag, "action").unwrap(),
                is_post: tag.contains("method=\"post\""),
                controls: controls(form),
            }
        })
        .collect()
}

fn controls(form: &str) -> Vec<Control> {
    let mut lists = SELECT.captures_iter(form);
    let mut controls = Vec::new();
    for found in TAG.captures_iter(form) {
        let (element, attributes) = (&found[1], &found[2]);
        let mut value = attribute(attributes, "value").unwrap_or_default();
        if element == "select" {
            let options = lists.next().unwrap()[1].to_owned();
            let chosen = options
                .split("<option")
                .find(|option| option.contains(" selected"));
            value = chosen
                .and_then(|it| attribute(it, "value"))
                .unwrap_or_default();
        }
        let kind = match element {
            "input" => attribute(attributes, "type").unwrap_or_else(|| "text".to_owned()),
            other => other.to_owned(),
        };
        let Some(name) = attribute(attributes, "name") else {
            continue;
        };
        let is_ticked = attributes.contains(" checked");
        let is_sent = match kind.as_str() {
            "button" => false,
            "radio" | "checkbox" => is_ticked,
            _ => true,
        };
        controls.push(Control {
            kind,
            name,
            value,
            is_sent,
        });
    }
    controls
}

impl Shown {
    /// What a browser sends, with another value for one control; what a new block needs is filled in.
    fn with(&self, name: &str, value: &str) -> Vec<(String, String)> {
        let sent = self
            .controls
            .iter()
            .filter(|it| it.is_sent && it.name != name);
        let needed = |it: &Control| match it.name.as_str() {
            "hostname" | "name" if it.value.is_empty() => "new".to_owned(),
            "address" if it.value.is_empty() => "192.0.2.81".to_owned(),
            _ => it.value.clone(),
        };
        let mut fields: Vec<_> = sent.map(|it| (it.name.clone(), needed(it))).collect();
        let is_button =
            |it: &&Control| it.kind == "button" && it.name == "action" && it.name != name;
        let button = self.controls.iter().find(is_button);
        fields.extend(button.map(|it| (it.name.clone(), it.value.clone())));
        fields.push((name.to_owned(), value.to_owned()));
        fields
    }

    async fn send(&self, browser: &Browser<'_>, fields: &[(String, String)]) -> Answer {
        let fields: Vec<(&str, &str)> = fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        if self.is_post {
            let origin = Some("http://127.0.0.1:3636");
            return browser.post_bare(&self.action, &fields, origin).await;
        }
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(&fields);
        browser
            .get(&format!("{}?{}", self.action, query.finish()))
            .await
    }
}

/// What no field takes.
fn hostile() -> Vec<String> {
    let huge = "9\u{7f}".repeat(5_000);
    let texts = [
        "1\nrsh_command = /tmp/x",
        "1\r\nactive_cmd=/tmp/x",
        "1\0",
        "a}\nvirtual b {",
        "1\u{1b}[31m",
        "\"'><script>alert(1)</script>\u{7}{{7*7}}",
        &huge,
    ];
    texts.map(str::to_owned).into()
}

/// Controls where people type or choose: the message is beside them, what was typed is kept.
fn is_typed(control: &Control) -> bool {
    matches!(control.kind.as_str(), "text" | "select" | "textarea")
}

/// Sends each hostile value as this control.
async fn refused(browser: &Browser<'_>, page: &str, form: &Shown, control: &Control) {
    let name = &control.name;
    for value in hostile() {
        let answer = form.send(browser, &form.with(name, &value)).await;
        let case = format!(
            "{page}: {} {name} {:?}",
            form.action,
            value.chars().take(20).collect::<String>()
        );
        assert!(
            !answer.status.is_server_error(),
            "{case}: {}",
            answer.status
        );
        assert!(!answer.text.contains("<script>alert"), "{case}");
        let change = answer
            .text
            .split("name=\"change\" value=\"")
            .nth(1)
            .unwrap_or_default();
        let change = plain(change.split('"').next().unwrap());
        let written = serde_json::to_string(&value).unwrap();
        assert!(
            !change.contains(written.trim_matches('"')),
            "{case}: {change}"
        );
        if !is_typed(control) {
            continue;
        }
        let text = &answer.text;
        assert_eq!(
            answer.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{case}: {text}"
        );
        let message = text.contains(&format!("id=\"{name}-error\" role=\"alert\""));
        let points = text.contains(&format!("aria-errormessage=\"{name}-error\""));
        assert!(message && points, "{case}: {message} {points}: {text}");
        let is_kept = shown(text)
            .iter()
            .flat_map(|form| &form.controls)
            .any(|it| it.name == *name && it.value.trim() == value.trim());
        assert!(is_kept, "{case}: what was typed is lost: {text}");
    }
}

#[tokio::test]
async fn r9_s4_hostile_text_in_each_field_of_each_form() {
    let file = FILE.replace(
        "primary = 192.0.2.1",
        "primary = 192.0.2.1\nprimary_private = 10.0.0.1",
    );
    let site = Site::lively(&file).await;
    let (before, stamp) = (site.file(), site.stamp());
    let browser = site.log_in("piranha").await;
    let mut seen = BTreeSet::new();
    for page in pages() {
        for form in shown(&browser.get(&page).await.text) {
            // The top bar is the same everywhere, and after the log-out comes nothing.
            let is_top = form.action == "/logout" || form.action == "/preferences";
            if is_top && page != "/secure/help"
                || form.action == "/logout"
                || form.action == "/login"
            {
                continue;
            }
            for control in &form.controls {
                let is_new = seen.insert((form.action.clone(), page.clone(), control.name.clone()));
                if is_new && control.name != "form_token" {
                    refused(&browser, &page, &form, control).await;
                }
            }
            assert_eq!(site.stamp(), stamp, "{page} {}", form.action);
        }
    }
    assert_eq!(site.file(), before);
    for definition in [GLOBAL, REDUNDANCY, VIRTUAL, SERVER, SCRIPTS]
        .into_iter()
        .flatten()
    {
        let is_seen = seen.iter().any(|(_, _, name)| name == definition.parameter);
        assert!(is_seen, "{} was on no page", definition.parameter);
    }
    for name in [
        "why", "seconds", "rate", "sure", "selected", "number", "language", "back",
    ] {
        assert!(
            seen.iter().any(|(_, _, seen)| seen == name),
            "{name} was on no page"
        );
    }
}

#[tokio::test]
async fn r9_hostile_names_and_passwords_open_nothing() {
    let site = Site::new();
    for value in hostile().iter().take(4) {
        for (user, password) in [(value.as_str(), "right"), ("piranha", value.as_str())] {
            // Each from a browser of its own; failures from one address are slowed down.
            site.app.attempts().succeeded("127.0.0.1".parse().unwrap());
            let answer = site.browser().try_log_in(user, password).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{value:?}");
            let text = answer.text;
            assert!(text.contains("id=\"login-error\" role=\"alert\""), "{text}");
            assert_eq!(
                text.matches("aria-errormessage=\"login-error\"").count(),
                2,
                "{text}"
            );
            let kept = shown(&text).into_iter().flat_map(|form| form.controls);
            let kept: Vec<_> = kept
                .filter(|it| it.name == "user")
                .map(|it| it.value)
                .collect();
            assert_eq!(kept, [user], "the password is not kept");
        }
    }
}

#[tokio::test]
async fn a_wrong_device_is_told_beside_the_device_and_not_beside_its_address() {
    let site = Site::new();
    let browser = site.log_in("piranha").await;
    for (address, device, wrong) in [
        ("192.0.2.80", "eth0;reboot", "device"),
        ("192.0.2.80", "", "device"),
        ("192.0.2.999", "eth0:1", "address"),
        ("", "eth0:1", "address"),
    ] {
        let fields = [
            ("service", "1/web"),
            ("address", address),
            ("device", device),
        ];
        let page = "/secure/virtual?service=1/web";
        let text = browser.save(page, "/secure/virtual", &fields).await.text;
        for name in ["address", "device"] {
            let is_told = text.contains(&format!("id=\"{name}-error\""));
            assert_eq!(is_told, name == wrong, "{address} {device}: {name}: {text}");
        }
    }
}

#[tokio::test]
async fn services_of_one_name_have_live_states_of_their_own() {
    let block = |protocol: &str| {
        format!(
            "virtual dns {{\n active = 1\n address = 192.0.2.80 eth0:1\n port = 53\n protocol = {protocol}\n \
                 server one {{\n address = 10.0.0.11\n active = 1\n weight = 1\n }}\n}}\n"
        )
    };
    let file = format!(
        "serial_no = 1\nprimary = 192.0.2.1\nservice = lvs\nnetwork = direct\n{}{}",
        block("tcp"),
        block("udp")
    );
    let site = Site::with(&file);
    let service = |words: &str, health: &str| {
        serde_json::json!({"name": "dns", "service": words, "servers": [
            {"name": "one", "server": "10.0.0.11:53", "health": health, "verdict": health}]})
    };
    let lvs = serde_json::json!({"pid": std::process::id(), "mode": "active", "services": [
        service("-t 192.0.2.80:53", "down"), service("-u 192.0.2.80:53", "up")]});
    std::fs::write(site.folder.path().join("lvs.json"), lvs.to_string()).unwrap();
    site.app.monitor.look_once(site.folder.path()).await;
    let browser = site.log_in("guest").await;
    let text = browser.get("/secure/virtuals").await.text;
    let (tcp, udp) = (text.find("0/1").unwrap(), text.find("1/1").unwrap());
    assert!(tcp < udp, "{text}");
    for (name, class) in [("1/dns", "bad\">down"), ("2/dns", "good\">up")] {
        let text = browser
            .get(&format!("/secure/servers?service={name}"))
            .await
            .text;
        assert!(
            text.contains(&format!("<td class=\"{class}</td>")),
            "{name}: {text}"
        );
    }
}

#[tokio::test]
async fn each_wrong_field_of_a_new_block_is_told() {
    let site = Site::new();
    let browser = site.log_in("piranha").await;
    let service = [
        ("new", "1"),
        ("hostname", "a{"),
        ("port", "0"),
        ("address", "192.0.2.999"),
        ("device", "eth0:1"),
        ("vip_nmask", "255.0.255.0"),
        ("fwmark", "x"),
        ("retries", "0"),
        ("sched", "best"),
    ];
    let server = [
        ("service", "1/web"),
        ("new", "1"),
        ("name", "one"),
        ("address", "10.0.0"),
        ("port", "65536"),
        ("weight", "-1"),
    ];
    let forms: [(_, _, &[_], &[_]); 2] = [
        (
            "/secure/virtual?new=1",
            "/secure/virtual",
            &service,
            &["device"],
        ),
        (
            "/secure/server?service=1/web&new=1",
            "/secure/server",
            &server,
            &[],
        ),
    ];
    for (page, action, fields, right) in forms {
        let text = browser.save(page, action, fields).await.text;
        for (name, _) in fields {
            let is_wrong = !["new", "service"].contains(name) && !right.contains(name);
            let is_told = text.contains(&format!("id=\"{name}-error\" role=\"alert\""));
            assert_eq!(is_told, is_wrong, "{page}: {name}: {text}");
        }
    }
    assert_eq!(site.file(), FILE);
}
