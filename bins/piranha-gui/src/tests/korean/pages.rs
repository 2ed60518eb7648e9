//! Each kind of page, with all that programs can say on it.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixListener;
use std::sync::LazyLock;

use change::protocol::{Entry, Origin, Outcome, Plan, Preview, Reply, Request, Said};
use lvs_config::{Level, manual};
use regex::Regex;
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
        // Not what was asked for: the tool reads the file itself then.
        Request::Read => Reply::Unchanged,
        _ => Reply::Error {
            message: "not a request: x".to_owned(),
        },
    }
}

/// What people do not read as text of the page: commands, differences and files, the lines of the log,
/// the way to the other language.
static UNSAID: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let unsaid = [
        "(?s)()<script.*?</script>",
        "(?s)()<pre.*?</pre>",
        "(?s)()<code.*?</code>",
        r#"(?s)(<section[^>]*id="part-events".*?)<ol class="events">.*?</ol>"#,
        r#"()<button[^>]*lang="en".*?</button>"#,
    ];
    unsaid.map(|it| Regex::new(it).unwrap()).into()
});
static TAG: LazyLock<Regex> = LazyLock::new(|| Regex::new("(?s)<[^>]*>").unwrap());
static SAID: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"(?:aria-label|title|placeholder|alt)="([^"]*)""#).unwrap());
static WORD: LazyLock<Regex> = LazyLock::new(|| Regex::new("[A-Za-z_]*[a-z][A-Za-z_]*").unwrap());

/// What people see or hear, piece by piece.
fn pieces(page: &str) -> Vec<String> {
    let unsaid = UNSAID.iter();
    let text = unsaid.fold(page.to_owned(), |text, it| {
        it.replace_all(&text, "$1").into_owned()
    });
    let said = SAID.captures_iter(&text).map(|it| it[1].to_owned());
    let plain = |piece: String| {
        let marks = [
            ("&#39;", "'"),
            ("&#34;", "\""),
            ("&#60;", "<"),
            ("&#62;", ">"),
            ("&#38;", "&"),
        ];
        marks
            .iter()
            .fold(piece, |piece, (code, mark)| piece.replace(code, mark))
    };
    said.chain(TAG.split(&text).map(str::to_owned))
        .map(plain)
        .collect()
}

/// Words in small letters that stand alone on Korean pages, beside keywords of lvs.cf: names and values.
const NAMES: [&str; 25] = [
    "lvs",
    "cf",
    "pulse",
    "nanny",
    "piranha",
    "web",
    "one",
    "two",
    "three",
    "four",
    "old",
    "empty",
    "mina",
    "eth",
    "tcp",
    "udp",
    "wlc",
    "rr",
    "nat",
    "none",
    "rup",
    "ruptime",
    "enforce",
    "permissive",
    "send",
];

static KEYWORDS: LazyLock<BTreeSet<&str>> = LazyLock::new(|| {
    let levels = [Level::Global, Level::Virtual, Level::Server];
    let keywords = levels.into_iter().flat_map(manual::describe);
    keywords.map(|keyword| keyword.name).collect()
});

fn expect_korean(path: &str, page: &str) {
    // The monitoring screen's parts are no page of their own.
    let is_whole = page.contains("<html lang=\"ko\"") || page.starts_with("<section");
    assert!(is_whole, "{path}: {page}");
    let is_name = |word: &str| NAMES.contains(&word) || KEYWORDS.contains(word);
    let mut pieces = pieces(page);
    pieces.retain(|piece| {
        let mut words = WORD.find_iter(piece).map(|it| it.as_str());
        english(piece).is_some() || !is_korean(piece) && !words.all(is_name)
    });
    assert!(pieces.is_empty(), "{path}: {pieces:#?}");
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
        !path.ends_with(".json")
            && !path.starts_with("/static")
            && path != "/secure/file"
            && path != "/health"
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
        if !page.status.is_redirection() {
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
    for path in ["/", "/about-login", "/login"] {
        expect_korean(path, &stranger.get(path).await.text);
    }
    expect_korean(
        "wrong password",
        &stranger.try_log_in("piranha", "wrong").await.text,
    );
}

#[tokio::test]
async fn r22_what_a_change_does_is_said_in_korean() {
    let site = Site::new();
    let browser = korean(&site, "piranha").await;
    let base = browser.get("/secure/global").await.hidden("base");
    let fields = [
        ("NATRtrIP", ""),
        ("NATRtrDev", ""),
        ("primary_private", "10.1.0.1"),
    ];
    let global = browser
        .save("/secure/global", "/secure/global", &fields)
        .await;
    expect_korean("global", &global.text);
    let preview = browser.move_primary().await;
    assert!(
        preview.text.contains("pulse를 다시 시작해야"),
        "{}",
        preview.text
    );
    expect_korean("preview", &preview.text);
    let selected = [
        ("service", "1/web"),
        ("selected", "1/one"),
        ("action", "delete"),
    ];
    let server = browser
        .save(
            "/secure/servers?service=1/web",
            "/secure/servers",
            &selected,
        )
        .await;
    assert!(server.text.contains("- 서버 one"), "{}", server.text);
    expect_korean("delete", &server.text);
    browser.confirm(&server).await;
    let old = [("base", base.as_str()), ("PriLVSIP", "192.0.2.8")];
    let conflict = browser.post("/secure/global", &old).await;
    assert_eq!(conflict.status, StatusCode::CONFLICT);
    expect_korean("conflict", &conflict.text);
    let undo = browser
        .save("/secure/history", "/secure/undo", &[("number", "1")])
        .await;
    assert!(undo.text.contains("+ 서버 one"), "{}", undo.text);
    expect_korean("undo", &undo.text);
    let wrong = [("PriLVSIP", "192.0.2.300"), ("tcp_timeout", "soon")];
    let refused = browser
        .save("/secure/global", "/secure/global", &wrong)
        .await;
    expect_korean("refused", &refused.text);
    let same = browser.save("/secure/global", "/secure/global", &[]).await;
    expect_korean("unchanged", &same.text);
    for (path, fields) in [
        (
            "/secure/drain",
            &[("server", "web/one"), ("why", "x"), ("seconds", "곧")][..],
        ),
        ("/secure/drain", &[("server", "web/one"), ("why", "")]),
        ("/secure/enable", &[("server", "web/one")]),
        ("/secure/hand-over", &[]),
        ("/secure/hand-over", &[("sure", "1")]),
        ("/secure/hand-over", &[("sure", "1"), ("step", "2")]),
        ("/secure/send", &[]),
        ("/secure/apply", &[("base", ""), ("change", "x")]),
        ("/secure/virtuals", &[("action", "delete")]),
        ("/secure/undo", &[("number", "99")]),
    ] {
        expect_korean(path, &browser.post(path, fields).await.text);
    }
    let guest = korean(&site, "guest").await;
    expect_korean("read-only", &guest.post("/secure/drain", &[]).await.text);
}

#[tokio::test]
async fn r22_what_is_wrong_with_the_file_is_said_in_korean() {
    for wrong in [
        "primary = 300.1.1.1\nvirtual web {\n active = yes\n adress = 1\n",
        "service = fos\nfailover x {\n active = 1\n}\n",
    ] {
        let site = Site::with(wrong);
        let browser = korean(&site, "piranha").await;
        for path in ["/secure/global", "/secure/virtuals", "/secure/history"] {
            expect_korean(path, &browser.get(path).await.text);
        }
    }
    let site = Site::new();
    std::fs::write(site.folder.path().join("pulse.json"), "{\"pid\": 12,").unwrap();
    std::fs::write(site.folder.path().join("lvs.json"), "[]").unwrap();
    site.app.monitor.look_once(site.folder.path()).await;
    let browser = korean(&site, "piranha").await;
    expect_korean("broken", &browser.get("/secure/control").await.text);
    std::fs::remove_file(site.folder.path().join("lvs.cf")).unwrap();
    std::fs::create_dir(site.folder.path().join("lvs.cf")).unwrap();
    expect_korean("unreadable", &browser.get("/secure/global").await.text);
}

/// A tool that finds its applier where another one may be.
fn elsewhere() -> Site {
    Site::furnished(FILE, |mut app| {
        app.applier = app.run_dir.join("other.sock");
        app
    })
}

#[tokio::test]
async fn r22_that_the_applier_is_silent_is_said_in_korean() {
    let site = elsewhere();
    let browser = korean(&site, "piranha").await;
    for path in ["/secure/global", "/secure/partner"] {
        let page = browser.get(path).await.text;
        assert!(page.contains("그런 파일이나 디렉터리가 없습니다"), "{page}");
        expect_korean(path, &page);
    }
    expect_korean("history", &browser.get("/secure/history").await.text);
}

#[tokio::test]
async fn r22_what_daemons_and_the_partner_say_is_said_in_korean() {
    let site = elsewhere();
    write_states(&site).await;
    applier(&site);
    let browser = korean(&site, "piranha").await;
    for path in ["/secure/global", "/secure/history"] {
        expect_korean(path, &browser.get(path).await.text);
    }
    let history = browser.get("/secure/history").await.text;
    for said in [
        "web/one (900초 동안)",
        "web/one (다시 사용할 때까지)",
        "버전 3",
    ] {
        assert!(history.contains(said), "{said}: {history}");
    }
    let partner = browser.get("/secure/partner").await.text;
    expect_korean("partner", &partner);
    for said in [
        "192.0.2.80 주소를 02:00:00:00:00:01 장비도 쓰고 있습니다",
        "기대한 값",
    ] {
        assert!(partner.contains(said), "{said}: {partner}");
    }
    for (path, fields) in [
        ("/secure/drain", &[("server", "web/one"), ("why", "")][..]),
        ("/secure/hand-over", &[("sure", "1"), ("step", "2")]),
        ("/secure/undo", &[("number", "1"), ("base", "00")]),
        ("/secure/send", &[]),
    ] {
        expect_korean(path, &browser.post(path, fields).await.text);
    }
}

/// English has not lost anything.
#[tokio::test]
async fn r22_english_pages_say_what_programs_say() {
    let site = Site::new();
    write_states(&site).await;
    let browser = site.log_in("piranha").await;
    let page = browser.get("/secure/control").await.text;
    for said in [
        "a network interface has no carrier",
        "got &#34;HTTP/1.0 500&#34; instead of",
        ">recovering<",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    assert!(english("the server was refused").is_some() && english("lvs, pulse, nanny").is_none());
}
