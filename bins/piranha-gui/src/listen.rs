//! Connections: who may connect, how many at once, how slowly, with TLS or without.
//!
//! Knows nothing of what is asked.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
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

/// Connections at once; more wait in the kernel.
const CONNECTIONS: usize = 256;
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
        let (router, tls) = (router.clone(), tls.clone());
        tokio::spawn(async move {
            converse(stream, from, router, tls).await;
            drop(place);
        });
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
    use super::*;

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
