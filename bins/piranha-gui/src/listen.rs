//! Connections: who may connect, how many at once, how slowly, with TLS or without.
//!
//! Knows nothing of what is asked.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use ipnet::IpNet;
use nix::sys::socket::{setsockopt, sockopt::TcpUserTimeout};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tower::ServiceExt as _;

use crate::attempts::client_network;

/// Connections at once; more wait in the kernel.
const CONNECTIONS: usize = 256;
/// Connections of one client at once, so that a few of them cannot keep out the others.
const CONNECTIONS_OF_ONE: usize = 64;
/// For the head of a request, and for the TLS handshake.
const PATIENCE: Duration = Duration::from_secs(10);
/// For what was sent to be taken.
const UNREAD_MILLISECONDS: u32 = 30_000;
/// Largest head of a request.
const HEAD_LIMIT: usize = 32 << 10;
/// Pause after a failure to take a connection.
const PAUSE: Duration = Duration::from_millis(500);

/// Whose request it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// Certificate and key from PEM files.
///
/// # Errors
/// Which file is wrong, and how.
pub(crate) fn tls(certificate: &Path, key: &Path) -> Result<TlsAcceptor, String> {
    let wrong = |path: &Path, error: &dyn std::fmt::Display| {
        format!("failed to read {}: {error}", path.display())
    };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(|error| wrong(certificate, &error))?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| wrong(key, &error))?;
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(|error| wrong(certificate, &error))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Takes connections for ever.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    tls: Option<TlsAcceptor>,
    allow: Vec<IpNet>,
) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let crowd = Crowd::default();
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        let Ok((stream, from)) = listener.accept().await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        if !is_allowed(&allow, from) {
            continue;
        }
        let Some(seat) = crowd.enter(from.ip()) else {
            continue;
        };
        let (router, tls) = (router.clone(), tls.clone());
        tokio::spawn(async move {
            converse(stream, from, router, tls).await;
            drop((place, seat));
        });
    }
}

/// How many connections each client has.
#[derive(Debug, Clone, Default)]
struct Crowd(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// A connection's place among those of its client.
struct Seat(Crowd, IpAddr);

impl Crowd {
    fn counts(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, client: IpAddr) -> Option<Seat> {
        let client = client_network(client);
        let mut counts = self.counts();
        let count = counts.entry(client).or_insert(0);
        if *count >= CONNECTIONS_OF_ONE {
            return None;
        }
        *count += 1;
        Some(Seat(self.clone(), client))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut counts = self.0.counts();
        if let Some(count) = counts.get_mut(&self.1) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.1);
            }
        }
    }
}

fn is_allowed(allow: &[IpNet], from: SocketAddr) -> bool {
    let address = from.ip().to_canonical();
    allow.is_empty() || allow.iter().any(|network| network.contains(&address))
}

async fn converse(stream: TcpStream, from: SocketAddr, router: Router, tls: Option<TlsAcceptor>) {
    // Both only make a bad connection end sooner.
    let _ = stream.set_nodelay(true);
    let _ = setsockopt(&stream, TcpUserTimeout, &UNREAD_MILLISECONDS);
    let peer = Peer(from.ip().to_canonical());
    match tls {
        None => http(stream, peer, router).await,
        Some(tls) => {
            if let Ok(Ok(stream)) = tokio::time::timeout(PATIENCE, tls.accept(stream)).await {
                http(stream, peer, router).await;
            }
        }
    }
}

async fn http(stream: impl AsyncRead + AsyncWrite + Unpin, peer: Peer, router: Router) {
    let service = router.map_request(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        request
    });
    // How a connection ended is nobody's business.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(HEAD_LIMIT)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
        .await;
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// The answer to a request from this loopback address; empty when the connection was closed.
    async fn answer(port: u16, from: &str) -> String {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(format!("{from}:0").parse().unwrap()).unwrap();
        let mut stream = socket.connect(([127, 0, 0, 1], port).into()).await.unwrap();
        let request = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        let mut text = Vec::new();
        // A connection that is closed at once may be reset.
        if stream.write_all(request).await.is_ok() {
            let _ = stream.read_to_end(&mut text).await;
        }
        String::from_utf8(text).unwrap()
    }

    #[tokio::test]
    async fn r23_slow_clients_do_not_keep_out_others() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let router = Router::new().route("/", get(|| async { "here" }));
        tokio::spawn(serve(listener, router, None, Vec::new()));
        let mut slow = Vec::new();
        for _ in 0..2 * CONNECTIONS {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            let _ = stream.write_all(b"GET / HT").await;
            slow.push(stream);
        }
        let limit = Duration::from_secs(60);
        let other = tokio::time::timeout(limit, answer(port, "127.0.0.2"))
            .await
            .unwrap();
        assert!(other.ends_with("here"), "{other}");
        // They are closed when their patience is over, or sooner.
        for mut stream in slow {
            let mut rest = Vec::new();
            let end = tokio::time::timeout(limit, stream.read_to_end(&mut rest)).await;
            assert!(end.is_ok(), "a slow client stays");
        }
        let again = tokio::time::timeout(limit, answer(port, "127.0.0.1"))
            .await
            .unwrap();
        assert!(again.ends_with("here"), "{again}");
    }

    #[test]
    fn r7_only_clients_of_these_networks() {
        let allow: Vec<IpNet> = vec![
            "10.0.0.0/8".parse().unwrap(),
            "2001:db8::/64".parse().unwrap(),
        ];
        for (from, expected) in [
            ("10.1.2.3:1", true),
            ("[::ffff:10.1.2.3]:1", true),
            ("[2001:db8::5]:1", true),
            ("192.0.2.1:1", false),
            ("[2001:db9::5]:1", false),
        ] {
            assert_eq!(
                is_allowed(&allow, from.parse().unwrap()),
                expected,
                "{from}"
            );
        }
        assert!(is_allowed(&[], "192.0.2.1:1".parse().unwrap()));
    }
}
