//! Who gets in, and what every answer carries.

use super::*;

const METHODS: [&str; 9] = [
    "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "HACK",
];

fn is_public(method: &str, path: &str) -> bool {
    match method {
        "GET" | "HEAD" => [
            "/",
            "/login",
            "/about-login",
            "/health",
            "/static/style.css",
        ]
        .contains(&path),
        "POST" => ["/login", "/preferences"].contains(&path),
        _ => false,
    }
}

#[tokio::test]
async fn r1_cve_2013_6492_no_method_opens_a_path_to_those_who_are_not_logged_in() {
    let site = Site::new();
    let browser = site.browser();
    let mut paths: Vec<String> = routes().into_iter().map(|(path, ..)| path).collect();
    paths.extend(
        [
            "/secure",
            "/secure/",
            "/secure/none",
            "/none",
            "/secure/../secure/global",
            "//secure/global",
        ]
        .map(str::to_owned),
    );
    for path in &paths {
        for method in METHODS {
            let request = browser
                .request(method, path)
                .header(header::ORIGIN, "http://127.0.0.1:3636");
            let answer = site.send(request.body(Body::empty()).unwrap()).await;
            let which = format!("{method} {path}: {}", answer.status);
            if is_public(method, path) {
                assert_ne!(answer.status, StatusCode::UNAUTHORIZED, "{which}");
            } else {
                assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{which}");
                assert!(!answer.text.contains("192.0.2"), "{which}");
            }
        }
    }
    assert_eq!(site.file(), FILE);
}

#[tokio::test]
async fn r1_whoever_is_logged_in_has_only_the_methods_of_the_pages() {
    let site = Site::new();
    let browser = site.log_in("piranha").await;
    for (path, get, post) in routes() {
        for method in ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "HACK"] {
            let answer = browser
                .send(browser.request(method, &path).body(Body::empty()).unwrap())
                .await;
            assert_eq!(
                answer.status,
                StatusCode::METHOD_NOT_ALLOWED,
                "{method} {path}"
            );
        }
        if path != "/secure/live" {
            let answer = browser.get(&path).await;
            assert_eq!(
                answer.status == StatusCode::METHOD_NOT_ALLOWED,
                !get,
                "GET {path}"
            );
        }
        if !post {
            let answer = browser.post(&path, &[]).await;
            assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "POST {path}");
        }
    }
    assert_eq!(
        browser.get("/secure/none").await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn r1_pages_lead_to_the_log_in() {
    let site = Site::new();
    let welcome = site.browser().get("/").await.text;
    for link in ["href=\"/login\"", "href=\"/about-login\""] {
        assert!(welcome.contains(link), "{link}: {welcome}");
    }
    let answer = site.browser().get("/secure/global").await;
    assert_eq!(
        (answer.status, answer.location()),
        (StatusCode::SEE_OTHER, "/login")
    );
}

#[test]
fn r2_cve_2000_0248_without_an_account_the_tool_does_not_serve() {
    let site = Site::new();
    let path = site.folder.path().join("piranha.passwd");
    let text = path.to_str().unwrap();
    let options = |file: &str| {
        let words = ["piranha-gui", "--accounts", file].map(std::ffi::OsString::from);
        crate::options::parse(words).unwrap()
    };
    assert_eq!(crate::need_an_account(&options(text)), Ok(()));
    std::fs::write(&path, "# nobody\n").unwrap();
    let error = crate::need_an_account(&options(text)).unwrap_err();
    assert!(
        error.contains("no account") && error.contains("piranha-passwd"),
        "{error}"
    );
    std::fs::write(&path, "piranha:admin:\n").unwrap();
    assert!(
        crate::need_an_account(&options(text))
            .unwrap_err()
            .contains("line 1")
    );
    std::fs::remove_file(&path).unwrap();
    assert!(
        crate::need_an_account(&options(text))
            .unwrap_err()
            .contains("piranha-passwd")
    );
}

#[tokio::test]
async fn r5_sessions_begin_with_a_password_and_end_with_the_log_out() {
    let site = Site::new();
    let browser = site.browser();
    assert_eq!(
        browser.try_log_in("piranha", "wrong").await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        browser.try_log_in("nobody", "right").await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        browser.try_log_in("piranha", "").await.status,
        StatusCode::FORBIDDEN
    );
    let browser = site.log_in("piranha").await;
    let cookie = browser.cookies.borrow()["piranha"].clone();
    assert_eq!(cookie.len(), 64);
    assert_eq!(browser.get("/secure/global").await.status, StatusCode::OK);
    browser.post("/logout", &[]).await;
    browser
        .cookies
        .borrow_mut()
        .insert("piranha".to_owned(), cookie);
    assert_eq!(
        browser.get("/secure/global").await.status,
        StatusCode::SEE_OTHER,
        "the old cookie"
    );
}

#[tokio::test]
async fn r5_cookies_are_kept_from_scripts_and_other_sites() {
    let site = Site::new();
    let answer = site.browser().try_log_in("piranha", "right").await;
    for cookie in answer.headers.get_all(header::SET_COOKIE) {
        let cookie = cookie.to_str().unwrap();
        assert!(cookie.contains("; HttpOnly; SameSite=Strict"), "{cookie}");
    }
    assert!(crate::visitor::cookie(true, "a", "b").contains("; Secure"));
    assert!(crate::visitor::session_cookie(true).starts_with("__Host-"));
}

#[tokio::test]
async fn r5_an_account_that_is_removed_or_changed_has_no_session() {
    let site = Site::new();
    let browser = site.log_in("guest").await;
    assert_eq!(browser.get("/secure/control").await.status, StatusCode::OK);
    let mut accounts = accounts().clone();
    accounts.set(Account::new("guest", Role::Admin, "right").unwrap());
    std::fs::write(site.folder.path().join("piranha.passwd"), accounts.text()).unwrap();
    assert_eq!(
        browser.get("/secure/control").await.status,
        StatusCode::SEE_OTHER
    );
}

#[tokio::test]
async fn r5_a_thousand_wrong_passwords() {
    let site = Site::new();
    let browser = site.browser();
    let mut counts = BTreeMap::new();
    for _ in 0..1000 {
        let answer = browser.try_log_in("piranha", "guess").await;
        *counts.entry(answer.status.as_u16()).or_insert(0) += 1;
    }
    // A pause is a second at least and doubles: few guesses are looked at, however slow the machine is.
    assert!(counts[&429] >= 900, "{counts:?}");
    let elsewhere = "198.51.100.7".parse().unwrap();
    assert_eq!(
        site.app.attempts().wait(site.app.now(), elsewhere),
        None,
        "others do not wait"
    );
}

#[tokio::test]
async fn r6_a_form_counts_only_with_its_token_and_from_this_site() {
    let site = Site::new();
    let browser = site.log_in("piranha").await;
    let token = browser.form_token().await;
    let other = site.log_in("piranha").await.form_token().await;
    let own = Some("http://127.0.0.1:3636");
    for (path, _, post) in routes() {
        if !post {
            continue;
        }
        for (token, origin) in [
            ("", own),
            ("x", own),
            (other.as_str(), own),
            (&token, None),
            (&token, Some("null")),
            (&token, Some("http://evil.example")),
            (&token, Some("http://127.0.0.1:3637")),
            (&token, Some("http://127.0.0.1:3636.evil.example")),
        ] {
            let answer = browser
                .post_bare(&path, &[("form_token", token)], origin)
                .await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} {origin:?}");
        }
    }
    assert_eq!(
        browser.get("/secure/control").await.status,
        StatusCode::OK,
        "still logged in"
    );
    assert_eq!(site.file(), FILE);
}

#[tokio::test]
async fn r6_each_form_has_a_token_and_changes_by_post_only() {
    let site = Site::lively(FILE).await;
    let browser = site.log_in("piranha").await;
    for page in pages() {
        let text = browser.get(&page).await.text;
        for form in text.split("<form").skip(1) {
            let form = form.split("</form>").next().unwrap();
            let is_post = form.contains("method=\"post\"");
            let has_token = form.contains("name=\"form_token\" value=\"");
            assert_eq!(is_post, has_token, "{page}: {form}");
            assert!(
                is_post || form.contains("action=\"/secure/control\""),
                "{page}: {form}"
            );
        }
    }
}

#[tokio::test]
async fn r6_looking_writes_nothing() {
    let site = Site::new();
    let browser = site.log_in("piranha").await;
    let before = site.stamp();
    for page in pages() {
        browser.get(&page).await;
    }
    assert_eq!((site.stamp(), site.file().as_str()), (before, FILE));
}

#[tokio::test]
async fn r6_names_of_others_do_not_lead_here() {
    let site = Site::new();
    for (host, expected) in [
        ("127.0.0.1:3636", StatusCode::OK),
        ("[::1]:3636", StatusCode::OK),
        ("localhost", StatusCode::OK),
        ("LB1.example.com:3636", StatusCode::OK),
        ("evil.example:3636", StatusCode::MISDIRECTED_REQUEST),
        (
            "lb1.example.com.evil.example",
            StatusCode::MISDIRECTED_REQUEST,
        ),
        ("", StatusCode::MISDIRECTED_REQUEST),
    ] {
        let request = Request::builder().uri("/").header(header::HOST, host);
        let answer = site.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, expected, "{host}");
    }
}

#[tokio::test]
async fn r8_each_answer_forbids_what_pages_do_not_need() {
    let site = Site::new();
    let browser = site.log_in("piranha").await;
    for path in pages()
        .iter()
        .map(String::as_str)
        .chain(["/secure/none", "/static/none"])
    {
        let answer = browser.get(path).await;
        let text = |name: &str| {
            answer
                .headers
                .get(name)
                .map_or("", |it| it.to_str().unwrap())
        };
        let policy = text("content-security-policy");
        assert!(
            policy.contains("default-src 'none'") && !policy.contains("unsafe"),
            "{path}"
        );
        assert!(policy.contains("frame-ancestors 'none'"), "{path}");
        assert_eq!(text("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(text("referrer-policy"), "same-origin", "{path}");
        let is_kept = path.starts_with("/static/") && answer.status == StatusCode::OK;
        assert_eq!(text("cache-control") != "no-store", is_kept, "{path}");
        for inline in ["<script>", " style=", " onclick", "javascript:"] {
            assert!(!answer.text.contains(inline) || is_kept, "{path}: {inline}");
        }
        if answer.status == StatusCode::OK && !is_kept {
            let is_utf_8 = text("content-type").contains("utf-8") || path.ends_with("json");
            assert!(
                is_utf_8 || path == "/health",
                "r22 {path}: {}",
                text("content-type")
            );
        }
    }
}

#[tokio::test]
async fn read_only_accounts_look_and_change_nothing() {
    let site = Site::new();
    let browser = site.log_in("guest").await;
    for (path, _, post) in routes() {
        if post && !["/login", "/logout", "/preferences"].contains(&path.as_str()) {
            let answer = browser
                .post(&path, &[("action", "delete"), ("selected", "1/web")])
                .await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
            assert!(answer.text.contains("may only look"), "{path}");
        }
    }
    assert_eq!(site.file(), FILE);
    let text = browser.get("/secure/global").await.text;
    assert!(
        text.contains("192.0.2.1") && !text.contains("ACCEPT"),
        "{text}"
    );
}

#[tokio::test]
async fn r17_what_may_hold_passwords_is_hidden_from_those_who_only_look() {
    let secret = FILE.replace("GET / HTTP/1.0", "PASS geheim");
    let site = Site::with(&secret);
    let admin = site.log_in("piranha").await;
    let guest = site.log_in("guest").await;
    let mut seen = 0;
    for page in pages() {
        seen += usize::from(admin.get(&page).await.text.contains("geheim"));
        let text = guest.get(&page).await.text;
        assert!(!text.contains("geheim"), "{page}: {text}");
    }
    assert!(seen >= 2, "the administrator sees it on {seen} pages");
}

#[tokio::test]
async fn r23_large_forms_are_refused() {
    let site = Site::new();
    let browser = site.log_in("piranha").await;
    let huge = "x".repeat(2 << 20);
    let answer = browser.post("/secure/global", &[("PriLVSIP", &huge)]).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    // Without a stated length too.
    let body = Body::from_stream(futures_util::stream::iter((0..100).map(|_| {
        Ok::<_, std::convert::Infallible>(axum::body::Bytes::from(vec![b'x'; 1 << 20]))
    })));
    let request = browser
        .request("POST", "/secure/global")
        .header(header::ORIGIN, "http://127.0.0.1:3636");
    let answer = browser.send(request.body(body).unwrap()).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn r22_languages_by_browser_and_by_switch() {
    let site = Site::new();
    let browser = site.browser();
    let korean = browser
        .request("GET", "/")
        .header(header::ACCEPT_LANGUAGE, "ko-KR,ko;q=0.9");
    let answer = browser.send(korean.body(Body::empty()).unwrap()).await;
    assert!(answer.text.contains("<html lang=\"ko\"") && answer.text.contains("로그인"));
    assert!(browser.get("/").await.text.contains("<html lang=\"en\""));
    let answer = browser
        .post(
            "/preferences",
            &[("language", "ko"), ("back", "/about-login")],
        )
        .await;
    assert_eq!(answer.location(), "/about-login");
    assert!(browser.get("/").await.text.contains("<html lang=\"ko\""));
    for back in [
        "//evil.example/",
        "http://evil.example/",
        "/\\evil.example",
        "/a\nb",
    ] {
        let answer = browser
            .post("/preferences", &[("theme", "dark"), ("back", back)])
            .await;
        assert_eq!(answer.location(), "/", "{back}");
    }
    assert!(browser.get("/").await.text.contains("data-theme=\"dark\""));
}
