//! The monitoring screen from the daemons' files.

use super::*;
use futures_util::StreamExt as _;

fn pulse(site: &Site, json: &str) {
    std::fs::write(site.folder.path().join("pulse.json"), json).unwrap();
}

pub(super) fn lvs(site: &Site, health: &str, rate: u64) {
    let lvs = serde_json::json!({
        "pid": std::process::id(), "mode": "active", "notes": [],
        "services": [{ "name": "web", "service": "-t 192.0.2.80:80", "scheduler": "wlc", "present": true,
            "counters": {"connections": 10, "connections_per_second": rate, "in_bytes_per_second": 2048},
            "servers": [{ "name": "one", "server": "10.0.0.11:80", "health": health, "verdict": health,
                "reason": "connection refused", "since": 1_700_000_000_000_u64, "weight": 1, "configured_weight": 2, "nanny": 42,
                "active_connections": 5, "inactive_connections": 6,
                "history": [{"at": 1_700_000_000_000_u64, "verdict": "up", "reason": ""}, {"at": 1_700_000_001_000_u64, "verdict": health, "reason": "connection refused"}] }] }],
    });
    let path = site.folder.path().join("lvs.json");
    let temporary = site.folder.path().join("lvs.json.new");
    std::fs::write(&temporary, lvs.to_string()).unwrap();
    std::fs::rename(temporary, path).unwrap();
}

#[tokio::test]
async fn daemons_that_do_not_run_and_broken_files_are_told() {
    let site = Site::new();
    let browser = site.log_in("piranha").await;
    let control = async || {
        site.app.monitor.look_once(site.folder.path()).await;
        browser.get("/secure/control").await.text
    };
    assert!(
        control()
            .await
            .contains("pulse does not run: it has written no status file")
    );
    pulse(&site, "{\"pid\": 12,");
    assert!(control().await.contains("not what a daemon writes"));
    pulse(
        &site,
        "{\"pid\": 4194304, \"role\": \"primary\", \"phase\": \"active\"}",
    );
    let text = control().await;
    assert!(
        text.contains("does not run any more") && text.contains(">stopped<"),
        "{text}"
    );
    let own = std::process::id();
    pulse(
        &site,
        &format!(
            "{{\"pid\": {own}, \"role\": \"primary\", \"phase\": \"active\", \"since\": 1700000000}}"
        ),
    );
    let text = control().await;
    assert!(
        text.contains(">running<") && text.contains("2023-11-1"),
        "{text}"
    );
    let old = std::time::SystemTime::now() - Duration::from_secs(3600);
    let file = std::fs::File::options()
        .write(true)
        .open(site.folder.path().join("pulse.json"))
        .unwrap();
    file.set_modified(old).unwrap();
    assert!(
        control()
            .await
            .contains("written nothing for so many seconds: 36")
    );
}

#[tokio::test]
async fn r19_servers_with_verdict_reason_weight_and_connections() {
    let site = Site::new();
    lvs(&site, "down", 7);
    site.app.monitor.look_once(site.folder.path()).await;
    let browser = site.log_in("guest").await;
    let text = browser.get("/secure/control").await.text;
    for part in [
        "connection refused",
        "1 / 2",
        "✓✗",
        "0/1 up",
        "<svg class=\"graph\"",
        "2.0 KiB/s",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(
        !text.contains("/secure/drain"),
        "who may only look has no such link"
    );
    let page = browser
        .get("/secure/service?service=-t+192.0.2.80:80")
        .await
        .text;
    assert!(page.contains("10.0.0.11:80"), "{page}");
    let list = browser.get("/secure/virtuals").await.text;
    assert!(
        list.contains("0/1"),
        "the live state beside the configured one: {list}"
    );
    let admin = site.log_in("piranha").await;
    let form = admin.get("/secure/virtual?service=1/web").await.text;
    assert!(form.contains("data-edits") && form.contains("There are unsaved changes."));
    let json: serde_json::Value =
        serde_json::from_str(&browser.get("/secure/status.json").await.text).unwrap();
    assert_eq!(
        json["lvs"]["content"]["services"][0]["servers"][0]["reason"],
        "connection refused"
    );
    assert_eq!(json["pulse"]["file"], "missing");
    assert_eq!(json["events"][0]["source"], "web/one");
}

#[tokio::test]
async fn r18_only_the_monitoring_refreshes_and_not_more_often_than_every_ten_seconds() {
    let site = Site::lively(FILE).await;
    let browser = site.log_in("piranha").await;
    let first = browser.get("/secure/control").await.text;
    assert!(
        first.contains("sse-connect=\"/secure/live?rate=10\""),
        "{first}"
    );
    let faster = browser
        .get("/secure/control?auto_update=1&rate=1")
        .await
        .text;
    assert!(
        faster.contains("<noscript><meta http-equiv=\"refresh\" content=\"10\">"),
        "{faster}"
    );
    let off = browser.get("/secure/control?rate=30").await.text;
    assert!(
        !off.contains("sse-connect") && !off.contains("http-equiv=\"refresh\""),
        "{off}"
    );
    let monitoring = ["/secure/control", "/secure/service", "/secure/partner"];
    let is_form = |page: &&String| !monitoring.iter().any(|it| page.starts_with(it));
    for page in pages().iter().filter(is_form) {
        let text = browser.get(page).await.text;
        assert!(
            !text.contains("http-equiv=\"refresh\"") && !text.contains("sse-connect="),
            "{page}"
        );
    }
}

#[tokio::test]
async fn without_a_way_to_the_partner_its_view_says_so() {
    let site = Site::new();
    let browser = site.log_in("guest").await;
    let text = browser.get("/secure/partner").await.text;
    assert!(
        text.contains("There is no view of the partner:") && text.contains("--send-to-partner"),
        "{text}"
    );
}

/// A browser that reloads drops its request, while ssh runs on.
#[tokio::test]
async fn the_partner_is_asked_once_at_a_time_however_often_its_view_is_reloaded() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("applier.sock");
    let applier = tokio::net::UnixListener::bind(&socket).unwrap();
    let site = Site::furnished(FILE, |mut app| {
        app.applier = socket;
        app
    });
    let browser = site.log_in("guest").await;
    let asked = tokio::select! {
        answer = browser.get("/secure/partner") => panic!("{answer:?}"),
        asked = applier.accept() => asked.unwrap().0,
    };
    let text = browser.get("/secure/partner").await.text;
    assert!(text.contains("is being asked already"), "{text}");
    drop(asked);
    // Free again, once that has come to its end.
    while site.app.partner.last().is_none() {
        tokio::task::yield_now().await;
    }
    let text = browser.get("/secure/partner").await.text;
    assert!(text.contains("There is no view of the partner:"), "{text}");
    while crate::pages::partner::refresh(&site.app, Duration::ZERO).is_none() {
        tokio::task::yield_now().await;
    }
    drop(applier.accept().await.unwrap());
}

#[tokio::test]
async fn figures_wait_for_their_time_while_states_change() {
    let site = Site::new();
    let show = async |health: &str, other: u64| {
        lvs(&site, health, 1);
        let path = site.folder.path().join("lvs.json");
        let text = std::fs::read_to_string(&path).unwrap();
        let mut json: serde_json::Value = serde_json::from_str(&text).unwrap();
        let mut second = json["services"][0].clone();
        second["name"] = "mail".into();
        second["service"] = "-t 192.0.2.80:25".into();
        second["counters"]["connections_per_second"] = other.into();
        second["servers"][0]["health"] = "up".into();
        second["servers"][0]["verdict"] = "up".into();
        second["servers"][0]["history"] = serde_json::json!([]);
        json["services"].as_array_mut().unwrap().push(second);
        std::fs::write(path.with_extension("new"), json.to_string()).unwrap();
        std::fs::rename(path.with_extension("new"), path).unwrap();
        site.app.monitor.look_once(site.folder.path()).await;
    };
    show("up", 1).await;
    let browser = site.log_in("piranha").await;
    let request = browser.request("GET", "/secure/live?rate=3600");
    let mut request = request.body(Body::empty()).unwrap();
    let peer = Peer("127.0.0.1".parse().unwrap());
    request.extensions_mut().insert(peer);
    let response = site.router.clone().oneshot(request).await.unwrap();
    let mut stream = response.into_body().into_data_stream();
    let mut next = async || {
        let message = tokio::time::timeout(Duration::from_secs(60), stream.next()).await;
        String::from_utf8(message.unwrap().unwrap().unwrap().to_vec()).unwrap()
    };
    assert!(next().await.starts_with("event: structure\n"));
    show("down", 999).await;
    let message = next().await;
    assert!(message.contains("0/1 up"), "{message}");
    assert!(
        !message.contains(">999<"),
        "an hour is the interval: {message}"
    );
}

#[tokio::test]
async fn changes_of_state_are_sent_at_once_and_only_what_changed() {
    let site = Site::new();
    lvs(&site, "up", 1);
    site.app.monitor.look_once(site.folder.path()).await;
    let browser = site.log_in("piranha").await;
    let mut request = browser
        .request("GET", "/secure/live?rate=3600")
        .body(Body::empty())
        .unwrap();
    request
        .extensions_mut()
        .insert(Peer("127.0.0.1".parse().unwrap()));
    let response = site.router.clone().oneshot(request).await.unwrap();
    assert_eq!(
        response.headers()[header::CONTENT_TYPE],
        "text/event-stream"
    );
    let mut stream = response.into_body().into_data_stream();
    let mut next = async || {
        let message = tokio::time::timeout(Duration::from_secs(60), stream.next()).await;
        String::from_utf8(message.unwrap().unwrap().unwrap().to_vec()).unwrap()
    };
    assert!(next().await.starts_with("event: structure\n"));
    lvs(&site, "down", 1);
    site.app.monitor.look_once(site.folder.path()).await;
    let message = next().await;
    assert!(message.starts_with("event: fragments\ndata: "), "{message}");
    assert!(
        message.contains("hx-swap-oob=\"true\"") && message.contains("0/1 up"),
        "{message}"
    );
    assert!(
        !message.contains("part-state"),
        "it did not change: {message}"
    );
    assert_eq!(message.matches('\n').count(), 3, "one line of data");
    browser.post("/logout", &[]).await;
    lvs(&site, "up", 1);
    site.app.monitor.look_once(site.folder.path()).await;
    let end = tokio::time::timeout(Duration::from_secs(60), stream.next())
        .await
        .unwrap();
    assert!(end.is_none(), "the session has ended");
}
