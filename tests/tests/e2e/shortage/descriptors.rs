//! A server that may open no more files: it goes on with what it has, and begins again by itself.

use std::fs;
use std::time::Duration;

use exec_protocol::RpcError;
use exec_protocol::process::{Containment, EndReason};
use exec_protocol::task::TaskState;
use exec_tests::wait::{until, within_patience};
use exec_tests::{Options, TestServer, Wire, base64, on_wires, on_wires_with_tasks, on_with};
use serde_json::json;
use tokio::time::Instant;

use super::{allow_files, files, is_told_by_the_system};
use crate::commands::{on_pipes, on_terminal, with_stdin};
use crate::witness;

/// `EMFILE`.
const TOO_MANY_FILES: i32 = 24;

/// How long a server without descriptors is watched.
const WATCHED: Duration = Duration::from_secs(1);

/// What the system said is told, in place of a limit of ours.
fn is_shortage(error: &RpcError) {
    is_told_by_the_system(error, "tooManyFiles", TOO_MANY_FILES);
}

/// Starts processes with ever more descriptors to spare: whatever the step at which there is none left, nothing stays behind.
async fn starts_without_descriptors(server: &TestServer) {
    let mut peer = server.session().await;
    let process = server.process().unwrap();
    witness::start(&mut peer).await;
    peer.run(on_pipes("warm-up", ["exit", "0"])).await;
    let helpers = process.descendants();
    let before = files(process);
    for spare in 0..12 {
        allow_files(process, Some((before + spare) as u64));
        for params in [
            on_pipes("p", ["exit", "3"]),
            with_stdin("p", ["exit", "3"]),
            on_terminal("p", ["exit", "3"]),
        ] {
            match peer.try_call("process/start", params.clone()).await {
                Ok(_) => assert_eq!(peer.output_until_closed("p").await.exit_code, Some(3)),
                Err(error) => {
                    is_shortage(&error);
                    let unknown = peer.refused("process/read", json!({"processId": "p"})).await;
                    assert_eq!(unknown.data.kind, "unknownProcess");
                }
            }
            peer.try_call("process/forget", json!({"processId": "p"}))
                .await
                .ok();
        }
        witness::answers(&mut peer, "meanwhile").await;
        assert!(spare > 0 || files(process) <= before, "something is left open");
    }
    allow_files(process, None);
    until("the files are where they were", || files(process) <= before).await;
    until("no child is left", || {
        process.descendants().len() == helpers.len()
    })
    .await;
    assert_eq!(peer.run(on_pipes("p", ["exit", "3"])).await.exit_code, Some(3));
    witness::end(&mut peer).await;
    peer.finish().await;
}

#[tokio::test]
async fn a_start_without_descriptors_is_refused_however_a_tree_is_held_together() {
    for containment in [Containment::Supervisor, Containment::Group] {
        let options = Options {
            containment: Some(containment),
            ..Options::default()
        };
        on_with(Wire::Websocket, options, starts_without_descriptors).await;
    }
}

on_wires! {
    [websocket]
    async fn who_cannot_be_accepted_is_accepted_by_itself_once_there_is_room(server: &TestServer) {
        let mut peer = server.session().await;
        let process = server.process().unwrap();
        witness::start(&mut peer).await;
        allow_files(process, Some(0));
        // The system takes the connection in, and the server cannot.
        let late = server.session();
        tokio::pin!(late);
        let (begun, busy) = (Instant::now(), process.processor_time().unwrap());
        while begun.elapsed() < WATCHED {
            let pause = tokio::time::timeout(WATCHED / 10, &mut late).await;
            assert!(pause.is_err(), "it was accepted without a descriptor");
            witness::answers(&mut peer, "meanwhile").await;
        }
        let busy = process.processor_time().unwrap().saturating_sub(busy);
        // Ten looks, and ten echoes, take a fifth of that at most; a loop without a pause takes all it can get.
        assert!(busy < WATCHED / 10, "it was busy for {busy:?}");
        allow_files(process, None);
        let mut late = within_patience("the one that came too early", late).await;
        late.run(on_pipes("p", ["exit", "0"])).await;
        late.finish().await;
        witness::end(&mut peer).await;
        peer.finish().await;
    }

    [stdio, websocket]
    async fn a_start_without_descriptors_is_refused_and_leaves_nothing(server: &TestServer) {
        starts_without_descriptors(server).await;
    }

    [stdio, websocket]
    async fn there_is_room_for_a_start_again_when_another_process_has_ended(server: &TestServer) {
        let mut peer = server.session().await;
        let process = server.process().unwrap();
        peer.run(on_pipes("warm-up", ["exit", "0"])).await;
        allow_files(process, Some((files(process) + 40) as u64));
        let mut started = Vec::new();
        let error = loop {
            let id = started.len().to_string();
            match peer.try_call("process/start", with_stdin(&id, ["echo"])).await {
                Ok(_) => started.push(id),
                Err(error) => break error,
            }
        };
        is_shortage(&error);
        assert!(started.len() > 1, "there was room for some");
        for id in started.drain(..2) {
            peer.terminate(&id).await;
        }
        peer.start(with_stdin("late", ["echo"])).await;
        peer.write("late", "works\n").await;
        peer.output_until("late", "works\n").await;
        allow_files(process, None);
        peer.terminate("late").await;
        for id in started {
            peer.terminate(&id).await;
        }
        peer.finish().await;
    }

    [stdio, websocket]
    async fn work_on_files_without_descriptors_is_refused_and_changes_nothing(server: &TestServer) {
        let mut peer = server.session().await;
        let process = server.process().unwrap();
        witness::start(&mut peer).await;
        let place = tempfile::tempdir().unwrap();
        let uri = |name: &str| format!("file://{}", place.path().join(name).display());
        fs::write(place.path().join("old"), "old").unwrap();
        let works = [
            ("fs/readFile", json!({"path": uri("old")})),
            ("fs/writeFile", json!({"path": uri("old"), "dataBase64": base64("new")})),
            ("fs/writeFile", json!({"path": uri("new"), "dataBase64": base64("new")})),
            ("fs/open", json!({"path": uri("old"), "handleId": "r"})),
            ("fs/open", json!({"path": uri("old"), "handleId": "w", "mode": "replace"})),
            ("fs/readDirectory", json!({"path": uri("")})),
            ("fs/copy", json!({"sourcePath": uri("old"), "destinationPath": uri("copy"), "recursive": false})),
        ];
        // Its threads are there.
        peer.call("fs/readFile", json!({"path": uri("old")})).await;
        let before = files(process);
        allow_files(process, Some(0));
        for (method, params) in &works {
            let error = peer.refused(method, params.clone()).await;
            assert_eq!((error.data.kind.as_str(), error.data.errno), ("tooManyFiles", Some(TOO_MANY_FILES)), "{method}: {error:?}");
        }
        witness::answers(&mut peer, "meanwhile").await;
        assert_eq!(fs::read_to_string(place.path().join("old")).unwrap(), "old");
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1, "something was made");
        allow_files(process, None);
        for (method, params) in works {
            peer.call(method, params).await;
        }
        for id in ["r", "w"] {
            peer.call("fs/close", json!({"handleId": id})).await;
        }
        until("the files are where they were", || files(process) <= before).await;
        witness::end(&mut peer).await;
        peer.finish().await;
    }
}

on_wires_with_tasks! {
    [websocket]
    async fn a_task_that_cannot_be_begun_for_want_of_descriptors_says_so_in_its_record(server: &TestServer) {
        let mut peer = server.session().await;
        let process = server.process().unwrap();
        let task = |id: &str| json!({"taskId": id, "argv": ["/bin/echo", "said"]});
        peer.run_task(task("before")).await;
        allow_files(process, Some(0));
        let record = peer.run_task(task("without")).await;
        assert_eq!((record.state, record.end_reason), (TaskState::Failed, Some(EndReason::StartFailed)));
        let failure = record.attempts[0].failure.as_ref().map(|failure| failure.kind.as_str());
        assert_eq!(failure, Some("tooManyFiles"));
        allow_files(process, None);
        let record = peer.run_task(task("after")).await;
        assert_eq!(record.state, TaskState::Completed);
        assert_eq!(peer.task_output("after").await, b"said\n");
        assert_eq!(peer.task_output("before").await, b"said\n");
        peer.finish().await;
    }
}
