//! One server has a state directory at a time.

use exec_protocol::task::TaskState;
use exec_tests::{TestServer, Wire, program};
use serde_json::{Value, json};

use super::{StateDir, ended, get, script, submit};

/// What a server says that cannot have the directory.
fn in_use(directory: &std::path::Path, server: &TestServer) -> String {
    let pid = server.process().expect("it runs on its own").pid;
    format!(
        "the state directory {} is in use by another server (pid {pid})",
        directory.display()
    )
}

#[tokio::test]
async fn a_second_one_leaves_and_says_who_has_it_until_it_is_free() {
    let state = StateDir::new();
    let server = state.server(Wire::Websocket).await;
    let mut peer = server.session().await;
    submit(&mut peer, script("t", "exec sleep 1000")).await;
    for arguments in [&["--listen", "ws://127.0.0.1:0"][..], &[]] {
        let output = program::output(state.program(arguments), "").await;
        assert!(!output.status.success(), "{output:?}");
        assert_eq!(output.stdout, b"", "{output:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(&in_use(&state.path(), &server)), "{said}");
    }
    assert_eq!(get(&mut peer, "t").await.state, TaskState::Running);
    submit(&mut peer, script("u", "exit 0")).await;
    assert_eq!(ended(&mut peer, "u").await.state, TaskState::Completed);
    server.crash().await;
    peer.hang_up();

    let server = state.server(Wire::Websocket).await;
    let mut peer = server.session().await;
    assert_eq!(get(&mut peer, "t").await.state, TaskState::Interrupted);
    peer.finish().await;
    server.finish().await;
}

/// A server that was not told where to keep tasks, by a user whose state is there.
async fn at_home(state: &StateDir) -> TestServer {
    let mut command = program::server([]);
    command.env("XDG_STATE_HOME", state.path());
    TestServer::of_program(command).await
}

#[tokio::test]
async fn a_second_one_serves_everything_else_if_nobody_named_the_directory() {
    let state = StateDir::new();
    let first = at_home(&state).await;
    let mut peer = first.session().await;
    submit(&mut peer, script("t", "exec sleep 1000")).await;

    let second = at_home(&state).await;
    let mut other = second.session().await;
    let calls: [(&str, Value); 3] = [
        ("task/submit", script("u", "exit 0")),
        ("task/list", json!({})),
        ("task/get", json!({"taskId": "t"})),
    ];
    for (method, params) in calls {
        let error = other.refused(method, params).await;
        assert_eq!(error.data.kind, "tasksUnavailable");
        let said = in_use(&state.path().join("exec-server"), &first);
        assert!(error.message.contains(&said), "{error:?}");
    }
    let transcript = other
        .run(json!({"processId": "p", "argv": ["/bin/echo", "hi"]}))
        .await;
    assert_eq!(transcript.stdout, b"hi\n");
    assert_eq!(get(&mut peer, "t").await.state, TaskState::Running);
    first.crash().await;
    peer.hang_up();

    assert_eq!(get(&mut other, "t").await.state, TaskState::Interrupted);
    submit(&mut other, script("u", "exit 0")).await;
    assert_eq!(ended(&mut other, "u").await.state, TaskState::Completed);
    other.finish().await;
    second.finish().await;
}
