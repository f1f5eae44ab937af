//! `wss://`.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use exec_client::{ConnectError, Endpoint, Transport};
use futures_util::StreamExt;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::server::TlsStream;
use tokio_tungstenite::tungstenite::Message;

use crate::endpoints::accept;
use crate::fake::soon;

/// Somebody who signs certificates, and the file in which a client finds theirs.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    directory: TempDir,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { issuer, directory }
    }

    fn file(&self) -> PathBuf {
        self.directory.path().join("ca.pem")
    }

    /// What a server of this name needs to speak TLS.
    fn server(&self, name: &str) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::Pkcs8(key.serialize_der().into()),
            )
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}

/// A server that listens, and what a client needs to reach it.
struct Server {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl Server {
    async fn start(acceptor: TlsAcceptor) -> (Self, Endpoint) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("wss://{}/path", listener.local_addr().unwrap());
        (Self { listener, acceptor }, url.parse().unwrap())
    }

    /// None if the client does not like what it is shown.
    async fn accept(&self) -> Option<TlsStream<TcpStream>> {
        let (stream, _) = self.listener.accept().await.unwrap();
        self.acceptor.accept(stream).await.ok()
    }
}

async fn refused(acceptor: TlsAcceptor, ca_file: PathBuf) {
    let (server, endpoint) = Server::start(acceptor).await;
    let endpoint = endpoint.with_ca_file(ca_file);
    let (outcome, accepted) = soon(Box::pin(async {
        tokio::join!(Transport::connect(&endpoint), server.accept())
    }))
    .await;
    assert!(matches!(outcome, Err(ConnectError::Tls { .. })), "{outcome:?}");
    assert!(accepted.is_none());
}

#[tokio::test]
async fn a_server_with_a_certificate_that_is_trusted_is_spoken_with() {
    let authority = Authority::new();
    let (server, endpoint) = Server::start(authority.server("127.0.0.1")).await;
    let endpoint = endpoint
        .with_ca_file(authority.file())
        .with_token("s3cret")
        .unwrap();
    let serve = Box::pin(async { Box::pin(accept(server.accept().await.unwrap())).await });
    let (transport, (mut socket, uri, shown)) = soon(Box::pin(async {
        tokio::join!(Transport::connect(&endpoint), serve)
    }))
    .await;
    assert_eq!((uri.as_str(), shown.as_deref()), ("/path", Some("Bearer s3cret")));
    let (mut sender, _receiver) = transport.unwrap().split();
    // Longer than a record of TLS.
    let long = "x".repeat(100_000);
    sender.send(Bytes::from(long.clone())).await.unwrap();
    assert_eq!(soon(socket.next()).await.unwrap().unwrap(), Message::text(long));
}

#[tokio::test]
async fn a_certificate_of_somebody_else_is_refused() {
    refused(Authority::new().server("127.0.0.1"), Authority::new().file()).await;
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let authority = Authority::new();
    refused(authority.server("localhost"), authority.file()).await;
}

#[tokio::test]
async fn a_server_without_tls_is_refused() {
    let authority = Authority::new();
    let (server, endpoint) = Server::start(authority.server("127.0.0.1")).await;
    let endpoint = endpoint.with_ca_file(authority.file());
    let hang_up = async { drop(server.listener.accept().await) };
    let (outcome, ()) = soon(Box::pin(async {
        tokio::join!(Transport::connect(&endpoint), hang_up)
    }))
    .await;
    assert!(matches!(outcome, Err(ConnectError::Tls { .. })), "{outcome:?}");
}

#[tokio::test]
async fn a_file_without_certificates_is_told_before_anybody_is_called() {
    let (server, endpoint) = Server::start(Authority::new().server("127.0.0.1")).await;
    let file = tempfile::NamedTempFile::new().unwrap();
    for path in [file.path().to_owned(), file.path().join("missing")] {
        let outcome = soon(Transport::connect(&endpoint.clone().with_ca_file(path))).await;
        assert!(
            matches!(outcome, Err(ConnectError::Certificates(_))),
            "{outcome:?}"
        );
    }
    // Somebody else's file, after whose error a connection would be waiting here.
    let nobody = tokio::time::timeout(std::time::Duration::ZERO, server.listener.accept()).await;
    assert!(nobody.is_err());
}
