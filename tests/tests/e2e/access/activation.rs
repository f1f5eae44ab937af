//! Sockets that a service manager has made, and several at once.

use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::process::Stdio;

use exec_client::{Client, Transport};
use exec_tests::program::{Running, output, server as program};
use exec_tests::wait::within_patience;
use rustix::process::Signal;
use tempfile::tempdir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// The server behind `sh`, which makes descriptor 3 of its standard input and says that it was passed.
fn activated(passed: OwnedFd, arguments: &[&str]) -> Command {
    let mut command = Command::new("sh");
    let script = r#"exec 3<&0 </dev/null; LISTEN_FDS=1 LISTEN_PID=$$ exec "$0" "$@""#;
    command
        .args(["-c", script])
        .arg(program([]).as_std().get_program())
        .arg("--no-tasks")
        .args(arguments)
        .stdin(Stdio::from(passed))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// The URL that a server prints.
async fn first_line(server: &mut Child) -> String {
    let mut stdout = BufReader::new(server.stdout.take().expect("it is piped"));
    let mut line = String::new();
    within_patience("the URL", stdout.read_line(&mut line))
        .await
        .expect("it is text");
    line.trim_end().to_owned()
}

async fn works(url: &str) {
    let transport = within_patience("a connection", Transport::websocket(url)).await;
    let client = Client::connect(transport.expect("the server listens"), "test").await;
    client.expect("it shakes hands").close().await;
}

#[tokio::test]
async fn a_socket_that_was_passed_is_served() {
    for arguments in [&[][..], &["--listen", "fd://"]] {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a port");
        let url = format!("ws://{}", listener.local_addr().expect("it is bound"));
        let mut server = activated(listener.into(), arguments)
            .spawn()
            .expect("it can be started");
        assert_eq!(first_line(&mut server).await, url);
        works(&url).await;
        server.start_kill().expect("it runs");
        server.wait().await.expect("it was killed");
    }
}

#[tokio::test]
async fn a_socket_of_the_network_that_was_passed_is_no_less_protected() {
    let listener = TcpListener::bind("0.0.0.0:0").expect("there is a port");
    let refused = activated(listener.into(), &[]).output();
    let refused = within_patience("the server to leave", refused)
        .await
        .expect("it can be started");
    assert_eq!(refused.status.code(), Some(125));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--ws-auth"));
}

#[tokio::test]
async fn what_cannot_be_served_is_refused() {
    let none = output(program(["--no-tasks", "--listen", "fd://"]), "").await;
    assert_eq!(none.status.code(), Some(125));
    assert!(String::from_utf8_lossy(&none.stderr).contains("LISTEN_FDS"));
    let (one, _other) = std::os::unix::net::UnixStream::pair().expect("there are sockets");
    let connected = activated(one.into(), &[]).output();
    let connected = within_patience("the server to leave", connected)
        .await
        .expect("it can be started");
    assert_eq!(connected.status.code(), Some(125), "it is none to listen on");
}

#[tokio::test]
async fn a_unix_socket_that_was_passed_stays_its_makers() {
    let place = tempdir().expect("there is room for a directory");
    let path = place.path().join("socket");
    let listener = UnixListener::bind(&path).expect("there is room for a socket");
    let mut server = activated(listener.into(), &[])
        .spawn()
        .expect("it can be started");
    assert_eq!(
        first_line(&mut server).await,
        format!("unix://{}", path.display())
    );
    server.start_kill().expect("it runs");
    server.wait().await.expect("it was killed");
    assert!(path.exists());
}

#[tokio::test]
async fn several_places_are_served_at_once() {
    let place = tempdir().expect("there is room for a directory");
    let path = place.path().join("socket");
    let unix = format!("unix://{}", path.display());
    let listen = [
        "--listen",
        "ws://127.0.0.1:0",
        "--listen",
        "ws://127.0.0.1:0",
        "--listen",
        &unix,
    ];
    let mut server = Running::start(program(["--no-tasks"].into_iter().chain(listen)));
    server.stdout_until(&format!("{unix}\n")).await;
    let said = String::from_utf8(server.stdout.clone()).expect("it is text");
    let urls: Vec<_> = said.lines().collect();
    assert_eq!((urls.len(), urls[2]), (3, &unix[..]), "{said}");
    works(urls[0]).await;
    works(urls[1]).await;
    assert!(std::os::unix::net::UnixStream::connect(&path).is_ok());
    server.signal(Signal::TERM);
    assert!(server.output().await.status.success());
}

#[tokio::test]
async fn if_one_place_cannot_be_had_none_is_served() {
    let holder = TcpListener::bind("127.0.0.1:0").expect("there is a port");
    let taken = format!("ws://{}", holder.local_addr().expect("it is bound"));
    let listen = ["--listen", "ws://127.0.0.1:0", "--listen", &taken];
    let output = output(program(["--no-tasks"].into_iter().chain(listen)), "").await;
    assert_eq!(output.status.code(), Some(125));
    assert!(
        output.stdout.is_empty(),
        "{:?}",
        String::from_utf8_lossy(&output.stdout)
    );
}
