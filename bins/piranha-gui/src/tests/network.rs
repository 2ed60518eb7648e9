//! Over a real connection, with TLS. The key here is for this test alone.

use std::path::Path;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::*;

fn file(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src/tests/tls")
        .join(name)
}

#[tokio::test]
async fn r7_the_tool_speaks_tls() {
    let site = Site::new();
    let tls = crate::listen::tls(&file("certificate.pem"), &file("key.pem")).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(crate::listen::serve(
        listener,
        site.router.clone(),
        Some(tls),
        Vec::new(),
    ));

    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(file("certificate.pem")).unwrap())
        .unwrap();
    let config = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(address).await.unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    let mut stream = connector
        .connect("localhost".try_into().unwrap(), stream)
        .await
        .unwrap();
    let request = b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    assert!(
        text.starts_with("HTTP/1.1 200") && text.ends_with("ok\n"),
        "{text}"
    );

    // Plain HTTP gets nothing there.
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    assert!(!String::from_utf8_lossy(&rest).contains("ok\n"));
}

#[test]
fn a_wrong_certificate_or_key_is_named() {
    let (certificate, key) = (file("certificate.pem"), file("key.pem"));
    let wrong =
        |certificate: &Path, key: &Path| crate::listen::tls(certificate, key).err().unwrap();
    assert!(wrong(&file("none.pem"), &key).contains("none.pem"));
    assert!(wrong(&certificate, &certificate).contains("certificate.pem"));
    assert!(wrong(&key, &key).contains("key.pem"));
}

#[test]
fn r7_others_are_served_with_tls_only() {
    let words = ["piranha-gui", "--listen", "0.0.0.0:0"].map(std::ffi::OsString::from);
    let error = crate::start(&crate::options::parse(words.clone()).unwrap()).unwrap_err();
    assert!(
        error.contains("--certificate") && error.contains("0.0.0.0:0"),
        "{error}"
    );
    let words = words
        .into_iter()
        .chain(["--insecure-http", "--accounts", "/none"].map(Into::into));
    let words = words.chain(["--user", "nobody"].map(Into::into));
    let error = crate::start(&crate::options::parse(words).unwrap()).unwrap_err();
    assert!(error.contains("no account"), "said on purpose: {error}");
}
