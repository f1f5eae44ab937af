//! Our own client, and the tool that is made of it: they show what a server wants to see.

use std::path::{Path, PathBuf};

use exec_client::{Client, Endpoint, Event, Process};
use exec_protocol::ProcessId;
use exec_protocol::process::StartParams;
use exec_tests::program::{Running, output, server as program};
use exec_tests::proxy::Proxy;
use exec_tests::wait::within_patience;
use exec_tests::{TestServer, fixture};
use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};
use tokio::process::Command;

use super::signed::on_a_server_that_trusts;
use super::tls::make_certificate;
use super::write_secret;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// A server that is reached in three ways, two of which ask for [`TOKEN`].
struct Server {
    running: Running,
    place: TempDir,
}

impl Server {
    async fn start() -> Self {
        let place = tempdir().expect("there is room for a directory");
        make_certificate(place.path());
        write_secret(&place.path().join("token"), TOKEN);
        let mut command = program(["--listen", "ws://127.0.0.1:0", "--listen", "wss://127.0.0.1:0"]);
        command.args(["--listen", &unix(place.path())]);
        command.args(["--ws-auth", "capability-token"]);
        for (option, name) in [
            ("--ws-token-file", "token"),
            ("--tls-cert", "cert.pem"),
            ("--tls-key", "key.pem"),
            ("--state-dir", "state"),
        ] {
            command.arg(option).arg(place.path().join(name));
        }
        let mut running = Running::start(command);
        for line in ["ws://", "wss://", "unix://"] {
            running.stdout_until(line).await;
        }
        running.stdout_until(&format!("{}\n", unix(place.path()))).await;
        Self { running, place }
    }

    /// The URL that begins so. The certificate is for `localhost`.
    fn url(&self, scheme: &str) -> String {
        let said = String::from_utf8_lossy(&self.running.stdout);
        let url = said.lines().find(|line| line.starts_with(scheme));
        url.expect("it was printed")
            .replace("wss://127.0.0.1", "wss://localhost")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    async fn finish(self) {
        self.running.signal(Signal::TERM);
        let output = self.running.output().await;
        assert!(output.status.success(), "{output:?}");
        assert!(!String::from_utf8_lossy(&output.stderr).contains(TOKEN));
    }
}

/// `exec-server task list` at this URL.
fn list(url: &str) -> Command {
    let mut command = program(["task", "list", "--json", "--connect", url]);
    command.env_remove("EXEC_SERVER_TOKEN_FILE");
    command
}

fn unix(place: &Path) -> String {
    format!("unix://{}", place.join("socket").display())
}

#[tokio::test]
async fn the_tool_reaches_a_server_in_every_way_that_it_listens() {
    let server = Server::start().await;
    for (scheme, options) in [
        ("ws://", &[("--token-file", "token")][..]),
        ("wss://", &[("--token-file", "token"), ("--ca-file", "cert.pem")]),
        ("unix://", &[]),
    ] {
        let mut list = list(&server.url(scheme));
        for (option, name) in options {
            list.arg(option).arg(server.file(name));
        }
        let listed = output(list, "").await;
        assert!(listed.status.success(), "{scheme}: {listed:?}");
    }
    let mut by_variable = list(&server.url("ws://"));
    by_variable.env("EXEC_SERVER_TOKEN_FILE", server.file("token"));
    assert!(output(by_variable, "").await.status.success());
    server.finish().await;
}

#[tokio::test]
async fn the_tool_says_why_it_was_not_let_in() {
    let server = Server::start().await;
    write_secret(&server.file("wrong"), TOKEN.to_uppercase());
    // Whom the tool takes for trusted by the system, whatever this one trusts.
    let other_certificate = other_certificate(server.place.path());
    for (scheme, options, expected) in [
        ("ws://", &[][..], "--token-file"),
        ("ws://", &[("--token-file", "wrong")], "401"),
        ("ws://", &[("--token-file", "missing")], "missing"),
        ("wss://", &[("--token-file", "token")], "TLS"),
    ] {
        let mut list = list(&server.url(scheme));
        for (option, name) in options {
            list.arg(option).arg(server.file(name));
        }
        list.env("SSL_CERT_FILE", &other_certificate);
        let refused = output(list, "").await;
        assert_eq!(refused.status.code(), Some(125), "{refused:?}");
        let said = String::from_utf8(refused.stderr).expect("it is text");
        assert!(said.contains(expected), "{scheme} {options:?}: {said}");
        assert!(!said.to_lowercase().contains(TOKEN), "{said}");
    }
    server.finish().await;
}

fn other_certificate(place: &Path) -> PathBuf {
    let other = place.join("other");
    std::fs::create_dir(&other).expect("there is room for a directory");
    make_certificate(&other);
    other.join("cert.pem")
}

/// A client with a process, by way of a proxy, and the file with its token.
struct Session {
    proxy: Proxy,
    client: Client,
    process: Process,
    token: TempDir,
}

impl Session {
    async fn open(server: &TestServer, token: &str) -> Self {
        let place = tempdir().expect("there is room for a directory");
        let path = place.path().join("token");
        write_secret(&path, token);
        let proxy = Proxy::start(server.url(), Vec::new()).await;
        let endpoint: Endpoint = proxy.url().parse().expect("it is a URL");
        let endpoint = endpoint.with_token_file(path);
        let connecting = Client::connect_to(&endpoint, "exec-tests");
        let client = within_patience("a session", connecting)
            .await
            .expect("it is let in");
        let id = ProcessId::new("p").expect("a short name");
        let mut params = StartParams::new(id, fixture::argv(["echo"]));
        params.pipe_stdin = true;
        let started = within_patience("a start", client.start(&params)).await;
        Self {
            proxy,
            client,
            process: started.expect("it can be started"),
            token: place,
        }
    }

    /// Breaks the connection, when the client has to show another token.
    fn cut_and_show(&self, token: &str) {
        write_secret(&self.token.path().join("token"), token);
        self.proxy.cut();
    }
}

fn claims(name: &str) -> Value {
    json!({"sub": name, "exp": 4_000_000_000_u64})
}

#[tokio::test]
async fn a_client_takes_up_its_session_with_the_next_token() {
    on_a_server_that_trusts(&[], async |server, sign| {
        let mut session = Session::open(server, &sign(&claims("alice"))).await;
        let mut next = claims("alice");
        next["jti"] = "next".into();
        session.cut_and_show(&sign(&next));
        let control = session.process.control();
        let written = within_patience("a write", control.write("said")).await;
        written.expect("the client comes back");
        let event = within_patience("an event", session.process.next()).await;
        assert!(
            matches!(&event, Some(Event::Output { bytes, .. }) if bytes == "said"),
            "{event:?}"
        );
        session.client.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_client_that_is_not_let_in_again_gives_up() {
    on_a_server_that_trusts(&[], async |server, sign| {
        let mut expired = claims("alice");
        expired["exp"] = 1.into();
        // The second is let in, and has no such session.
        for token in [sign(&expired), sign(&claims("mallory"))] {
            let mut session = Session::open(server, &sign(&claims("alice"))).await;
            session.cut_and_show(&token);
            let event = within_patience("the end", session.process.next()).await;
            assert_eq!(event, Some(Event::Disconnected));
        }
    })
    .await;
}
