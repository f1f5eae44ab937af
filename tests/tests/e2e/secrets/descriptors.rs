//! No process finds a descriptor but its own, whatever the server has open.

use std::path::{Path, PathBuf};

use exec_protocol::process::Containment;
use exec_tests::ordinary::OrdinaryUser;
use exec_tests::{Peer, TestServer, fixture, on_program};
use serde_json::{Value, json};
use tokio::process::Command;

use super::{WAYS, name};
use crate::commands::{script, with};
use crate::containment::has_cgroups;

/// Connections that are open beside the one that asks.
const OTHERS: usize = 3;

/// The numbers of the descriptors that a process has.
async fn numbers(peer: &mut Peer, id: &str, fixture: &Path, more: Value) -> Vec<String> {
    let params = json!({"processId": id, "argv": [fixture, "fds"]});
    let transcript = peer.run(with(params, more)).await;
    let text = transcript.text();
    let mut numbers: Vec<String> = text
        .lines()
        .map(|line| line.split(' ').next().unwrap().to_owned())
        .collect();
    numbers.sort_unstable();
    numbers
}

/// Looks from everywhere at once: on pipes and on terminals, while others run and are connected.
async fn are_three(server: &TestServer, fixture: &Path) {
    let mut others = Vec::new();
    for _ in 0..OTHERS {
        others.push(server.session().await);
    }
    let mut peer = server.session().await;
    for tty in [false, true] {
        let params = with(
            script(&format!("other {tty}"), "exec cat"),
            json!({"tty": tty, "pipeStdin": true}),
        );
        peer.start(params).await;
    }
    for tty in [false, true] {
        for pipe_stdin in [false, true] {
            let more = json!({"tty": tty, "pipeStdin": pipe_stdin});
            let found = numbers(&mut peer, &more.to_string(), fixture, more).await;
            assert_eq!(found, ["0", "1", "2"], "tty: {tty}, stdin: {pipe_stdin}");
        }
    }
    for tty in [false, true] {
        peer.terminate(&format!("other {tty}")).await;
    }
    peer.finish().await;
    for other in others {
        other.finish().await;
    }
}

/// A shell's line that leaves a file with a token open, under two numbers, for whoever follows.
fn with_token(directory: &Path) -> (String, PathBuf) {
    let token = directory.join("token");
    std::fs::write(&token, "token").unwrap();
    (format!("exec 8<'{0}' 9<'{0}'", token.display()), token)
}

/// Whether the server has the file open; None where nobody may look.
fn has_open(server: &TestServer, file: &Path) -> Option<bool> {
    let pid = server.process()?.pid;
    let entries = std::fs::read_dir(format!("/proc/{pid}/fd")).ok()?;
    let mut targets = entries.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
    Some(targets.any(|target| target == file))
}

#[tokio::test]
async fn a_process_of_an_ordinary_user_has_three() {
    let user = OrdinaryUser::new();
    let (prelude, token) = with_token(user.directory());
    for containment in WAYS {
        let command = user.server(&prelude, ["--containment", name(containment)]);
        on_program(command, async |server: &TestServer| {
            assert_ne!(
                has_open(server, &token),
                Some(false),
                "or there is nothing to find"
            );
            are_three(server, &user.fixture()).await;
        })
        .await;
    }
}

#[tokio::test]
async fn a_process_in_a_control_group_has_three() {
    if !has_cgroups().await {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let (prelude, token) = with_token(directory.path());
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", &format!("{prelude}\nexec \"$0\" \"$@\"")])
        .arg(fixture::program("exec-server-under-test"))
        .args(["--containment", name(Containment::Cgroup)]);
    on_program(command, async |server: &TestServer| {
        assert_ne!(
            has_open(server, &token),
            Some(false),
            "or there is nothing to find"
        );
        are_three(server, &fixture::program("fixture")).await;
    })
    .await;
}
