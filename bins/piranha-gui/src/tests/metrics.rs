//! `/metrics`: closed like every page, opened by its token and by nothing else.

use super::*;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// A site that was started with a token.
fn site() -> Site {
    let site = Site::furnished(FILE, |app| app.with_metrics_token(Some(TOKEN.to_owned())));
    let pulse = "{\"role\":\"primary\",\"phase\":\"active\",\"pid\":1}";
    std::fs::write(site.folder.path().join("pulse.json"), pulse).unwrap();
    site
}

fn request(method: &str, path: &str, authorization: Option<&str>) -> Request<Body> {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, "127.0.0.1:3636");
    if let Some(text) = authorization {
        request = request.header(header::AUTHORIZATION, text);
    }
    request.body(Body::empty()).unwrap()
}

#[tokio::test]
async fn r1_the_token_opens_the_metrics_and_nothing_else() {
    let site = site();
    let right = format!("Bearer {TOKEN}");
    let answer = site.send(request("GET", "/metrics", Some(&right))).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert!(
        answer.text.contains("piranha_phase{phase=\"active\"} 1\n"),
        "{}",
        answer.text
    );
    assert!(answer.text.ends_with("# EOF\n"));
    assert_eq!(
        answer.headers[header::CONTENT_TYPE],
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    );
    let head = site.send(request("HEAD", "/metrics", Some(&right))).await;
    assert_eq!((head.status, head.text.as_str()), (StatusCode::OK, ""));
    let wrong = [
        None,
        Some("Bearer "),
        Some(TOKEN),
        Some("Bearer 0123456789abcdef0123456789abcdeF"),
        Some("Basic 0123456789abcdef0123456789abcdef"),
    ];
    for authorization in wrong {
        let answer = site.send(request("GET", "/metrics", authorization)).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{authorization:?}");
        assert!(!answer.text.contains("piranha_"));
    }
    for (path, ..) in routes()
        .into_iter()
        .filter(|(path, ..)| path.starts_with("/secure"))
    {
        let answer = site.send(request("GET", &path, Some(&right))).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}");
    }
    for method in ["POST", "PUT", "DELETE"] {
        let answer = site.send(request(method, "/metrics", Some(&right))).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method}");
    }
}

#[tokio::test]
async fn without_a_token_only_who_is_logged_in_sees_metrics() {
    let site = Site::new();
    let answer = site.send(request("GET", "/metrics", Some("Bearer "))).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    let answer = site.log_in("guest").await.get("/metrics").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(
        answer
            .text
            .contains("piranha_status_readable{daemon=\"pulse\"} 0\n")
    );
}

#[test]
fn a_token_that_others_can_read_or_guess_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metrics.token");
    let token = |text: &str, mode: u32| {
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        crate::pages::metrics::token(&path)
    };
    assert_eq!(token(&format!("{TOKEN}\n"), 0o600).unwrap(), TOKEN);
    assert!(token(TOKEN, 0o640).is_ok());
    for (text, mode, part) in [
        (TOKEN, 0o604, "chmod 600"),
        ("short", 0o600, "at least 16"),
        ("two words of good length", 0o600, "one word"),
        ("", 0o600, "at least 16"),
    ] {
        let error = token(text, mode).unwrap_err();
        assert!(
            error.contains(part) && error.contains("metrics.token"),
            "{error}"
        );
    }
    std::fs::remove_file(&path).unwrap();
    let error = crate::pages::metrics::token(&path).unwrap_err();
    assert!(error.contains("cannot read --metrics-token"), "{error}");
}
