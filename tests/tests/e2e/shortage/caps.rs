//! What one client may have, and all of them together. Each cap is met, told by its name, and passes.

use std::fs;

use exec_protocol::{LimitReached, RpcError};
use exec_server::limits::{
    MAX_FILE_HANDLES, MAX_FILE_HANDLES_IN_ALL, MAX_SESSION_PROCESSES, MAX_SESSIONS, MIN_RETAIN_BYTES,
};
use exec_tests::{Peer, TestServer, on_every_wire, on_wires};
use serde_json::{Value, json};

use super::allow_files;

/// Requests that are under way at a time.
const PIPELINED: usize = 64;

/// Checks that a refusal tells which limit was reached.
fn is_limit(error: &RpcError, kind: &str, limit: LimitReached) {
    let found = (error.code, error.data.kind.as_str(), error.data.limit);
    assert_eq!(found, (-32603, kind, Some(limit)), "{error:?}");
    assert_eq!(error.data.errno, None, "the system was not asked");
}

/// Does it so often, and returns what the last calls were answered with that were refused.
async fn repeat(peer: &mut Peer, count: usize, call: impl Fn(usize) -> (&'static str, Value)) {
    for first in (0..count).step_by(PIPELINED) {
        let mut asked = Vec::new();
        for number in first..count.min(first + PIPELINED) {
            let (method, params) = call(number);
            asked.push(peer.request(method, params).await);
        }
        for id in asked {
            peer.response(id).await.expect("there is room");
        }
    }
}

fn sleeper(number: usize) -> Value {
    json!({"processId": number.to_string(), "argv": ["/bin/sleep", "1000"], "retainBytes": MIN_RETAIN_BYTES})
}

on_wires! {
    [memory]
    async fn sessions_beyond_the_cap_are_refused_until_one_has_no_connection(server: &TestServer) {
        let mut peers = Vec::new();
        for _ in 0..MAX_SESSIONS {
            peers.push(server.session().await);
        }
        let mut late = server.connect().await;
        let initialize = json!({"clientName": "late"});
        let error = late.refused("initialize", initialize.clone()).await;
        is_limit(&error, "tooManySessions", LimitReached::Sessions);
        // Nobody else is hurt, and there is room as soon as somebody leaves.
        peers[0].call("environment/info", Value::Null).await;
        peers.pop().expect("there are many").finish().await;
        late.call("initialize", initialize).await;
        late.finish().await;
        for peer in peers {
            peer.finish().await;
        }
    }

    [websocket]
    async fn processes_of_a_session_beyond_the_cap_are_refused_and_those_of_others_are_not(server: &TestServer) {
        allow_files(server.process().expect("it runs on its own"), None);
        let mut peer = server.session().await;
        let mut other = server.session().await;
        repeat(&mut peer, MAX_SESSION_PROCESSES, |number| ("process/start", sleeper(number))).await;
        let error = peer.refused("process/start", sleeper(MAX_SESSION_PROCESSES)).await;
        is_limit(&error, "tooManyProcesses", LimitReached::ProcessesPerSession);
        other.run(json!({"processId": "p", "argv": ["/bin/echo"]})).await;
        peer.terminate("0").await;
        peer.start(sleeper(MAX_SESSION_PROCESSES)).await;
        peer.call("session/close", json!({})).await;
        peer.hang_up();
        other.finish().await;
    }

    [websocket]
    async fn open_files_of_all_sessions_have_a_cap_of_their_own(server: &TestServer) {
        allow_files(server.process().expect("it runs on its own"), None);
        let file = tempfile::NamedTempFile::new().expect("there is room");
        fs::write(file.path(), "contents").expect("it is ours");
        let path = format!("file://{}", file.path().display());
        let open = |number: usize| ("fs/open", json!({"path": path, "handleId": number.to_string()}));
        let mut peers = Vec::new();
        for _ in 0..MAX_FILE_HANDLES_IN_ALL / MAX_FILE_HANDLES {
            let mut peer = server.session().await;
            repeat(&mut peer, MAX_FILE_HANDLES, open).await;
            peers.push(peer);
        }
        let mut late = server.session().await;
        let error = late.refused("fs/open", open(0).1).await;
        is_limit(&error, "tooManyFiles", LimitReached::FileHandlesTotal);
        // What needs no handle goes on.
        late.call("fs/readFile", json!({"path": path})).await;
        peers[0].call("fs/close", json!({"handleId": "0"})).await;
        late.call("fs/open", open(0).1).await;
        // A session that ends gives back what it has, when its files are closed.
        peers[1].call("session/close", json!({})).await;
        let again = async {
            let mut opened = 1;
            while opened < MAX_FILE_HANDLES {
                if late.try_call("fs/open", open(opened).1).await.is_ok() {
                    opened += 1;
                }
            }
        };
        exec_tests::wait::within_patience("room for as many", again).await;
        late.finish().await;
        for peer in peers {
            peer.hang_up();
        }
    }
}

on_every_wire! {
    async fn a_session_has_a_cap_of_open_files(server: &TestServer) {
        let file = tempfile::NamedTempFile::new().expect("there is room");
        let path = format!("file://{}", file.path().display());
        let open = |number: usize| ("fs/open", json!({"path": path, "handleId": number.to_string()}));
        let mut peer = server.connect().await;
        let limits = peer.handshake().await.limits.expect("they are told");
        assert_eq!(limits.file_handles, MAX_FILE_HANDLES as u64);
        assert_eq!(limits.file_handles_total, MAX_FILE_HANDLES_IN_ALL as u64);
        assert_eq!(limits.processes_per_session, MAX_SESSION_PROCESSES as u64);
        repeat(&mut peer, MAX_FILE_HANDLES, open).await;
        let error = peer.refused("fs/open", open(MAX_FILE_HANDLES).1).await;
        is_limit(&error, "tooManyFiles", LimitReached::FileHandles);
        peer.call("fs/close", json!({"handleId": "0"})).await;
        peer.call("fs/open", open(0).1).await;
        peer.finish().await;
    }
}
