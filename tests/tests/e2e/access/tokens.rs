//! One token for everybody.

use std::process::Stdio;

use exec_tests::program::{Running, output, server as program};
use exec_tests::wait::within_patience;
use exec_tests::websocket::address;
use exec_tests::{TestServer, on_program};
use rustix::process::Signal;
use serde_json::Value;
use tempfile::tempdir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::time::Instant;

use super::{Known, bearer, handshake, host, status_with, write_secret};
use crate::http::{answer, get, status};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// The digest of [`TOKEN`], as `sha256sum` has it.
const TOKEN_SHA256: &str = "3eb1bd439947eb762998e566ccc2e099c791118b2f40579cc4f7da2b5061b7f9";

/// More than anybody tries by hand.
const TRIES: usize = 10_000;

/// Those under way at a time. They are of one source.
const AT_ONCE: usize = 16;

/// Runs a test against a server that wants [`TOKEN`].
async fn on_a_server_that_asks(test: impl AsyncFnOnce(&TestServer)) {
    let place = tempdir().expect("there is room for a directory");
    let path = place.path().join("token");
    write_secret(&path, format!("{TOKEN}\n"));
    let mut command = program(["--ws-auth", "capability-token", "--ws-token-file"]);
    command.arg(&path);
    on_program(command, test).await;
}

#[tokio::test]
async fn who_shows_the_token_comes_in() {
    on_a_server_that_asks(async |server| {
        let host = host(server);
        for (headers, expected) in [
            (bearer(TOKEN), 101),
            (format!("authorization: bearer {TOKEN}\r\n"), 101),
            (String::new(), 401),
            (bearer(""), 401),
            (bearer(&TOKEN[1..]), 401),
            (bearer(TOKEN.to_uppercase()), 401),
            (bearer(format!("{TOKEN}\n{TOKEN}")), 400),
            (format!("Authorization: Basic {TOKEN}\r\n"), 401),
            (format!("Authorization: {TOKEN}\r\n"), 401),
            (bearer(TOKEN) + &bearer(TOKEN), 400),
        ] {
            let status = status_with(server, &(host.clone() + &headers)).await;
            assert_eq!(status, expected, "{headers:?}");
        }
        // Nobody needs one to learn that the server is there; what it does is told to those who have.
        assert_eq!(status(server, get("/readyz")).await, 200);
        assert_eq!(status(server, get("/metrics")).await, 401);
        let metrics = get("/metrics").replace("Host:", &(bearer(TOKEN) + "Host:"));
        assert_eq!(status(server, metrics).await, 200);
    })
    .await;
}

#[tokio::test]
async fn a_token_in_the_url_is_none() {
    on_a_server_that_asks(async |server| {
        for target in [
            format!("/?token={TOKEN}"),
            format!("/?access_token={TOKEN}"),
            format!("/{TOKEN}"),
        ] {
            let answer = answer(server, handshake(&target, &host(server))).await;
            assert!(answer.starts_with("HTTP/1.1 401 "), "{target}: {answer}");
            assert!(answer.contains("Authorization: Bearer"), "{answer}");
            assert!(answer.contains("\r\nWWW-Authenticate: Bearer"), "{answer}");
            assert!(!answer.contains(TOKEN), "{answer}");
        }
    })
    .await;
}

/// Tries to come in; whether there was an answer.
async fn try_once(server: &TestServer, headers: &str) -> bool {
    let mut stream = TcpStream::connect(address(server.url()))
        .await
        .expect("the server listens");
    let request = handshake("/", headers);
    // The server may have hung up by then.
    let _ = stream.write_all(request.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = within_patience("the end of a connection", stream.read_to_end(&mut answer)).await;
    assert!(
        answer.is_empty() || answer.starts_with(b"HTTP/1.1 401 "),
        "{:?}",
        String::from_utf8_lossy(&answer)
    );
    !answer.is_empty()
}

#[tokio::test]
async fn ten_thousand_wrong_tokens_are_in_nobodys_way() {
    let place = tempdir().expect("there is room for a directory");
    let path = place.path().join("token");
    let log = place.path().join("log");
    write_secret(&path, TOKEN);
    let mut command = program(["--ws-token-file"]);
    command.arg(&path).stderr(Stdio::from(
        std::fs::File::create(&log).expect("there is room for a file"),
    ));
    on_program(command, async |server| {
        let host = host(server);
        let (right, wrong) = (
            host.clone() + &bearer(TOKEN),
            host + &bearer(TOKEN.replace('0', "1")),
        );
        let mut served = Known::connect(server.url(), &right).await;
        let process = server.process().expect("it is a program");
        let (files, began) = (process.open_files().expect("it runs"), Instant::now());
        let mut answered = 0;
        for _ in 0..TRIES / AT_ONCE {
            let tries = (0..AT_ONCE).map(|_| try_once(server, &wrong));
            for was_answered in futures_util::future::join_all(tries).await {
                answered += usize::from(was_answered);
            }
            assert!(served.call("environment/info", &Value::Null).await["result"].is_object());
        }
        assert_eq!(
            status_with(server, &right).await,
            101,
            "whoever knows it comes in all the same"
        );
        let seconds = usize::try_from(began.elapsed().as_secs()).expect("it is over");
        assert!(
            answered > 0 && answered <= 11 + seconds,
            "{answered} answers in {seconds} s"
        );
        let lines = std::fs::read_to_string(&log).expect("it is text").lines().count();
        assert!(
            lines > 0 && lines <= 22 + 2 * seconds,
            "{lines} lines in {seconds} s"
        );
        assert!(
            !std::fs::read_to_string(&log)
                .expect("it is text")
                .contains(&TOKEN[1..])
        );
        let left = process.open_files().expect("it runs");
        assert!(left <= files + AT_ONCE, "{left} open files, and before {files}");
    })
    .await;
}

#[tokio::test]
async fn no_token_is_logged() {
    const WRONG: &str = "fedcba9876543210fedcba9876543210";
    let place = tempdir().expect("there is room for a directory");
    let (path, log) = (place.path().join("token"), place.path().join("log"));
    write_secret(&path, TOKEN);
    let mut command = program(["--log", "trace", "--ws-token-file"]);
    command.arg(&path).stderr(Stdio::from(
        std::fs::File::create(&log).expect("there is room for a file"),
    ));
    on_program(command, async |server| {
        let host = host(server);
        assert_eq!(status_with(server, &(host.clone() + &bearer(WRONG))).await, 401);
        let target = format!("/?token={TOKEN}");
        assert!(
            answer(server, handshake(&target, &host))
                .await
                .starts_with("HTTP/1.1 401 ")
        );
        let mut known = Known::connect(server.url(), &(host + &bearer(TOKEN))).await;
        known.call("environment/info", &Value::Null).await;
    })
    .await;
    let said = std::fs::read_to_string(&log).expect("it is text");
    assert!(said.contains("refused"), "{said}");
    assert!(!said.contains(TOKEN) && !said.contains(WRONG), "{said}");
}

#[tokio::test]
async fn a_server_need_not_know_the_token() {
    on_program(program(["--ws-token-sha256", TOKEN_SHA256]), async |server| {
        let host = host(server);
        assert_eq!(status_with(server, &(host.clone() + &bearer(TOKEN))).await, 101);
        assert_eq!(status_with(server, &(host + &bearer(TOKEN_SHA256))).await, 401);
    })
    .await;
}

#[tokio::test]
async fn a_token_is_handed_over_by_a_descriptor() {
    let place = tempdir().expect("there is room for a directory");
    let path = place.path().join("token");
    write_secret(&path, TOKEN);
    let mut command = Command::new("sh");
    command
        .args(["-c", r#"exec "$@" 3< "$0""#])
        .arg(&path)
        .arg(program([]).as_std().get_program())
        .args(["--token-fd", "3"]);
    on_program(command, async |server| {
        let host = host(server);
        assert_eq!(status_with(server, &(host.clone() + &bearer(TOKEN))).await, 101);
        assert_eq!(status_with(server, &host).await, 401);
    })
    .await;
}

#[tokio::test]
async fn a_secret_that_others_could_read_is_refused() {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    let place = tempdir().expect("there is room for a directory");
    let path = place.path().join("token");
    for (text, mode, expected) in [
        (TOKEN, 0o644, "chmod 600"),
        (TOKEN, 0o660, "chmod 600"),
        (&TOKEN[1..], 0o600, "31 bytes"),
        ("", 0o600, "empty"),
    ] {
        fs::write(&path, text).expect("there is room for a file");
        fs::set_permissions(&path, Permissions::from_mode(mode)).expect("it is ours");
        for option in ["--ws-token-file", "--ws-shared-secret-file"] {
            let mut command = program(["--listen", "ws://127.0.0.1:0", "--no-tasks", option]);
            command.arg(&path);
            let output = output(command, "").await;
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(125), "{said}");
            assert!(said.contains(expected) && !said.contains(&TOKEN[1..]), "{said}");
            assert!(output.stdout.is_empty(), "nothing is served");
        }
    }
}

#[tokio::test]
async fn other_machines_are_served_only_if_something_is_asked_of_them() {
    for address in ["ws://0.0.0.0:0", "ws://[::]:0"] {
        let output = output(program(["--no-tasks", "--listen", address]), "").await;
        let said = String::from_utf8_lossy(&output.stderr);
        if said.contains("Address family not supported") {
            continue;
        }
        assert_eq!(output.status.code(), Some(125), "{said}");
        assert!(said.contains("--ws-auth") && said.contains("127.0.0.1"), "{said}");
        assert!(output.stdout.is_empty(), "nothing is served");
    }
    let place = tempdir().expect("there is room for a directory");
    let path = place.path().join("token");
    write_secret(&path, TOKEN);
    let mut command = program(["--no-tasks", "--listen", "ws://0.0.0.0:0", "--ws-token-file"]);
    command.arg(&path);
    let mut server = Running::start(command);
    server.stdout_until("\n").await;
    let url = String::from_utf8(server.stdout.clone()).expect("it is text");
    let url = url.trim_end().replace("0.0.0.0", "127.0.0.1");
    let headers = format!("Host: {}\r\n{}", address(&url), bearer(TOKEN));
    Known::connect(&url, &headers).await;
    server.signal(Signal::TERM);
    assert!(server.output().await.status.success());
}
