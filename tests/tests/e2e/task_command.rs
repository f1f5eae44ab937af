//! `exec-server task`: background work from a shell.

use std::process::Output;

use exec_tests::program::{self, Running};
use exec_tests::{Options, TestServer, Wire, on_with};
use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

/// Runs a test against a server that keeps tasks.
async fn on_keeping(test: impl AsyncFnOnce(&TestServer)) {
    let directory = TempDir::new().expect("there is room for a directory");
    let options = Options {
        state_dir: Some(directory.path().to_owned()),
        ..Options::default()
    };
    on_with(Wire::Websocket, options, test).await;
}

/// `exec-server task` with these words behind it, for this server.
fn task<'a>(server: &TestServer, words: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = program::server(["task"].into_iter().chain(words));
    command.env("EXEC_SERVER_URL", server.url());
    command
}

async fn output<'a>(server: &TestServer, words: impl IntoIterator<Item = &'a str>) -> Output {
    program::output(task(server, words), "").await
}

/// What a command says that succeeds.
async fn said<'a>(server: &TestServer, words: impl IntoIterator<Item = &'a str>) -> String {
    let output = output(server, words).await;
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("it is text")
}

async fn json<'a>(server: &TestServer, words: impl IntoIterator<Item = &'a str>) -> Value {
    let text = said(server, ["--json"].into_iter().chain(words)).await;
    serde_json::from_str(&text).expect("it is one document")
}

#[tokio::test]
async fn a_script_submits_waits_and_knows_how_it_ended() {
    on_keeping(async |server| {
        let id = said(server, ["submit", "-c", "echo said; exit 3"]).await;
        let id = id.trim_end();
        let waited = output(server, ["wait", id]).await;
        assert_eq!(waited.status.code(), Some(3), "{waited:?}");
        assert_eq!(said(server, ["logs", id]).await, "said\n");
        let listed = json(server, ["list", "--state", "failed"]).await;
        assert_eq!(listed["records"][0]["taskId"], id);
        assert_eq!(listed["records"][0]["exitCode"], 3);
        let shown = said(server, ["show", id]).await;
        assert!(shown.contains("echo said; exit 3"), "{shown}");
        let notices = said(server, ["notices", "--ack"]).await;
        assert!(notices.contains("exit code 3"), "{notices}");
        assert!(
            json(server, ["notices"]).await["notices"]
                .as_array()
                .is_some_and(Vec::is_empty)
        );
        said(server, ["remove", id]).await;
        let gone = output(server, ["show", id]).await;
        assert_eq!(gone.status.code(), Some(125), "{gone:?}");
    })
    .await;
}

#[tokio::test]
async fn each_end_has_an_exit_code_of_its_own() {
    on_keeping(async |server| {
        for (words, code) in [
            (&["-c", "true"][..], 0),
            (&["-c", "kill -TERM $$"][..], 143),
            (&["--timeout", "100ms", "--", "sleep", "1000"][..], 124),
            (&["--", "/no/such/program"][..], 125),
        ] {
            let words = ["submit", "--wait"].into_iter().chain(words.iter().copied());
            let waited = output(server, words).await;
            assert_eq!(waited.status.code(), Some(code), "{waited:?}");
        }
        let id = said(server, ["submit", "--id", "stopped", "--", "sleep", "1000"]).await;
        said(server, ["stop", id.trim_end()]).await;
        let waited = output(server, ["wait", "stopped"]).await;
        assert_eq!(waited.status.code(), Some(130), "{waited:?}");
    })
    .await;
}

#[tokio::test]
async fn output_is_followed_until_the_end_and_input_is_sent() {
    on_keeping(async |server| {
        said(server, ["submit", "--id", "cat", "--stdin", "--", "cat"]).await;
        let mut following = Running::start(task(server, ["logs", "-f", "cat"]));
        for line in ["one\n", "two\n"] {
            let written = program::output(task(server, ["write", "cat"]), line).await;
            assert!(written.status.success(), "{written:?}");
            following.stdout_until(line).await;
        }
        said(server, ["write", "cat", "--eof"]).await;
        let followed = following.output().await;
        assert_eq!(String::from_utf8_lossy(&followed.stdout), "one\ntwo\n");
        assert_eq!(followed.status.code(), Some(0), "{followed:?}");
    })
    .await;
}

#[tokio::test]
async fn an_interrupt_ends_the_waiting_and_not_the_task() {
    on_keeping(async |server| {
        said(
            server,
            [
                "submit",
                "--id",
                "sleeper",
                "--",
                "sh",
                "-c",
                "echo up; exec sleep 1000",
            ],
        )
        .await;
        let mut following = Running::start(task(server, ["logs", "-f", "sleeper"]));
        following.stdout_until("up").await;
        following.signal(Signal::INT);
        assert_eq!(following.output().await.status.code(), Some(130));
        assert_eq!(json(server, ["show", "sleeper"]).await["state"], "running");
        said(server, ["stop", "--grace", "0", "sleeper"]).await;
    })
    .await;
}

#[tokio::test]
async fn what_is_meant_must_be_clear() {
    on_keeping(async |server| {
        for id in ["build-1", "build-2"] {
            said(server, ["submit", "--id", id, "--group", "g", "-c", "true"]).await;
        }
        let ambiguous = output(server, ["show", "build"]).await;
        assert_eq!(ambiguous.status.code(), Some(125));
        let said_of_it = String::from_utf8_lossy(&ambiguous.stderr).into_owned();
        assert!(
            said_of_it.contains("build-1") && said_of_it.contains("build-2"),
            "{said_of_it}"
        );
        let nowhere = program::output(program::server(["task", "list"]), "").await;
        let said_of_it = String::from_utf8_lossy(&nowhere.stderr).into_owned();
        assert!(said_of_it.contains("EXEC_SERVER_URL"), "{said_of_it}");
    })
    .await;
}

#[tokio::test]
async fn shells_can_complete_it() {
    for shell in ["bash", "zsh", "fish"] {
        let output = program::output(program::server(["completions", shell]), "").await;
        assert!(output.status.success(), "{output:?}");
        assert!(
            String::from_utf8_lossy(&output.stdout).contains("submit"),
            "{shell}"
        );
    }
}
