//! There is no room for output, and tasks run on, end and are kept all the same.

use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use exec_protocol::task::{LogStopped, TaskState};
use exec_tests::wait::within_patience;
use exec_tests::{Peer, TestServer, blocks, fixture, program};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::{StateDir, ended, get, notices, output, script, submit};

/// The room on the small disk, in bytes.
const DISK_BYTES: u64 = 8 << 20;

/// What a task writes that fills it, in bytes.
const FLOOD_BYTES: u64 = 16 << 20;

/// What logs may come to on the server with a quota, in bytes.
const QUOTA_BYTES: u64 = 1_000_000;

/// Tasks that are run while there is no room.
const OTHERS: usize = 20;

/// Makes a small disk at `$0`, which nobody else sees, and keeps it.
const KEEP_DISK: &str =
    r#"mkdir -p "$0" && mount -t tmpfs -o "size=$1,mode=700" tasks "$0" && echo ready && exec sleep 1000"#;

/// A small disk, seen by those who are started in its namespace only, for as long as this is not dropped.
struct SmallDisk(Child);

impl SmallDisk {
    /// None where we may not mount anything.
    async fn mount(at: &Path) -> Option<Self> {
        let mut command = Command::new("unshare");
        command.args(["-m", "/bin/sh", "-c", KEEP_DISK]).arg(at);
        command.arg(DISK_BYTES.to_string());
        command.stdout(Stdio::piped()).kill_on_drop(true);
        let mut keeper = command.spawn().ok()?;
        let mut stdout = BufReader::new(keeper.stdout.take().expect("it is piped"));
        let mut said = String::new();
        let line = within_patience("the disk", stdout.read_line(&mut said)).await;
        line.expect("a pipe can be read");
        (said == "ready\n").then_some(Self(keeper))
    }

    /// A server that has its tasks there.
    async fn server(&self, state: &StateDir) -> TestServer {
        let keeper = self.0.id().expect("nobody has waited for it").to_string();
        let mut command = Command::new("nsenter");
        command.args(["-m", "-t", &keeper]);
        command.arg(fixture::program("exec-server-under-test"));
        command.arg("--state-dir").arg(state.path());
        TestServer::of_program(command).await
    }
}

fn flood() -> Value {
    json!({"taskId": "flood", "argv": fixture::argv(["blocks", &FLOOD_BYTES.to_string()])})
}

/// Runs a task that writes more than there is room for to its end, and returns why its log has stopped.
async fn fill(peer: &mut Peer, room: u64) -> Option<LogStopped> {
    submit(peer, flood()).await;
    let record = ended(peer, "flood").await;
    assert_eq!((record.state, record.exit_code), (TaskState::Completed, Some(0)));
    let attempt = &record.attempts[0];
    assert_eq!(attempt.bytes.stdout, FLOOD_BYTES);
    assert!((room / 4..room).contains(&attempt.log.end_offset), "{attempt:?}");
    let (bytes, told) = output(peer, "flood", 1, 0).await;
    assert_eq!(bytes.len() as u64, attempt.log.end_offset);
    blocks::check(0, &bytes);
    assert_eq!(told.total_bytes, FLOOD_BYTES);
    let omitted = told.omitted.last().expect("not all of it is there");
    assert_eq!((omitted.to_offset, omitted.is_kept), (FLOOD_BYTES, false));
    attempt.log.stopped.clone()
}

/// Runs some tasks to their ends.
async fn run_others(peer: &mut Peer) {
    for number in 0..OTHERS {
        submit(peer, script(&format!("other-{number}"), "echo hi; exit 3")).await;
    }
    check_others(peer).await;
}

async fn check_others(peer: &mut Peer) {
    for number in 0..OTHERS {
        let record = ended(peer, &format!("other-{number}")).await;
        assert_eq!((record.state, record.exit_code), (TaskState::Failed, Some(3)));
        assert_eq!(record.attempts[0].bytes.stdout, 3);
    }
    assert_eq!(notices(peer).await.len(), OTHERS + 1);
}

/// Runs a task that takes what room is left, and returns how much that was.
async fn has_little_room(peer: &mut Peer, task: &str) -> u64 {
    let argv = fixture::argv(["blocks", &QUOTA_BYTES.to_string()]);
    submit(peer, json!({"taskId": task, "argv": argv})).await;
    let log = ended(peer, task).await.attempts.remove(0).log;
    assert_eq!(log.stopped, Some(LogStopped::Quota));
    log.end_offset
}

/// With the flood gone there is room again.
async fn make_room(peer: &mut Peer) {
    peer.call("task/remove", json!({"taskId": "flood"})).await;
    submit(peer, script("later", "echo hello")).await;
    let record = ended(peer, "later").await;
    assert_eq!(record.attempts[0].log.stopped, None);
    assert_eq!(output(peer, "later", 1, 0).await.0, b"hello\n");
}

#[tokio::test]
async fn a_task_that_fills_the_disk_harms_nobody() {
    let state = StateDir::new();
    let Some(disk) = SmallDisk::mount(&state.path()).await else {
        let _ = writeln!(std::io::stderr(), "skipped: nothing can be mounted here");
        return;
    };
    let server = disk.server(&state).await;
    let mut peer = server.session().await;
    match fill(&mut peer, DISK_BYTES).await {
        Some(LogStopped::Failed { message }) => {
            assert!(message.contains("No space left"), "{message}");
        }
        stopped => panic!("{stopped:?}"),
    }
    run_others(&mut peer).await;
    // The disk is as full for the next server, and for the one behind it, however the one before has ended.
    server.crash().await;
    peer.hang_up();
    let server = disk.server(&state).await;
    let mut peer = server.session().await;
    check_others(&mut peer).await;
    peer.finish().await;
    server.finish().await;
    let server = disk.server(&state).await;
    let mut peer = server.session().await;
    assert_eq!(get(&mut peer, "flood").await.state, TaskState::Completed);
    check_others(&mut peer).await;
    submit(&mut peer, script("still", "exit 4")).await;
    assert_eq!(ended(&mut peer, "still").await.exit_code, Some(4));
    make_room(&mut peer).await;
    peer.finish().await;
    server.finish().await;
}

#[tokio::test]
async fn a_task_that_takes_all_that_logs_may_come_to_harms_nobody() {
    let state = StateDir::new();
    let start = async || {
        let bytes = QUOTA_BYTES.to_string();
        let mut command = program::server(["--task-storage", &bytes]);
        command.arg("--state-dir").arg(state.path());
        TestServer::of_program(command).await
    };
    let server = start().await;
    let mut peer = server.session().await;
    assert_eq!(fill(&mut peer, QUOTA_BYTES).await, Some(LogStopped::Quota));
    run_others(&mut peer).await;
    let before = has_little_room(&mut peer, "before").await;
    // What is there is counted by the next server too.
    server.crash().await;
    peer.hang_up();
    let server = start().await;
    let mut peer = server.session().await;
    let behind = has_little_room(&mut peer, "behind").await;
    let flood = get(&mut peer, "flood").await.attempts[0].log.end_offset;
    assert!(flood + before + behind < QUOTA_BYTES, "{flood} {before} {behind}");
    for task in ["before", "behind"] {
        peer.call("task/remove", json!({"taskId": task})).await;
    }
    check_others(&mut peer).await;
    make_room(&mut peer).await;
    peer.finish().await;
    server.finish().await;
}
