//! The whole tool without a network: requests go to the router, changes to a real applier in a folder
//! of the test's own. Tests are named after the requirements of `piranha-gui.md` section 13.

mod access;
mod changes;
mod fields;
mod hostile;
mod korean;
mod large;
mod live;
mod metrics;
mod monitoring;
mod network;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use account::{Account, Accounts, Role};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use piranha_applier::{Applier, Settings};
use tower::ServiceExt as _;

use crate::app::App;
use crate::listen::Peer;
use crate::options::Options;

pub(crate) const FILE: &str = "# the pair of the shop\nserial_no = 7\nprimary = 192.0.2.1\nservice = lvs\n\
    backup_active = 1\nbackup = 192.0.2.2\nheartbeat = 1\nkeepalive = 6\ndeadtime = 18\n\
    network = nat\nnat_router = 10.0.0.1 eth1:1\nnat_nmask = 255.255.255.0\n\
    virtual web {\n     # its shop\n     active = 1\n     address = 192.0.2.80 eth0:1\n     port = 80\n\
    \x20    send = \"GET / HTTP/1.0\\r\\n\\r\\n\"\n     expect = \"HTTP\"\n     scheduler = wlc\n\
    \x20    server one {\n         address = 10.0.0.11\n         active = 1\n         weight = 1\n     }\n\
    \x20    server two {\n         address = 10.0.0.12\n         active = 1\n         weight = 2\n     }\n}\n";

/// A tool with its files.
pub(crate) struct Site {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) app: Arc<App>,
    router: Router,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: axum::http::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn location(&self) -> &str {
        self.headers
            .get(header::LOCATION)
            .map_or("", |it| it.to_str().unwrap())
    }

    /// The value of a hidden field.
    pub(crate) fn hidden(&self, name: &str) -> String {
        let field = regex::Regex::new(&format!("name=\"{name}\" value=\"([^\"]*)\"")).unwrap();
        let found = field.captures(&self.text);
        let found = found.unwrap_or_else(|| panic!("no {name} in {}", self.text));
        found[1]
            .replace("&#34;", "\"")
            .replace("&#38;", "&")
            .replace("&#39;", "'")
    }
}

/// Hashing takes long enough to do it once.
fn accounts() -> &'static Accounts {
    static ACCOUNTS: OnceLock<Accounts> = OnceLock::new();
    ACCOUNTS.get_or_init(|| {
        let mut accounts = Accounts::default();
        accounts.set(Account::new("piranha", Role::Admin, "right").unwrap());
        accounts.set(Account::new("guest", Role::ReadOnly, "right").unwrap());
        accounts
    })
}

impl Site {
    pub(crate) fn new() -> Self {
        Self::with(FILE)
    }

    pub(crate) fn with(file: &str) -> Self {
        Self::furnished(file, |app| app)
    }

    /// `furnish` gives the tool what its start would have read.
    pub(crate) fn furnished(file: &str, furnish: impl FnOnce(App) -> App) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("lvs.cf"), file).unwrap();
        std::fs::write(path("piranha.passwd"), accounts().text()).unwrap();
        std::fs::set_permissions(path("piranha.passwd"), PermissionsExt::from_mode(0o600)).unwrap();
        let applier = Applier::new(Settings {
            config: path("lvs.cf"),
            run_dir: folder.path().to_owned(),
            state_dir: folder.path().to_owned(),
            program_folders: Vec::new(),
            ssh: None,
        });
        let listener = UnixListener::bind(path("applier.sock")).unwrap();
        let own = nix::unistd::geteuid().as_raw();
        std::thread::spawn(move || piranha_applier::serve(&listener, &Arc::new(applier), &[own]));
        let app = App::new(&Options {
            listen: "127.0.0.1:3636".parse().unwrap(),
            tls: None,
            insecure_http: false,
            allow: Vec::new(),
            host_names: vec!["lb1.example.com".to_owned()],
            metrics_token: None,
            accounts: path("piranha.passwd"),
            config: path("lvs.cf"),
            run_dir: folder.path().to_owned(),
            applier: path("applier.sock"),
            user: "piranha".to_owned(),
            idle: Duration::from_secs(1800),
            longest: Duration::from_secs(43_200),
        });
        let app = Arc::new(furnish(app));
        Self {
            router: crate::router::router(Arc::clone(&app)),
            app,
            folder,
        }
    }

    /// With daemons that say something of each kind, and an earlier version.
    pub(crate) async fn lively(file: &str) -> Self {
        let site = Self::with(file);
        let own = std::process::id();
        let server = |name: &str, address: &str, health: &str, reason: &str| {
            serde_json::json!({ "name": name, "server": address, "health": health, "verdict": health,
                "reason": reason, "since": 1_700_000_000_000_u64, "weight": 1, "configured_weight": 1,
                "active_connections": 5, "inactive_connections": 6,
                "history": [{"at": 1_700_000_000_000_u64, "verdict": health, "reason": reason}] })
        };
        let lvs = serde_json::json!({ "pid": own, "mode": "active", "notes": [],
            "services": [{ "name": "web", "service": "-t 192.0.2.80:80", "scheduler": "wlc", "present": true,
                "servers": [server("one", "10.0.0.11:80", "up", ""),
                    server("two", "10.0.0.12:80", "down", "connection refused")] }] });
        let pulse = serde_json::json!({ "pid": own, "role": "primary", "phase": "active",
            "since": 1_700_000_000, "why": "no partner was heard", "trouble": [],
            "partner": {"address": "192.0.2.2", "says": "nothing"},
            "paths": [{"path": "public", "state": "silent"}] });
        for (name, content) in [("lvs.json", lvs), ("pulse.json", pulse)] {
            std::fs::write(site.folder.path().join(name), content.to_string()).unwrap();
        }
        site.app.monitor.look_once(site.folder.path()).await;
        let browser = site.log_in("piranha").await;
        let preview = browser.move_primary().await;
        let done = browser.confirm(&preview).await;
        assert_eq!(done.status, StatusCode::OK, "{}", done.text);
        site
    }

    pub(crate) fn file(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("lvs.cf")).unwrap()
    }

    /// What tells whether somebody wrote the file.
    pub(crate) fn stamp(&self) -> (u64, i64, i64) {
        let about = self.folder.path().join("lvs.cf").metadata().unwrap();
        (about.ino(), about.mtime(), about.mtime_nsec())
    }

    pub(crate) async fn send(&self, mut request: Request<Body>) -> Answer {
        request
            .extensions_mut()
            .insert(Peer("127.0.0.1".parse().unwrap()));
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8_lossy(&body).into_owned(),
        }
    }

    /// A browser without anything.
    pub(crate) fn browser(&self) -> Browser<'_> {
        Browser {
            site: self,
            cookies: RefCell::default(),
        }
    }

    /// A browser that is logged in.
    pub(crate) async fn log_in(&self, user: &str) -> Browser<'_> {
        let browser = self.browser();
        let answer = browser.try_log_in(user, "right").await;
        assert_eq!(
            (answer.status, answer.location()),
            (StatusCode::SEE_OTHER, "/secure/control")
        );
        browser
    }
}

/// Keeps cookies and sends forms as a browser does.
pub(crate) struct Browser<'s> {
    pub(crate) site: &'s Site,
    pub(crate) cookies: RefCell<BTreeMap<String, String>>,
}

impl Browser<'_> {
    pub(crate) fn request(&self, method: &str, path: &str) -> axum::http::request::Builder {
        let cookies = self.cookies.borrow();
        let cookies: Vec<String> = cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "127.0.0.1:3636")
            .header(header::COOKIE, cookies.join("; "))
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let answer = self.site.send(request).await;
        for cookie in answer.headers.get_all(header::SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies
                .borrow_mut()
                .insert(name.to_owned(), value.to_owned());
        }
        answer
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        let request = self
            .request("GET", path)
            .header(header::ACCEPT, "text/html");
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// What this browser's forms carry.
    pub(crate) async fn form_token(&self) -> String {
        self.get("/about-login").await.hidden("form_token")
    }

    /// Sends a form with its token.
    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.form_token().await;
        let mut all = vec![("form_token", token.as_str())];
        all.extend_from_slice(fields);
        self.post_bare(path, &all, Some("http://127.0.0.1:3636"))
            .await
    }

    pub(crate) async fn post_bare(
        &self,
        path: &str,
        fields: &[(&str, &str)],
        origin: Option<&str>,
    ) -> Answer {
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(fields);
        let mut request = self
            .request("POST", path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some(origin) = origin {
            request = request.header(header::ORIGIN, origin);
        }
        self.send(request.body(Body::from(body.finish())).unwrap())
            .await
    }

    /// Sends a form of a page with the digest that the page has.
    pub(crate) async fn save(&self, page: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let base = self.get(page).await.hidden("base");
        let mut all = vec![("base", base.as_str())];
        all.extend_from_slice(fields);
        self.post(path, &all).await
    }

    /// Asks for another address of the primary: a change that any right lvs.cf takes.
    pub(crate) async fn move_primary(&self) -> Answer {
        let fields = [("PriLVSIP", "192.0.2.9")];
        self.save("/secure/global", "/secure/global", &fields).await
    }

    /// Confirms what a page says that it will do.
    pub(crate) async fn confirm(&self, preview: &Answer) -> Answer {
        assert_eq!(preview.status, StatusCode::OK, "{}", preview.text);
        let (base, change) = (preview.hidden("base"), preview.hidden("change"));
        let next = preview.hidden("next");
        let fields = [
            ("base", base.as_str()),
            ("change", change.as_str()),
            ("next", next.as_str()),
        ];
        self.post("/secure/apply", &fields).await
    }

    pub(crate) async fn try_log_in(&self, user: &str, password: &str) -> Answer {
        self.post("/login", &[("user", user), ("password", password)])
            .await
    }
}

/// All paths of the router, by its source, and whether they take GET and POST.
pub(crate) fn routes() -> Vec<(String, bool, bool)> {
    let source = include_str!("router.rs");
    let route =
        regex::Regex::new(r#"(?s)\.route\([ \n]*"([^"]+)",(.*?)\)[ \n]*(?:\.route|;)"#).unwrap();
    let mut rest = source;
    let mut routes = Vec::new();
    while let Some(found) = route.captures(rest) {
        let path = found[1].replace("{file}", "style.css");
        routes.push((path, found[2].contains("get("), found[2].contains("post(")));
        rest = &rest[found.get(2).unwrap().end()..];
    }
    assert_eq!(routes.len(), source.matches(".route(").count());
    routes
}

/// Pages to look at, with what they need to show something.
pub(crate) fn pages() -> Vec<String> {
    let pages = routes()
        .into_iter()
        .filter(|(path, get, _)| *get && path != "/secure/live" && path != "/metrics");
    pages
        .map(|(path, ..)| match path.as_str() {
            "/secure/virtual" | "/secure/servers" | "/secure/scripts" => {
                format!("{path}?service=1/web")
            }
            "/secure/server" => format!("{path}?service=1/web&server=1/one"),
            "/secure/service" => format!("{path}?service=-t%20192.0.2.80:80"),
            "/secure/drain" => format!("{path}?server=web/one"),
            "/secure/version" => format!("{path}?number=1"),
            _ => path,
        })
        .chain([
            "/secure/virtual?new=1".to_owned(),
            "/secure/server?service=1/web&new=1".to_owned(),
        ])
        .collect()
}
