//! Pages beside the monitoring screen that follow the daemons, and all of it as JSON.

use axum::body::BodyDataStream;
use futures_util::StreamExt as _;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixListener;

use super::monitoring::lvs;
use super::*;

const SERVICE: &str = "-t%20192.0.2.80:80";

/// The messages that a page with this address gets.
async fn follow(site: &Site, browser: &Browser<'_>, path: &str) -> BodyDataStream {
    let request = browser.request("GET", path);
    let mut request = request.body(Body::empty()).unwrap();
    let peer = Peer("127.0.0.1".parse().unwrap());
    request.extensions_mut().insert(peer);
    let response = site.router.clone().oneshot(request).await.unwrap();
    response.into_body().into_data_stream()
}

async fn next(stream: &mut BodyDataStream) -> String {
    let message = tokio::time::timeout(Duration::from_secs(60), stream.next()).await;
    String::from_utf8(message.unwrap().unwrap().unwrap().to_vec()).unwrap()
}

#[tokio::test]
async fn the_page_of_a_service_follows_it_until_it_is_gone() {
    let site = Site::new();
    lvs(&site, "up", 1);
    site.app.monitor.look_once(site.folder.path()).await;
    let browser = site.log_in("guest").await;
    let page = format!("/secure/service?service={SERVICE}");
    let text = browser.get(&page).await.text;
    let live = format!(
        "/secure/live?service={}&amp;rate=10",
        SERVICE.replace(':', "%3A")
    );
    assert!(text.contains(&live), "{live}: {text}");

    let live = format!("/secure/live?service={SERVICE}&rate=3600");
    let mut stream = follow(&site, &browser, &live).await;
    assert!(next(&mut stream).await.starts_with("event: structure\n"));
    lvs(&site, "down", 1);
    site.app.monitor.look_once(site.folder.path()).await;
    let message = next(&mut stream).await;
    let parts = message.matches("hx-swap-oob=\"true\"").count();
    assert!(parts == 2 && message.contains("0/1 up"), "{message}");

    std::fs::remove_file(site.folder.path().join("lvs.json")).unwrap();
    site.app.monitor.look_once(site.folder.path()).await;
    assert!(next(&mut stream).await.starts_with("event: structure\n"));
    let gone = browser
        .get(&format!("/secure/parts?service={SERVICE}"))
        .await
        .text;
    let said = crate::visitor::Language::English.texts().gone;
    assert!(gone.contains(said), "{gone}");
}

/// Answers one question to the applier.
async fn answer(applier: &UnixListener, reply: &serde_json::Value) {
    let asked = tokio::time::timeout(Duration::from_secs(60), applier.accept()).await;
    let (stream, _) = asked.unwrap().unwrap();
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    stream.read_line(&mut line).await.unwrap();
    let reply = format!("{reply}\n");
    stream.get_mut().write_all(reply.as_bytes()).await.unwrap();
}

#[tokio::test]
async fn the_partners_view_follows_and_is_in_the_json_with_the_last_hour() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("applier.sock");
    let applier = UnixListener::bind(&socket).unwrap();
    let site = Site::furnished(FILE, |mut app| {
        app.applier = socket;
        app
    });
    lvs(&site, "up", 3);
    site.app.monitor.look_once(site.folder.path()).await;
    let silent = change::protocol::Reply::Error {
        message: "pulse is not running here".to_owned(),
    };
    let silent = serde_json::to_value(&silent).unwrap();
    let asked = site.app.monitor.ask_events(&site.app.applier);
    tokio::join!(asked, answer(&applier, &silent));
    let browser = site.log_in("guest").await;

    let pulse = serde_json::json!({"role": "backup", "phase": "standby", "since": 1});
    let reply = change::protocol::Reply::Status {
        pulse: change::protocol::Said::Status(pulse),
        lvs: change::protocol::Said::Silent("lvs is not running here".to_owned()),
    };
    let reply = serde_json::to_value(&reply).unwrap();
    let (page, ()) = tokio::join!(browser.get("/secure/partner"), answer(&applier, &reply));
    assert!(page.text.contains("standby"), "{}", page.text);
    assert!(page.text.contains("Asked last at"), "{}", page.text);
    let mut stream = follow(&site, &browser, "/secure/live?partner=1&rate=3600").await;
    assert!(next(&mut stream).await.starts_with("event: structure\n"));

    let path = format!("/secure/status.json?service={SERVICE}");
    let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    let one = json(&browser.get(&path).await.text);
    assert_eq!(one["partner"]["pulse"]["content"]["phase"], "standby");
    assert_eq!(one["partner"]["lvs"]["why"], "lvs is not running here");
    assert_eq!(one["events_missing"], "pulse is not running here");
    let hour = &one["history"];
    assert_eq!(hour["step_seconds"], 30);
    let line = &hour["services"]["-t 192.0.2.80:80"]["connections_per_second"];
    assert_eq!(line, &serde_json::json!([3.0]), "{hour}");
    let line = &hour["servers"]["10.0.0.11:80"]["active_connections"];
    assert_eq!(line, &serde_json::json!([5.0]), "{hour}");
    let all = json(&browser.get("/secure/status.json").await.text);
    assert!(all["history"]["servers"].is_null(), "{all}");
    assert_eq!(all["history"]["services"], hour["services"]);
}
