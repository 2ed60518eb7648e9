//! A site of 500 virtual servers with 2,000 real servers, which was too large for the original (R23).

use std::fmt::Write as _;

use super::*;

const SERVICES: usize = 500;
const SERVERS: usize = 4;

fn large() -> String {
    let mut file = FILE.split("virtual web").next().unwrap().to_owned();
    for service in 0..SERVICES {
        let (a, b) = (service / 200, service % 200 + 1);
        write!(
            file,
            "virtual s{service} {{\n active = 1\n address = 198.18.{a}.{b} eth0:{service}\n port = 80\n"
        )
        .unwrap();
        for server in 0..SERVERS {
            let number = service * SERVERS + server;
            let (a, b) = (number / 200, number % 200 + 1);
            write!(
                file,
                " server r{server} {{\n address = 10.1.{a}.{b}\n active = 1\n }}\n"
            )
            .unwrap();
        }
        file += "}\n";
    }
    file
}

fn status() -> String {
    let server = |service: usize, server: usize| {
        let number = service * SERVERS + server;
        serde_json::json!({
            "name": format!("r{server}"), "server": format!("10.1.{}.{}:80", number / 200, number % 200 + 1),
            "health": "up", "verdict": "up", "weight": 1, "configured_weight": 1,
        })
    };
    let service = |service: usize| {
        serde_json::json!({
            "name": format!("s{service}"), "present": true,
            "service": format!("-t 198.18.{}.{}:80", service / 200, service % 200 + 1),
            "servers": (0..SERVERS).map(|it| server(service, it)).collect::<Vec<_>>(),
        })
    };
    let services: Vec<_> = (0..SERVICES).map(service).collect();
    serde_json::json!({ "pid": std::process::id(), "mode": "active", "services": services })
        .to_string()
}

#[tokio::test]
async fn r23_five_hundred_virtual_servers_are_shown_and_changed() {
    let site = Site::with(&large());
    std::fs::write(site.folder.path().join("lvs.json"), status()).unwrap();
    site.app.monitor.look_once(site.folder.path()).await;
    let browser = site.log_in("piranha").await;

    let list = browser.get("/secure/virtuals").await.text;
    assert_eq!(list.matches("4/4").count(), SERVICES);
    let control = browser.get("/secure/control").await.text;
    assert_eq!(control.matches("4/4 up").count(), SERVICES);
    let json = browser.get("/secure/status.json").await.text;
    assert_eq!(json.matches("\"r3\"").count(), SERVICES);

    let page = "/secure/virtual?service=1/s499";
    let fields = [("service", "1/s499"), ("port", "8080")];
    let preview = browser.save(page, "/secure/virtual", &fields).await;
    assert_eq!(browser.confirm(&preview).await.status, StatusCode::OK);
    let delete = [("selected", "1/s0"), ("action", "delete")];
    let preview = browser
        .save("/secure/virtuals", "/secure/virtuals", &delete)
        .await;
    browser.confirm(&preview).await;
    let config = lvs_config::parse(site.file().as_bytes()).unwrap().config;
    assert_eq!(config.virtuals.len(), SERVICES - 1);
    assert_eq!(config.virtuals.last().unwrap().port.value, 8080);
}
