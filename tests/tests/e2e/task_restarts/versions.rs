//! Records that a server does not know are refused, and left as they are.

use std::fs;

use exec_protocol::task::TaskState;
use exec_tests::{TestServer, Wire, program};

use super::{StateDir, ended, get, script, submit};

/// A directory with a task that ended.
async fn with_a_task() -> StateDir {
    let state = StateDir::new();
    let server = state.server(Wire::Websocket).await;
    let mut peer = server.session().await;
    submit(&mut peer, script("t", "echo hi")).await;
    ended(&mut peer, "t").await;
    peer.finish().await;
    server.finish().await;
    state
}

/// What a server says that does not want what it finds, which must be left as it was.
async fn refusal(state: &StateDir) -> String {
    let before = fs::read(state.database()).unwrap();
    let log = fs::read(state.raw_log("t")).unwrap();
    let output = program::output(state.program(&["--listen", "ws://127.0.0.1:0"]), "").await;
    assert!(!output.status.success(), "{output:?}");
    assert_eq!(output.stdout, b"", "{output:?}");
    assert!(fs::read(state.database()).unwrap() == before, "it was written to");
    assert_eq!(fs::read(state.raw_log("t")).unwrap(), log);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(&state.database().display().to_string()), "{said}");
    said
}

#[tokio::test]
async fn records_of_a_later_version() {
    let state = with_a_task().await;
    let set_version = |version: i64| {
        let db = state.open_database();
        db.pragma_update(None, "user_version", version).unwrap();
    };
    set_version(1_000);
    let said = refusal(&state).await;
    assert!(said.contains("version 1000"), "{said}");
    // With their own version they are as they were.
    set_version(1);
    let server = state.server(Wire::Websocket).await;
    let mut peer = server.session().await;
    assert_eq!(get(&mut peer, "t").await.state, TaskState::Completed);
    peer.finish().await;
    server.finish().await;
}

#[tokio::test]
async fn a_file_that_is_no_database() {
    let state = with_a_task().await;
    fs::write(state.database(), "diary, page one\n".repeat(1_000)).unwrap();
    let said = refusal(&state).await;
    assert!(said.contains("not a database"), "{said}");
}

#[tokio::test]
async fn where_nobody_named_the_directory_everything_else_is_served() {
    let state = with_a_task().await;
    let home = state.path().with_file_name("home");
    fs::create_dir(&home).unwrap();
    fs::rename(state.path(), home.join("exec-server")).unwrap();
    fs::write(
        home.join("exec-server/tasks.db"),
        "diary, page one\n".repeat(1_000),
    )
    .unwrap();
    let mut command = program::server([]);
    command.env("XDG_STATE_HOME", &home);
    let server = TestServer::of_program(command).await;
    let mut peer = server.session().await;
    let error = peer.refused("task/get", serde_json::json!({"taskId": "t"})).await;
    assert_eq!(error.data.kind, "tasksUnavailable");
    assert!(error.message.contains("not a database"), "{error:?}");
    peer.finish().await;
    server.finish().await;
}
