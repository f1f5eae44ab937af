//! Standard error that nobody reads, that is full, or that is not there: the server does not care.

use std::fs::File;
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

use exec_tests::program::{self, Running};
use exec_tests::wait::{until, within_patience};
use exec_tests::{fixture, on_program};
use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat, open};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

use super::{hello, input, logging_to, nonsense};

/// How much is asked of a server that cannot log.
const REQUESTS: u64 = 2_000;

/// A pipe with a name.
struct Pipe {
    directory: TempDir,
    /// Both ends of it.
    file: File,
}

impl Pipe {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let file = open(
            &path,
            OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC,
            Mode::empty(),
        )
        .unwrap();
        Self {
            directory,
            file: file.into(),
        }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("log")
    }

    /// Fills it to the last byte.
    fn fill(&mut self) {
        for bytes in [4096, 1] {
            while self.file.write(&[b'-'; 4096][..bytes]).is_ok() {}
        }
        let more = self.file.write(b"-").unwrap_err();
        assert_eq!(more.kind(), ErrorKind::WouldBlock);
    }

    /// Takes out what is in it.
    fn empty(&mut self) -> String {
        let mut text = Vec::new();
        let mut room = [0; 4096];
        while let Ok(count) = self.file.read(&mut room) {
            text.extend_from_slice(&room[..count]);
        }
        String::from_utf8_lossy(&text).into_owned()
    }
}

/// Requests with nonsense in between, each of which is worth a line.
fn messages() -> Vec<Value> {
    let mut messages = hello("t");
    for id in 2..2 + REQUESTS {
        messages.extend([nonsense(), json!({"id": id, "method": "server/info"})]);
    }
    messages
}

/// The server answers everything on stdio, and leaves as it should.
async fn works_on_stdio(command: Command) {
    let output = program::output(command, input(&messages())).await;
    assert!(output.status.success(), "{output:?}");
    let answers = program::messages(&output.stdout);
    assert_eq!(answers.len() as u64, 1 + REQUESTS);
    assert!(answers.iter().all(|answer| answer["result"].is_object()));
    assert_eq!(output.stderr, b"", "it is somewhere else");
}

/// As [`works_on_stdio`], over websocket.
async fn works_on_websocket(command: Command) {
    on_program(command, async |server| {
        let mut peer = server.session().await;
        for _ in 0..REQUESTS {
            peer.send_text(nonsense().to_string()).await;
            peer.call("server/info", json!({})).await;
        }
        peer.finish().await;
    })
    .await;
}

#[tokio::test]
async fn nobody_reads_it() {
    let mut pipe = Pipe::new();
    pipe.fill();
    works_on_stdio(logging_to(&pipe.path(), &["--log", "trace"])).await;
    works_on_websocket(logging_to(&pipe.path(), &["--log", "trace"])).await;
}

#[tokio::test]
async fn what_was_not_read_at_first_is_told_later() {
    let mut pipe = Pipe::new();
    pipe.fill();
    let mut running = Running::start(logging_to(&pipe.path(), &["--log", "trace"]));
    running.write(input(&messages())).await;
    running.stdout_until(&format!("\"id\":{}", 1 + REQUESTS)).await;
    let mut log = pipe.empty();
    until("everything is told", || {
        log += &pipe.empty();
        // The last count comes after a quiet second.
        let counted: u64 = log
            .lines()
            .filter_map(|line| line.split_once(" left_out=")?.1.parse::<u64>().ok())
            .sum();
        let told = log.matches("ack: an acknowledgement makes no sense").count() as u64;
        told + counted == REQUESTS
    })
    .await;
    running.close_stdin();
    assert!(running.output().await.status.success());
}

#[tokio::test]
async fn whoever_read_it_has_gone() {
    let pipe = Pipe::new();
    let mut running = Running::start(logging_to(&pipe.path(), &["--log", "trace"]));
    running.write(input(&hello("t"))).await;
    running.stdout_until("\"id\":1").await;
    drop(pipe);
    running.write(input(&messages()[2..])).await;
    running.close_stdin();
    let output = running.output().await;
    assert!(output.status.success(), "{:?}", output.status);
    assert_eq!(program::messages(&output.stdout).len() as u64, 1 + REQUESTS);
}

#[tokio::test]
async fn the_disk_is_full() {
    works_on_stdio(logging_to(Path::new("/dev/full"), &["--log", "trace"])).await;
    works_on_websocket(logging_to(Path::new("/dev/full"), &["--log", "trace"])).await;
}

/// Nothing that the server opens gets the number of standard error, or its log would go there: into the wire of a client,
/// or the records of tasks.
#[tokio::test]
async fn it_was_never_open() {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", r#"exec "$0" "$@" 2>&-"#]);
    command.arg(fixture::program("exec-server-under-test"));
    command.args(["--log", "trace"]);
    on_program(command, async |server| {
        let process = server.process().expect("it is a program of its own");
        let stderr = std::fs::read_link(format!("/proc/{}/fd/2", process.pid)).unwrap();
        assert_eq!(stderr, Path::new("/dev/null"));
        let mut peer = server.session().await;
        for _ in 0..100 {
            peer.send_text(nonsense().to_string()).await;
            peer.call("server/info", json!({})).await;
        }
        peer.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_failure_that_nobody_reads_ends_the_program_all_the_same() {
    let mut pipe = Pipe::new();
    pipe.fill();
    for words in [
        &["--listen", "ws://192.0.2.1:1"][..],
        &["run", "--", "/no/such/program"],
    ] {
        let output = within_patience(
            "the program to leave",
            program::output(logging_to(&pipe.path(), words), ""),
        )
        .await;
        assert_eq!(output.status.code(), Some(125), "{words:?}");
    }
}
