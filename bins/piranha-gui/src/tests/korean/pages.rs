//! Each kind of page, with all that programs can say on it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixListener;

use change::protocol::{Entry, Origin, Outcome, Plan, Preview, Reply, Request, Said};
use serde_json::json;

use super::super::*;
use super::{english, is_korean};

/// A state in which everything is the matter.
fn states() -> (serde_json::Value, serde_json::Value) {
    let own = std::process::id();
    let way = |path: &str, state: &str| json!({"path": path, "state": state, "says": "running"});
    let pulse = json!({"pid": own, "role": "primary", "phase": "active", "since": 1_700_000_000,
        "why": "partner dead: activating lvs (no active backup is defined)",
        "trouble": ["a network interface has no carrier", "neither router is known to be active",
            "cannot add 192.0.2.80/24 to eth0: Operation not permitted; the netlink connection was lost",
            "sync daemon: No such device", "192.0.2.80 is also claimed by 02:00:00:00:00:01"],
        "partner": {"address": "192.0.2.2", "says": "running"},
        "paths": [way("public", "alive"), way("private", "silent"), way("public", "recovering"),
            way("private", "unknown")],
        "vips": [{"address": "192.0.2.80", "device": "eth0:1", "up": true},
            {"address": "192.0.2.81", "device": "eth0:2", "up": false}],
        "witness": false, "conflicts": 2,
        "last_conflict": {"address": "192.0.2.80", "mac": "02:00:00:00:00:01", "at": 1_700_000_000}});
    let check = |verdict: &str, reason: &str| json!({"at": 1_700_000_000_000_u64, "verdict": verdict, "reason": reason});
    let reason = "got \"HTTP/1.0 500\" instead of \"HTTP/1.0 200\"";
    let server = |name: &str, more: serde_json::Value| {
        let mut server = json!({"name": name, "server": "10.0.0.11:80", "health": "down",
            "verdict": "down", "reason": reason, "configured_weight": 1, "nanny": 42,
            "history": [check("unknown", ""), check("up", ""),
                check("down", "timed out after 6 s while connecting"),
                check("down", "Connection reset by peer while reading")]});
        server
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        server
    };
    let drain =
        json!({"since": 1_700_000_000_000_u64, "until": 1_700_000_900_000_u64, "why": "새 디스크"});
    let lvs = json!({"pid": own, "mode": "standby",
        "notes": ["virtual service mail has no usable address: left out"],
        "services": [{"name": "web", "service": "tcp 192.0.2.80:80", "scheduler": "wlc", "present": false,
            "refused": "Scheduler or persistence engine not found",
            "servers": [server("one", json!({})), server("two", json!({"health": "unknown", "reason": ""})),
                server("three", json!({"drained": drain})), server("four", json!({"refused": "No such destination"}))],
            "leaving": [{"name": "old", "server": "10.0.0.19:80", "active_connections": 3}],
            "sorry_server": {"server": "10.0.0.99:80", "in_use": true}},
            {"name": "empty", "service": "udp 192.0.2.80:53", "scheduler": "rr", "present": true}]});
    (pulse, lvs)
}

/// An applier that says what a real one says when much is the matter.
fn applier(site: &Site) -> std::path::PathBuf {
    let path = site.folder.path().join("other.sock");
    let listener = UnixListener::bind(&path).unwrap();
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let mut line = String::new();
            BufReader::new(&stream).read_line(&mut line).unwrap();
            let request = serde_json::from_str(&line).unwrap();
            let reply = serde_json::to_string(&reply(&request)).unwrap();
            // A browser may have gone.
            let _ = writeln!(stream, "{reply}");
        }
    });
    path
}

fn outcome(text: &str) -> Outcome {
    Outcome {
        done: false,
        text: text.to_owned(),
    }
}

fn reply(request: &Request) -> Reply {
    let (pulse, lvs) = states();
    let origin = Origin {
        who: "mina".to_owned(),
        from: "192.0.2.7".to_owned(),
    };
    let entry = |act: &str, what: &str, text: &str| Entry {
        at: 1_700_000_000,
        origin: origin.clone(),
        act: act.to_owned(),
        what: what.to_owned(),
        before: Some(1),
        after: None,
        difference: String::new(),
        outcome: outcome(text),
    };
    match request {
        Request::PartnerStatus => Reply::Status {
            pulse: Said::Status(pulse),
            lvs: Said::Status(lvs),
        },
        Request::Status => Reply::Status {
            pulse: Said::Silent("pulse did not answer in time".to_owned()),
            lvs: Said::Silent("lvs is not running here".to_owned()),
        },
        Request::Audit { .. } => Reply::Audit {
            entries: vec![
                entry("apply", "", "written; pulse is not running here"),
                entry(
                    "undo",
                    "version 3",
                    "written; the configuration was read again",
                ),
                entry("drain", "web/one for 900 s", "no active server web/one"),
                entry("drain", "web/one until it is enabled", "drained"),
                entry("enable", "web/one", "web/one is not drained"),
                entry("hand-over", "", "this router is not active"),
                entry(
                    "reload",
                    "",
                    "primary changed: restart pulse to follow that",
                ),
                entry(
                    "send",
                    "192.0.2.2",
                    "the partner did not take the file: no end within 20 s",
                ),
                entry(
                    "receive",
                    "serial_no 8",
                    "lvs.cf here is newer: serial_no 9, not 8",
                ),
            ],
        },
        Request::Preview { base, .. } => Reply::Preview(Preview {
            base: base.clone(),
            text: String::new(),
            serial: 8,
            difference: String::new(),
            effects: Vec::new(),
            needs_restart: Vec::new(),
            plan: Plan::Known {
                commands: Vec::new(),
                notes: vec![
                    "virtual service a is the same service as b (-t 192.0.2.80:80): left out"
                        .to_owned(),
                ],
            },
            notes: Vec::new(),
        }),
        Request::Drain { .. } | Request::Enable { .. } => Reply::Done(outcome(
            "lvs does not answer: Connection refused (os error 111)",
        )),
        Request::HandOver { .. } => Reply::Done(outcome(
            "not handed over: no partner could take over, or it did not",
        )),
        _ => Reply::Error {
            message: "not a request: x".to_owned(),
        },
    }
}

/// What people see or hear, piece by piece: without commands, differences, files and the log's lines.
fn pieces(page: &str) -> Vec<String> {
    let drop = [
        r"(?s)<script.*?</script>",
        r"(?s)<pre.*?</pre>",
        r"(?s)<code.*?</code>",
        r"(?s)<svg.*?</svg>",
        r#"(?s)<section[^>]*id="part-events".*?</section>"#,
        // The way to the other language.
        r#"<button[^>]*lang="en".*?</button>"#,
    ];
    let mut text = page.to_owned();
    // Its heading and what stands above the lines belong to the page.
    if let Some(at) = text
        .find("<ol class=\"events\">")
        .filter(|_| text.contains("part-events"))
    {
        let start = text.find("id=\"part-events\"").unwrap();
        let head = text
            .get(start..at.max(start))
            .unwrap_or_default()
            .to_owned();
        text = text + "<p " + &head + "</p>";
    }
    for pattern in drop {
        text = regex::Regex::new(pattern)
            .unwrap()
            .replace_all(&text, "")
            .into_owned();
    }
    let mut found = Vec::new();
    let said = regex::Regex::new(r#"(?:aria-label|title|placeholder|alt)="([^"]*)""#).unwrap();
    found.extend(said.captures_iter(&text).map(|it| it[1].to_owned()));
    let tag = regex::Regex::new(r"(?s)<[^>]*>").unwrap();
    found.extend(tag.split(&text).map(str::to_owned));
    found
        .into_iter()
        .map(|piece| {
            let piece = piece.replace("&#39;", "'").replace("&#34;", "\"");
            piece
                .replace("&#60;", "<")
                .replace("&#62;", ">")
                .replace("&#38;", "&")
                .trim()
                .to_owned()
        })
        .filter(|piece| !piece.is_empty())
        .collect()
}

/// Words in small letters that stand alone on Korean pages: names and values.
const NAMES: [&str; 25] = [
    "lvs", "cf", "pulse", "nanny", "piranha", "serial", "web", "one", "two", "three", "four",
    "old", "empty", "mina", "eth", "tcp", "udp", "wlc", "rr", "s", "d", "none", "rup", "ruptime",
    "uptime",
];

fn expect_korean(path: &str, page: &str) {
    assert!(page.contains("<html lang=\"ko\""), "{path}: {page}");
    let word = regex::Regex::new(r"[A-Za-z]*[a-z][A-Za-z]*").unwrap();
    for piece in pieces(page) {
        assert_eq!(english(&piece), None, "{path}: {piece}");
        let strange = word
            .find_iter(&piece)
            .map(|it| it.as_str())
            .find(|it| !NAMES.contains(it));
        assert!(is_korean(&piece) || strange.is_none(), "{path}: {piece}");
    }
}

async fn korean<'s>(site: &'s Site, user: &str) -> Browser<'s> {
    let browser = if user.is_empty() {
        site.browser()
    } else {
        site.log_in(user).await
    };
    let language = ("piranha-language".to_owned(), "ko".to_owned());
    browser.cookies.borrow_mut().extend([language]);
    browser
}

async fn write_states(site: &Site) {
    let (pulse, lvs) = states();
    std::fs::write(site.folder.path().join("pulse.json"), pulse.to_string()).unwrap();
    std::fs::write(site.folder.path().join("lvs.json"), lvs.to_string()).unwrap();
    site.app.monitor.look_once(site.folder.path()).await;
}

/// Pages with what is only there when there is something to tell.
fn all_pages() -> Vec<String> {
    let more = [
        "/secure/service?service=tcp+192.0.2.80:80",
        "/secure/service?service=udp+192.0.2.80:53",
        "/secure/drain?server=web/one",
        "/secure/drain?server=web/three",
        "/secure/version?number=1",
        "/secure/nothing",
    ];
    let pages = pages().into_iter().filter(|path| {
        !path.ends_with(".json") && !path.starts_with("/static") && path != "/secure/file"
    });
    pages.chain(more.map(str::to_owned)).collect()
}

#[tokio::test]
async fn r22_a_korean_page_of_each_kind_is_korean() {
    let site = Site::new();
    write_states(&site).await;
    let browser = korean(&site, "piranha").await;
    let done = browser.confirm(&browser.move_primary().await).await;
    expect_korean("apply", &done.text);
    for path in all_pages() {
        let page = browser.get(&path).await;
        if !page.status.is_redirection() && !page.text.starts_with("<section") {
            expect_korean(&path, &page.text);
        }
    }
    let guest = korean(&site, "guest").await;
    for path in [
        "/secure/control",
        "/secure/history",
        "/secure/version?number=1",
        "/secure/file",
    ] {
        expect_korean(path, &guest.get(path).await.text);
    }
    let stranger = korean(&site, "").await;
    for path in ["/", "/about-login", "/login", "/nothing"] {
        expect_korean(path, &stranger.get(path).await.text);
    }
    expect_korean(
        "wrong password",
        &stranger.try_log_in("piranha", "wrong").await.text,
    );
}

#[tokio::test]
async fn r22_what_daemons_and_the_partner_say_is_korean() {
    let site = Site::furnished(FILE, |app| app);
    write_states(&site).await;
    let other = applier(&site);
    // The tool's own copy of the way to the applier.
    let app = crate::app::App::new(&Options {
        listen: "127.0.0.1:3636".parse().unwrap(),
        tls: None,
        insecure_http: false,
        allow: Vec::new(),
        host_names: Vec::new(),
        metrics_token: None,
        accounts: site.folder.path().join("piranha.passwd"),
        config: site.folder.path().join("lvs.cf"),
        run_dir: site.folder.path().to_owned(),
        applier: other,
        user: "piranha".to_owned(),
        idle: Duration::from_secs(1800),
        longest: Duration::from_secs(43_200),
    });
    let _ = app;
}
