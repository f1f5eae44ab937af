//! TLS.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::{fs, io};

use exec_tests::program::{Running, output, server as program};
use exec_tests::wait::within_patience;
use exec_tests::websocket::{Opcode, Part, frame, read_frame};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustix::process::Signal;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion, version};
use tempfile::tempdir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::newcomers::hung_up;
use super::{handshake, write_secret};

/// Makes a certificate for `localhost` and its key, where the server reads them.
pub(crate) fn make_certificate(place: &Path) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).expect("there is randomness");
    fs::write(place.join("cert.pem"), cert.pem()).expect("there is room for a file");
    write_secret(&place.join("key.pem"), signing_key.serialize_pem());
}

pub(crate) fn certificate(place: &Path) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(place.join("cert.pem")).expect("it is one")
}

/// A server that speaks TLS, and where.
pub(crate) async fn listening(place: &Path) -> (Running, String) {
    let mut command = program(["--no-tasks", "--log", "info", "--listen", "wss://127.0.0.1:0"]);
    command
        .arg("--tls-cert")
        .arg(place.join("cert.pem"))
        .arg("--tls-key")
        .arg(place.join("key.pem"));
    let mut server = Running::start(command);
    server.stdout_until("\n").await;
    let url = String::from_utf8(server.stdout.clone()).expect("it is text");
    let address = url
        .trim_end()
        .strip_prefix("wss://")
        .expect("it speaks TLS")
        .to_owned();
    (server, address)
}

/// A connection to a server with this certificate.
pub(crate) async fn connected(
    server: &str,
    root: CertificateDer<'static>,
    versions: &[&'static SupportedProtocolVersion],
) -> io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(root).expect("it is a certificate");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .expect("they are supported")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(server).await?;
    let name = ServerName::try_from("localhost").expect("it is a name");
    let connecting = TlsConnector::from(Arc::new(config)).connect(name, stream);
    within_patience("TLS", connecting).await
}

/// The beginning of what a server with this certificate answers.
async fn answer(
    server: &str,
    root: CertificateDer<'static>,
    versions: &[&'static SupportedProtocolVersion],
) -> io::Result<String> {
    let mut stream = connected(server, root, versions).await?;
    stream
        .write_all(handshake("/", "Host: localhost\r\n").as_bytes())
        .await?;
    let mut answer = vec![0; "HTTP/1.1 101".len()];
    within_patience("an answer", stream.read_exact(&mut answer)).await?;
    Ok(String::from_utf8(answer).expect("it is text"))
}

#[tokio::test]
async fn a_websocket_is_spoken_over_tls() {
    let place = tempdir().expect("there is room for a directory");
    make_certificate(place.path());
    let (server, address) = listening(place.path()).await;
    for versions in [&[&version::TLS12][..], &[&version::TLS13]] {
        let answer = answer(&address, certificate(place.path()), versions).await;
        assert_eq!(answer.expect("it speaks TLS"), "HTTP/1.1 101");
    }
    let mut plain = TcpStream::connect(&address).await.expect("the server listens");
    plain
        .write_all(handshake("/", "Host: localhost\r\n").as_bytes())
        .await
        .expect("the server reads");
    let mut answer = Vec::new();
    let _ = within_patience("the end", plain.read_to_end(&mut answer)).await;
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    server.signal(Signal::TERM);
    assert!(server.output().await.status.success());
}

/// Reads to the end, which must be one that TLS tells apart from a connection that was cut.
async fn ends_cleanly(stream: &mut TlsStream<TcpStream>) -> Vec<u8> {
    let mut rest = Vec::new();
    let read = within_patience("the end", stream.read_to_end(&mut rest)).await;
    read.expect("the end is TLS's own");
    rest
}

#[tokio::test]
async fn the_end_of_a_connection_is_one_of_tls_too() {
    let place = tempdir().expect("there is room for a directory");
    make_certificate(place.path());
    let (server, address) = listening(place.path()).await;
    for versions in [&[&version::TLS12][..], &[&version::TLS13]] {
        let connected = async || {
            let stream = connected(&address, certificate(place.path()), versions).await;
            stream.expect("it speaks TLS")
        };
        // An answer that is none to switch to websocket.
        for (request, status) in [
            (
                "GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(),
                "200",
            ),
            ("POST / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(), "405"),
            (handshake("/", "Host: elsewhere.example\r\n"), "421"),
            ("nothing\r\n\r\n".to_owned(), "400"),
        ] {
            let mut stream = connected().await;
            stream
                .write_all(request.as_bytes())
                .await
                .expect("the server reads");
            let answer = ends_cleanly(&mut stream).await;
            assert!(
                answer.starts_with(format!("HTTP/1.1 {status} ").as_bytes()),
                "{answer:?}"
            );
        }
        // A goodbye of the client's, and one of the server's.
        for (says, expected) in [
            (frame(Opcode::Close, Part::Last, b"\x03\xe8"), 1000_u16),
            (b"\x83\x80\0\0\0\0".to_vec(), 1002),
        ] {
            let mut stream = websocket(connected().await).await;
            stream.write_all(&says).await.expect("the server reads");
            assert_eq!(close_code(&mut stream).await, expected);
            assert_eq!(ends_cleanly(&mut stream).await, b"");
        }
    }
    let stream = connected(&address, certificate(place.path()), &[&version::TLS13]).await;
    let mut stream = websocket(stream.expect("it speaks TLS")).await;
    server.signal(Signal::TERM);
    assert_eq!(close_code(&mut stream).await, 1001);
    assert_eq!(ends_cleanly(&mut stream).await, b"");
    drop(stream);
    assert!(server.output().await.status.success());
}

/// Asks for a websocket, and gets it.
pub(crate) async fn websocket(mut stream: TlsStream<TcpStream>) -> TlsStream<TcpStream> {
    stream
        .write_all(handshake("/", "Host: localhost\r\n").as_bytes())
        .await
        .expect("the server reads");
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        let byte = within_patience("an answer", stream.read_u8()).await;
        answer.push(byte.expect("the answer has an end"));
    }
    assert!(answer.starts_with(b"HTTP/1.1 101 "), "{answer:?}");
    stream
}

/// The code of the next frame, which must be a goodbye.
async fn close_code(stream: &mut TlsStream<TcpStream>) -> u16 {
    let closed = within_patience("a goodbye", read_frame(stream)).await;
    let (opcode, payload) = closed.expect("hung up without a reason");
    assert_eq!(opcode, Opcode::Close as u8);
    u16::from_be_bytes([payload[0], payload[1]])
}

#[tokio::test]
async fn a_new_certificate_is_read_when_somebody_says_so() {
    let place = tempdir().expect("there is room for a directory");
    make_certificate(place.path());
    let first = certificate(place.path());
    let (mut server, address) = listening(place.path()).await;
    make_certificate(place.path());
    let second = certificate(place.path());
    let both = [&version::TLS13, &version::TLS12];
    assert!(
        answer(&address, second.clone(), &both).await.is_err(),
        "nobody has said so"
    );
    server.signal(Signal::HUP);
    server.stderr_until("the certificate was read again", 1).await;
    assert!(answer(&address, second.clone(), &both).await.is_ok());
    assert!(answer(&address, first, &both).await.is_err());
    // What cannot be used leaves everything as it was.
    fs::write(place.path().join("cert.pem"), "none").expect("there is room for a file");
    server.signal(Signal::HUP);
    server.stderr_until("the certificate stays what it was", 1).await;
    assert!(answer(&address, second, &both).await.is_ok());
    server.signal(Signal::TERM);
    assert!(server.output().await.status.success());
}

#[tokio::test]
async fn who_never_finishes_the_handshake_is_hung_up_on() {
    let place = tempdir().expect("there is room for a directory");
    make_certificate(place.path());
    let (server, address) = listening(place.path()).await;
    let mut silent = TcpStream::connect(&address).await.expect("the server listens");
    let mut half = TcpStream::connect(&address).await.expect("the server listens");
    // The beginning of a ClientHello.
    half.write_all(b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03")
        .await
        .expect("the server reads");
    for stream in [&mut silent, &mut half] {
        hung_up(stream).await;
    }
    let answer = answer(&address, certificate(place.path()), &[&version::TLS13]).await;
    assert!(answer.is_ok());
    server.signal(Signal::TERM);
    assert!(server.output().await.status.success());
}

#[tokio::test]
async fn a_key_that_others_could_read_is_refused_and_so_is_a_certificate_that_nothing_uses() {
    let place = tempdir().expect("there is room for a directory");
    make_certificate(place.path());
    let key = place.path().join("key.pem");
    for (listen, mode, expected) in [
        ("wss://127.0.0.1:0", 0o644, "chmod 600"),
        ("wss://127.0.0.1:0", 0o620, "chmod 600"),
        ("ws://127.0.0.1:0", 0o600, "wss://"),
        ("stdio", 0o600, "wss://"),
    ] {
        fs::set_permissions(&key, fs::Permissions::from_mode(mode)).expect("it is ours");
        let mut command = program(["--no-tasks", "--listen", listen]);
        command
            .arg("--tls-cert")
            .arg(place.path().join("cert.pem"))
            .arg("--tls-key")
            .arg(&key);
        let output = output(command, "").await;
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(125), "{said}");
        assert!(said.contains(expected) && output.stdout.is_empty(), "{said}");
    }
}
