//! Text that wants to be more than text (R8, R9).

use super::*;

const MARKUP: &str = "\"'><img src=x onerror=alert(1)><script>alert(1)</script>{{7*7}}";

#[tokio::test]
async fn r8_s2_markup_in_files_is_shown_as_text() {
    let site = Site::with(
        "serial_no = 1\nprimary = 192.0.2.1\nvirtual <script>alert(1)</script> {\n active = 1\n \
         address = 192.0.2.80 eth0:<b>1\n send = \"<script>alert(1)</script>\"\n expect = \"'><img src=x>\"\n \
         load_monitor = \"<script>alert(1)</script>\"\n server \"><img src=x>\" {\n address = <script>\n }\n}\n",
    );
    let lvs = serde_json::json!({
        "pid": std::process::id(), "mode": "active", "notes": [MARKUP],
        "services": [{ "name": MARKUP, "service": MARKUP, "scheduler": MARKUP, "refused": MARKUP,
            "servers": [{ "name": MARKUP, "server": MARKUP, "health": MARKUP, "verdict": MARKUP, "reason": MARKUP,
                "active_connections": 4, "drained": {"since": 1, "why": MARKUP},
                "history": [{"at": 1, "verdict": MARKUP, "reason": MARKUP}] }],
            "leaving": [{"name": MARKUP, "server": MARKUP}], "sorry_server": {"server": MARKUP, "in_use": true} }],
    });
    let pulse = serde_json::json!({
        "pid": std::process::id(), "role": MARKUP, "phase": MARKUP, "why": MARKUP, "trouble": [MARKUP],
        "partner": {"address": MARKUP, "says": MARKUP}, "paths": [{"path": MARKUP, "state": MARKUP}],
        "vips": [{"address": MARKUP, "device": MARKUP}], "last_conflict": {"address": MARKUP, "mac": MARKUP, "at": 1},
    });
    std::fs::write(site.folder.path().join("lvs.json"), lvs.to_string()).unwrap();
    std::fs::write(site.folder.path().join("pulse.json"), pulse.to_string()).unwrap();
    site.app.monitor.look_once(site.folder.path()).await;
    let browser = site.log_in("piranha").await;
    let query = |pairs: &[(&str, &str)]| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(pairs).finish()
    };
    let service = "1/<script>alert(1)</script>";
    let mut paths = pages();
    for page in ["virtual", "servers", "scripts"] {
        paths.push(format!("/secure/{page}?{}", query(&[("service", service)])));
    }
    paths.push(format!("/secure/service?{}", query(&[("service", MARKUP)])));
    paths.push(format!(
        "/secure/drain?{}",
        query(&[("server", &format!("{MARKUP}/{MARKUP}"))])
    ));
    let mut seen = 0;
    for path in paths.iter().filter(|path| !path.starts_with("/static/")) {
        let answer = browser.get(path).await;
        if path.ends_with(".json") || path == "/secure/file" {
            continue;
        }
        for bad in ["<script>alert", "<img", "<b>1"] {
            assert!(!answer.text.contains(bad), "{path}: {bad}");
        }
        seen += usize::from(answer.text.contains("&#60;script&#62;alert"));
    }
    assert!(seen >= 5, "the hostile texts were not on the pages: {seen}");
}

#[tokio::test]
async fn r8_s3_nothing_of_an_address_comes_back_as_markup() {
    let site = Site::new();
    let browser = site.log_in("piranha").await;
    let bad = "%22%3E%3Cscript%3Ealert(1)%3C/script%3E";
    for (path, get, _) in routes() {
        if !get || path == "/secure/live" {
            continue;
        }
        for parameter in ["rate", "service", "server", "selected", "number", "new"] {
            let answer = browser.get(&format!("{path}?{parameter}={bad}")).await;
            assert!(!answer.text.contains("<script>alert"), "{path}?{parameter}");
        }
    }
}

/// The kernel counts what ended programs used: here there were none, whatever was asked for.
#[tokio::test]
async fn r4_cve_2000_0322_no_page_and_no_form_runs_a_program() {
    use nix::sys::resource::{UsageWho, getrusage};
    use nix::sys::wait::{WaitPidFlag, waitpid};
    let used = || getrusage(UsageWho::RUSAGE_CHILDREN).unwrap().max_rss();
    let site = Site::new();
    let browser = site.log_in("piranha").await;
    for page in pages() {
        browser.get(&page).await;
    }
    let command = "$(touch /tmp/piranha-r4); `id` | sh";
    for (path, _, post) in routes() {
        if !post || path == "/logout" {
            continue;
        }
        for action in ["", "accept", "add", "delete", "toggle", "edit", command] {
            let base = browser.get("/secure/global").await.hidden("base");
            let names = [
                "PriLVSIP",
                "redundant",
                "hostname",
                "name",
                "server",
                "user",
            ];
            let names = names.into_iter().chain(["why", "send_program", "password"]);
            let mut fields: Vec<_> = names.map(|name| (name, command)).collect();
            fields.extend([("base", base.as_str()), ("action", action), ("sure", "1")]);
            fields.extend([("service", "1/web"), ("selected", "1/web"), ("step", "2")]);
            browser.post(&path, &fields).await;
        }
    }
    let none = Err(nix::errno::Errno::ECHILD);
    assert_eq!(
        (used(), waitpid(None, Some(WaitPidFlag::WNOHANG))),
        (0, none)
    );
    // It would be seen.
    std::process::Command::new("true").status().unwrap();
    assert_ne!(used(), 0);
}

#[tokio::test]
async fn r9_the_message_stands_beside_the_field_and_what_was_typed_is_kept() {
    let site = Site::new();
    let browser = site.log_in("piranha").await;
    let page = "/secure/server?service=1/web&server=1/one";
    let fields = [
        ("service", "1/web"),
        ("server", "1/one"),
        ("name", "one"),
        ("address", "10.0.0.999"),
        ("port", ""),
        ("weight", "heavy \"one\""),
    ];
    let text = browser.save(page, "/secure/server", &fields).await.text;
    assert!(
        text.contains("value=\"10.0.0.999\"") && text.contains("value=\"heavy &#34;one&#34;\"")
    );
    let after = |id: &str| {
        text.split(&format!("id=\"{id}-error\""))
            .nth(1)
            .unwrap_or_default()
            .to_owned()
    };
    assert!(
        after("address").starts_with(" role=\"alert\">must be an IPv4 address"),
        "{text}"
    );
    assert!(
        after("weight").starts_with(" role=\"alert\">must be a number"),
        "{text}"
    );
    assert_eq!(site.file(), FILE);
}

#[tokio::test]
async fn a_wrong_reason_or_time_of_a_drain_is_told_beside_its_field() {
    let site = Site::new();
    let browser = site.log_in("piranha").await;
    let long = "느".repeat(201);
    for (why, seconds, wrong) in [
        (long.as_str(), "900", "why"),
        ("one\ntwo", "900", "why"),
        ("one\0two", "900", "why"),
        ("repair", "soon", "seconds"),
        ("repair", "-1", "seconds"),
    ] {
        let fields = [("server", "web/one"), ("why", why), ("seconds", seconds)];
        let answer = browser.post("/secure/drain", &fields).await;
        let (text, case) = (answer.text, format!("{why:?} {seconds}"));
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{case}");
        assert!(text.contains(&format!("value=\"{why}\"")), "{case}: {text}");
        for name in ["why", "seconds"] {
            let error = format!("id=\"{name}-error\" role=\"alert\"");
            assert_eq!(text.contains(&error), name == wrong, "{case}: {name}");
        }
    }
    // As many characters as its field takes are three times as many bytes; nobody is here to do it.
    let fields = [
        ("server", "web/one"),
        ("why", &long[3..]),
        ("seconds", "900"),
    ];
    let answer = browser.post("/secure/drain", &fields).await;
    assert!(!answer.text.contains("id=\"why\""), "{}", answer.text);
}

#[tokio::test]
async fn r14_programs_are_shown_but_not_taken() {
    let site = Site::new();
    let browser = site.log_in("piranha").await;
    let page = "/secure/scripts?service=1/web";
    let text = browser.get(page).await.text;
    assert!(text.contains("Programs run as root"), "{text}");
    let fields = [("service", "1/web"), ("send_program", "/bin/sh")];
    let answer = browser.save(page, "/secure/scripts", &fields).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    // Nor by a change that somebody makes up.
    let base = browser.get(page).await.hidden("base");
    for change in [
        r#"{"edits":[{"edit":"set","at":{"item":"global"},"keyword":"active_cmd","value":"/bin/sh"}]}"#,
        r#"{"text":"active_cmd = /bin/sh\n"}"#,
        r#"{"version":99}"#,
        r#"{"edits":[{"edit":"run"}]}"#,
        "",
    ] {
        let answer = browser
            .post("/secure/apply", &[("base", &base), ("change", change)])
            .await;
        assert!(
            answer.status.is_client_error(),
            "{change}: {}",
            answer.status
        );
    }
    assert_eq!(site.file(), FILE);
}
