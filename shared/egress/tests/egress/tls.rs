//! Who answers has to be who was called.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use egress::{EgressSettings, Failure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, crypto};

use crate::support::{Fake, get, over};

fn file(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/egress/tls")).join(name)
}

/// A server with a certificate for `hook.example`.
async fn hook() -> SocketAddr {
    let chain = CertificateDer::pem_file_iter(file("hook.pem")).unwrap().collect::<Result<_, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_file(file("hook.key")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut head = [0; 4096];
            let _ = stream.read(&mut head).await;
            let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").await;
            let _ = stream.shutdown().await;
        }
    });
    address
}

fn trusting(roots: Option<&str>) -> EgressSettings {
    EgressSettings { roots: roots.map(file), ..EgressSettings::default() }
}

// D8
#[tokio::test]
async fn a_certificate_of_an_authority_that_is_trusted_for_that_name_is_needed() {
    let server = hook().await;
    let network = || Arc::new(Fake::answering([vec!["93.184.216.34".parse().unwrap()]]).reaching(server));
    let trusting_egress = over(&network(), &trusting(Some("ca.pem")));
    let answer = get(&trusting_egress, "https://hook.example/").await.unwrap();
    assert_eq!(answer.status.as_u16(), 204);
    assert_eq!(get(&trusting_egress, "https://other.example/").await.unwrap_err(), Failure::Tls);
    let by_address = get(&trusting_egress, "https://93.184.216.34/").await.unwrap_err();
    assert_eq!(by_address, Failure::Tls);
    let wary = over(&network(), &trusting(None));
    assert_eq!(get(&wary, "https://hook.example/").await.unwrap_err(), Failure::Tls);
}

// D8
#[test]
fn a_file_of_authorities_that_cannot_be_used_is_said_at_the_start() {
    for name in ["missing.pem", "hook.key", "README.md"] {
        let unusable = egress::Egress::new(&trusting(Some(name))).unwrap_err().to_string();
        assert!(unusable.starts_with("egress.roots: ") && unusable.contains(name), "{unusable}");
    }
}
