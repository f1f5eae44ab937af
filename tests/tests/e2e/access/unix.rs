//! Sockets of this machine.

use std::fs;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use exec_tests::fixture;
use exec_tests::program::{Running, output, server as program};
use exec_tests::wait::within_patience;
use rustix::process::Signal;
use tempfile::tempdir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::process::Command;

use super::handshake;

/// A server on a Unix socket, once it listens.
async fn listening(path: &Path) -> Running {
    let mut command = program(["--no-tasks", "--listen"]);
    command.arg(format!("unix://{}", path.display()));
    let mut server = Running::start(command);
    server.stdout_until(&format!("unix://{}\n", path.display())).await;
    server
}

/// What the server answers to a handshake.
async fn answer(path: &Path, headers: &str) -> String {
    let mut stream = UnixStream::connect(path).await.expect("the server listens");
    stream
        .write_all(handshake("/", headers).as_bytes())
        .await
        .expect("the server reads");
    let mut answer = vec![0; "HTTP/1.1 101".len()];
    within_patience("an answer", stream.read_exact(&mut answer))
        .await
        .expect("there is one");
    String::from_utf8(answer).expect("it is text")
}

#[tokio::test]
async fn the_socket_is_this_users_and_goes_with_the_server() {
    let place = tempdir().expect("there is room for a directory");
    let path = place.path().join("socket");
    let server = listening(&path).await;
    let metadata = fs::metadata(&path).expect("it is there");
    assert!(metadata.file_type().is_socket());
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    // No name on the network leads here, so any will do; a web page is one all the same.
    assert_eq!(answer(&path, "Host: whatever\r\n").await, "HTTP/1.1 101");
    let page = "Host: localhost\r\nOrigin: https://evil.example\r\n";
    assert_eq!(answer(&path, page).await, "HTTP/1.1 403");
    server.signal(Signal::TERM);
    assert!(server.output().await.status.success());
    assert!(!path.exists());
}

#[tokio::test]
async fn a_socket_in_use_is_left_alone_and_one_of_a_dead_server_replaced() {
    let place = tempdir().expect("there is room for a directory");
    let path = place.path().join("socket");
    let url = format!("unix://{}", path.display());
    let first = listening(&path).await;
    let second = output(program(["--no-tasks", "--listen", &url]), "").await;
    assert_eq!(second.status.code(), Some(125));
    assert_eq!(answer(&path, "Host: a\r\n").await, "HTTP/1.1 101");
    first.signal(Signal::KILL);
    first.output().await;
    assert!(path.exists(), "nobody was there to take it away");
    let third = listening(&path).await;
    assert_eq!(answer(&path, "Host: a\r\n").await, "HTTP/1.1 101");
    third.signal(Signal::TERM);
    third.output().await;
    fs::write(&path, "a file").expect("there is room for a file");
    let fourth = output(program(["--no-tasks", "--listen", &url]), "").await;
    assert_eq!(fourth.status.code(), Some(125));
    assert_eq!(fs::read_to_string(&path).expect("it is there"), "a file");
}

/// Where the tests run as root: only root can be somebody else.
#[tokio::test]
async fn another_user_is_refused_even_where_the_file_lets_them() {
    const NOBODY: u32 = 65534;
    let place = tempdir().expect("there is room for a directory");
    if fs::metadata(place.path()).expect("it is there").uid() != 0 {
        return;
    }
    let path = place.path().join("socket");
    let server = listening(&path).await;
    let everybody = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is ours");
    };
    everybody(place.path(), 0o755);
    everybody(&path, 0o666);
    let fixture = place.path().join("fixture");
    fs::copy(fixture::program("fixture"), &fixture).expect("there is room for a file");
    everybody(&fixture, 0o755);
    let ask = || {
        let mut command = Command::new(&fixture);
        command
            .arg("ask-unix")
            .arg(&path)
            .arg(handshake("/", "Host: a\r\n"));
        command
    };
    let allowed = output(ask(), "").await;
    assert!(allowed.stdout.starts_with(b"HTTP/1.1 101 "), "{allowed:?}");
    let mut command = ask();
    command.uid(NOBODY).gid(NOBODY);
    let refused = output(command, "").await;
    assert!(
        refused.status.success() && refused.stdout.is_empty(),
        "{refused:?}"
    );
    server.signal(Signal::TERM);
    let said = server.output().await.stderr;
    assert!(String::from_utf8_lossy(&said).contains("65534"), "{said:?}");
}
