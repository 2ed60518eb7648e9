//! Changes of lvs.cf through the forms, written by a real applier.

use super::*;

#[tokio::test]
async fn r11_r12_a_change_is_shown_first_and_then_written_once() {
    let site = Site::new();
    let browser = site.log_in("piranha").await;
    let fields = [
        ("redundant", "192.0.2.3"),
        ("hb_interval", "6"),
        ("dead_after", "18"),
        ("hb_port", "539"),
    ];
    let preview = browser
        .save("/secure/redundancy", "/secure/redundancy", &fields)
        .await;
    assert!(
        preview.text.contains("-backup = 192.0.2.2"),
        "{}",
        preview.text
    );
    assert!(
        preview.text.contains("+backup = 192.0.2.3"),
        "{}",
        preview.text
    );
    assert_eq!(site.file(), FILE, "nothing yet");
    let done = browser.confirm(&preview).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.text);
    let expected = FILE
        .replace("backup = 192.0.2.2", "backup = 192.0.2.3")
        .replace("serial_no = 7", "serial_no = 8");
    assert_eq!(site.file(), expected, "comments and order stay");
}

#[tokio::test]
async fn r12_what_changes_nothing_is_not_written() {
    let site = Site::new();
    let browser = site.log_in("piranha").await;
    let before = site.stamp();
    let fields = [("PriLVSIP", "192.0.2.1"), ("primary_private", "")];
    let answer = browser
        .save("/secure/global", "/secure/global", &fields)
        .await;
    assert!(
        answer.text.contains("Nothing would change"),
        "{}",
        answer.text
    );
    assert_eq!(site.stamp(), before);
}

#[tokio::test]
async fn r12_a_change_made_from_another_file_is_refused_with_both_versions() {
    let site = Site::new();
    let browser = site.log_in("piranha").await;
    let preview = browser.move_primary().await;
    let meanwhile = FILE.replace("keepalive = 6", "keepalive = 3");
    std::fs::write(site.folder.path().join("lvs.cf"), &meanwhile).unwrap();
    let answer = browser.confirm(&preview).await;
    assert_eq!(answer.status, StatusCode::CONFLICT, "{}", answer.text);
    assert!(answer.text.contains("keepalive = 3") && answer.text.contains("primary = 192.0.2.9"));
    assert_eq!(site.file(), meanwhile);
}

#[tokio::test]
async fn r13_a_deleted_block_is_not_mistaken_for_its_neighbour() {
    let site = Site::new();
    let browser = site.log_in("piranha").await;
    let (list, page) = ("/secure/servers", "/secure/servers?service=1/web");
    let delete = [
        ("service", "1/web"),
        ("selected", "1/one"),
        ("action", "delete"),
    ];
    let preview = browser.save(page, list, &delete).await;
    assert!(preview.text.contains("Yes, delete it"), "{}", preview.text);
    browser.confirm(&preview).await;
    assert!(!site.file().contains("server one") && site.file().contains("server two"));
    // A second window still shows the old list.
    let again = browser.save(page, list, &delete).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND);
    assert!(site.file().contains("server two"));
}

#[tokio::test]
async fn r10_from_an_empty_file_to_a_service_that_the_daemons_read() {
    let site = Site::with("");
    let browser = site.log_in("piranha").await;
    let global = [("PriLVSIP", "192.0.2.1")];
    let preview = browser
        .save("/secure/global", "/secure/global", &global)
        .await;
    browser.confirm(&preview).await;
    let nat = [
        ("PriLVSIP", "192.0.2.1"),
        ("network", "nat"),
        ("NATRtrIP", "10.0.0.1"),
        ("NATRtrDev", "eth1:1"),
        ("nat_nmask", "255.255.255.0"),
    ];
    let preview = browser.save("/secure/global", "/secure/global", &nat).await;
    browser.confirm(&preview).await;
    let preview = browser
        .save(
            "/secure/redundancy",
            "/secure/redundancy",
            &[("action", "enable")],
        )
        .await;
    browser.confirm(&preview).await;
    let pair = [
        ("redundant", "192.0.2.2"),
        ("hb_interval", "2"),
        ("dead_after", "6"),
        ("hb_port", "539"),
    ];
    let preview = browser
        .save("/secure/redundancy", "/secure/redundancy", &pair)
        .await;
    browser.confirm(&preview).await;

    assert_eq!(
        browser
            .post("/secure/virtuals", &[("action", "add")])
            .await
            .location(),
        "/secure/virtual?new=1"
    );
    let new = browser.get("/secure/virtual?new=1").await;
    assert!(new.text.contains("value=\"eth0:1\""), "{}", new.text);
    let service = [
        ("new", "1"),
        ("hostname", "my shop"),
        ("port", "80"),
        ("protocol", "tcp"),
        ("address", "192.0.2.80"),
        ("device", "eth0:1"),
        ("vip_nmask", "255.255.255.0"),
        ("sorry_server", ""),
        ("fwmark", ""),
        ("reentry", "15"),
        ("timeout", "6"),
        ("quiesce_server", "0"),
        ("load", "none"),
        ("sched", "rr"),
        ("persistent", ""),
        ("pmask", ""),
        ("timeout_ms", ""),
        ("retries", "1"),
        ("slow_start", "1"),
    ];
    let preview = browser
        .save("/secure/virtual?new=1", "/secure/virtual", &service)
        .await;
    assert_eq!(
        preview.hidden("next"),
        "/secure/virtual?service=1%2Fmy_shop"
    );
    browser.confirm(&preview).await;
    for (name, address) in [("web 1", "10.0.0.11"), ("web 2", "10.0.0.12")] {
        let server = [
            ("service", "1/my_shop"),
            ("new", "1"),
            ("name", name),
            ("address", address),
            ("port", ""),
            ("weight", "1"),
        ];
        let preview = browser
            .save(
                "/secure/server?service=1/my_shop&new=1",
                "/secure/server",
                &server,
            )
            .await;
        browser.confirm(&preview).await;
    }
    for selected in ["1/web_1", "1/web_2"] {
        let toggle = [
            ("service", "1/my_shop"),
            ("selected", selected),
            ("action", "toggle"),
        ];
        let preview = browser
            .save(
                "/secure/servers?service=1/my_shop",
                "/secure/servers",
                &toggle,
            )
            .await;
        browser.confirm(&preview).await;
    }
    let toggle = [("selected", "1/my_shop"), ("action", "toggle")];
    let preview = browser
        .save("/secure/virtuals", "/secure/virtuals", &toggle)
        .await;
    browser.confirm(&preview).await;

    let extensions = |level: lvs_config::Level| {
        let file = site.file();
        let written = level.extensions();
        written.into_iter().any(|keyword| file.contains(keyword))
    };
    assert!(!extensions(lvs_config::Level::Global) && !extensions(lvs_config::Level::Virtual));
    // By the library that pulse and lvs read it with.
    let read = lvs_config::parse(site.file().as_bytes()).unwrap();
    assert_eq!(read.warnings, []);
    let config = read.config;
    let service = &config.virtuals[0];
    assert!(service.active.value && service.servers.iter().all(|server| server.active.value));
    assert_eq!(service.servers.len(), 2);
    assert_eq!(config.global.serial_no.value, 10, "one for each change");
    let list = browser.get("/secure/virtuals").await.text;
    assert!(
        list.contains("my_shop") && list.contains("192.0.2.80"),
        "{list}"
    );
}

#[tokio::test]
async fn extensions_are_shown_and_written_where_they_say_something() {
    let site = Site::new();
    let browser = site.log_in("piranha").await;
    let page = "/secure/redundancy";
    let shown = browser.get(page).await.text;
    assert!(shown.contains("EXTENSIONS") && shown.contains("The file is read as root"));
    let common = [("hb_interval", "6"), ("dead_after", "18")];
    let usual = [
        ("failback", "0"),
        ("arp_interval", "60"),
        ("witness", ""),
        ("heartbeat_auth", "enforce"),
    ];
    let same = [&common[..], &usual].concat();
    let answer = browser.save(page, page, &same).await;
    assert!(
        answer.text.contains("Nothing would change"),
        "{}",
        answer.text
    );
    let own = [
        ("failback", "30"),
        ("witness", "192.0.2.254 192.0.2.253"),
        ("standby_checks", "1"),
        ("heartbeat_auth", "permissive"),
    ];
    let preview = browser
        .save(page, page, &[&common[..], &own].concat())
        .await;
    assert!(preview.text.contains("original"), "{}", preview.text);
    browser.confirm(&preview).await;
    let global = lvs_config::parse(site.file().as_bytes())
        .unwrap()
        .config
        .global;
    assert_eq!((global.failback.value, global.witness.value.len()), (30, 2));
    assert!(global.standby_checks.value && !global.arp_interval.is_written());
    // And back.
    let preview = browser.save(page, page, &same).await;
    browser.confirm(&preview).await;
    let file = site.file();
    let extensions = lvs_config::Level::Global.extensions();
    assert!(!extensions.iter().any(|it| file.contains(it)), "{file}");
    for (keyword, value) in [
        ("witness", "192.0.2.300"),
        ("failback", "soon"),
        ("keepalive_ms", "5"),
        ("heartbeat_auth", "never"),
        ("heartbeat_key", "/etc/shadow"),
    ] {
        let answer = browser.save(page, page, &[(keyword, value)]).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{keyword}");
        assert!(
            answer.text.contains(&format!("id=\"{keyword}-error\"")),
            "{keyword}"
        );
    }
}

#[tokio::test]
async fn r21_a_mark_reminds_of_the_firewall_and_any_mask_is_taken() {
    let site = Site::new();
    let browser = site.log_in("piranha").await;
    let page = "/secure/virtual?service=1/web";
    let text = browser.get(page).await.text;
    assert!(text.contains("--set-mark") && text.contains("list=\"masks\""));
    assert!(text.contains("255.255.254.0") && text.contains("255.0.0.0"));
    // Not one of the original's sixteen.
    let fields = [
        ("service", "1/web"),
        ("fwmark", "7"),
        ("vip_nmask", "255.128.0.0"),
    ];
    let preview = browser.save(page, "/secure/virtual", &fields).await;
    browser.confirm(&preview).await;
    let file = site.file();
    assert!(file.contains("fwmark = 7\n") && file.contains("vip_nmask = 255.128.0.0\n"));
    let wrong = [("service", "1/web"), ("vip_nmask", "255.0.255.0")];
    let answer = browser.save(page, "/secure/virtual", &wrong).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn scripts_are_replaced_and_cleared() {
    let site = Site::new();
    let browser = site.log_in("piranha").await;
    let page = "/secure/scripts?service=1/web";
    let fields = [
        ("service", "1/web"),
        ("send", ""),
        ("expect", "HTTP/1.1 200"),
        ("use_regex", "1"),
    ];
    let preview = browser.save(page, "/secure/scripts", &fields).await;
    browser.confirm(&preview).await;
    assert!(
        site.file().contains("expect = \"HTTP/1.1 200\"") && site.file().contains("use_regex = 1")
    );
    assert!(
        site.file()
            .contains("send = \"GET / HTTP/1.0\\r\\n\\r\\n\""),
        "an empty field leaves it"
    );
    let preview = browser
        .save(
            page,
            "/secure/scripts",
            &[("service", "1/web"), ("clear", "send")],
        )
        .await;
    browser.confirm(&preview).await;
    assert!(!site.file().contains("send ="), "{}", site.file());
}

#[tokio::test]
async fn r16_r20_undo_log_and_download() {
    let site = Site::new();
    let browser = site.log_in("piranha").await;
    let preview = browser.move_primary().await;
    browser.confirm(&preview).await;
    let history = browser.get("/secure/history").await;
    assert!(
        history.text.contains("127.0.0.1") && history.text.contains("piranha"),
        "{}",
        history.text
    );
    assert!(history.text.contains("7 → 8"), "{}", history.text);
    let number = history.hidden("number");
    let shown = browser
        .get(&format!("/secure/version?number={number}"))
        .await;
    assert!(shown.text.contains("primary = 192.0.2.1"), "{}", shown.text);
    let preview = browser
        .save("/secure/history", "/secure/undo", &[("number", &number)])
        .await;
    browser.confirm(&preview).await;
    assert_eq!(site.file(), FILE.replace("serial_no = 7", "serial_no = 9"));
    assert_eq!(browser.get("/secure/file").await.text, site.file());
}

#[tokio::test]
async fn a_wrong_file_is_shown_with_its_messages_and_not_changed() {
    let wrong = FILE.replace("port = 80", "port = 99999");
    let site = Site::with(&wrong);
    let browser = site.log_in("piranha").await;
    for page in ["/secure/global", "/secure/virtuals"] {
        let text = browser.get(page).await.text;
        assert!(
            text.contains("lvs.cf has errors") && text.contains("line 17"),
            "{text}"
        );
        assert!(
            !text.contains("value=\"accept\"") && !text.contains("value=\"delete\""),
            "{text}"
        );
    }
    assert_eq!(browser.get("/secure/control").await.status, StatusCode::OK);
    let answer = browser.move_primary().await;
    assert_eq!(
        answer.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "{}",
        answer.text
    );
    assert_eq!(site.file(), wrong);
}

/// pulse refuses to start with it, though the file has no error.
#[tokio::test]
async fn a_file_of_failover_services_is_told_of_on_all_its_pages() {
    let pages = [
        "/secure/global",
        "/secure/redundancy",
        "/secure/virtuals",
        "/secure/history",
    ];
    for (file, is_told) in [
        (FILE.to_owned(), false),
        (FILE.replace("service = lvs", "service = fos"), true),
    ] {
        let site = Site::with(&file);
        let browser = site.log_in("guest").await;
        for page in pages {
            let answer = browser.get(page).await;
            assert_eq!(answer.status, StatusCode::OK, "{page}");
            let text = answer.text;
            assert_eq!(text.contains("service = fos:"), is_told, "{page}: {text}");
        }
    }
}

#[tokio::test]
async fn r15_without_the_applier_the_file_is_shown_and_cannot_be_changed() {
    let site = Site::new();
    std::fs::remove_file(site.folder.path().join("applier.sock")).unwrap();
    let browser = site.log_in("piranha").await;
    let text = browser.get("/secure/global").await.text;
    assert!(
        text.contains("piranha-applier does not answer") && text.contains("192.0.2.1"),
        "{text}"
    );
    assert!(!text.contains("value=\"accept\""), "{text}");
    let answer = browser.move_primary().await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(site.file(), FILE);
}

#[tokio::test]
async fn a_hand_over_is_asked_twice() {
    let site = Site::new();
    let browser = site.log_in("piranha").await;
    for unticked in [&[][..], &[("step", "2")]] {
        let first = browser.post("/secure/hand-over", unticked).await;
        assert_eq!(first.status, StatusCode::UNPROCESSABLE_ENTITY);
        let told = "id=\"sure-error\" role=\"alert\">Tick the box first";
        assert!(first.text.contains(told), "{}", first.text);
        assert!(!first.text.contains("Once more"), "{}", first.text);
    }
    let second = browser.post("/secure/hand-over", &[("sure", "1")]).await;
    assert!(second.text.contains("Once more"), "{}", second.text);
    let done = browser
        .post("/secure/hand-over", &[("sure", "1"), ("step", "2")])
        .await;
    assert!(
        done.text.contains("Not done"),
        "no pulse runs here: {}",
        done.text
    );
}
