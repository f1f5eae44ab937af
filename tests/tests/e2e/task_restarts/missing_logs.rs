//! What was put where a log was is neither read nor waited for, and does not keep a server from its work.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use exec_protocol::task::TaskState;
use exec_tests::wait::within_patience;
use exec_tests::{Peer, Wire};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::{Value, json};

use super::{StateDir, ended, get, script, submit, was_lost, written};

/// What nobody may be told.
const SECRET: &str = "what is none of theirs";

/// What each task has written.
const SAID: &str = "hello\n";

/// What somebody does to a log of a task.
type Trick = fn(&StateDir, &str);

/// Each of them on a task of its name.
const TRICKS: [(&str, Trick); 6] = [
    ("no-directory", |state, task| {
        fs::remove_dir_all(state.logs_of(task)).unwrap();
    }),
    ("no-raw-log", |state, task| {
        fs::remove_file(state.raw_log(task)).unwrap();
    }),
    ("a-fifo-for-a-log", |state, task| make_fifo(&state.raw_log(task))),
    ("a-fifo-for-an-index", |state, task| make_fifo(&state.index(task))),
    ("a-symlink-for-a-log", |state, task| {
        let secret = state.beside("secret");
        fs::write(&secret, SECRET).unwrap();
        fs::remove_file(state.raw_log(task)).unwrap();
        symlink(&secret, state.raw_log(task)).unwrap();
    }),
    ("a-directory-for-a-log", |state, task| {
        fs::remove_file(state.raw_log(task)).unwrap();
        fs::create_dir(state.raw_log(task)).unwrap();
    }),
];

fn make_fifo(path: &Path) {
    fs::remove_file(path).unwrap();
    let mode = Mode::RUSR | Mode::WUSR;
    mknodat(CWD, path, FileType::Fifo, mode, 0).unwrap();
}

/// A look that must come to something: a refusal of a known kind, or output that is said to be missing.
async fn look(peer: &mut Peer, params: Value) {
    let what = format!("an answer to {params}");
    let answer = within_patience(&what, peer.try_call("task/logs", params.clone())).await;
    match answer {
        Err(error) => assert_eq!(error.data.kind, "internal", "{error:?}"),
        Ok(result) => {
            assert!(!result.to_string().contains(SECRET), "{result}");
            let parts = result["parts"].as_array().unwrap();
            let omitted = result["omitted"].as_array().unwrap();
            let told = parts
                .iter()
                .chain(omitted)
                .map(|part| part["toOffset"].as_u64().unwrap() - part["fromOffset"].as_u64().unwrap());
            assert_eq!(
                told.sum::<u64>(),
                result["totalBytes"].as_u64().unwrap(),
                "{params}: {result}"
            );
        }
    }
}

async fn look_at_all(peer: &mut Peer) {
    for (task, _) in TRICKS {
        look(peer, json!({"taskId": task})).await;
        look(peer, json!({"taskId": task, "view": "raw"})).await;
        get(peer, task).await;
    }
}

async fn remove_all(state: &StateDir, peer: &mut Peer) {
    for (task, _) in TRICKS {
        let params = json!({"taskId": task});
        within_patience("a removal", peer.call("task/remove", params)).await;
        assert!(!state.logs_of(task).exists(), "{task}");
    }
    let secret = fs::read_to_string(state.beside("secret")).unwrap();
    assert_eq!(secret, SECRET, "what a symlink leads to is somebody else's");
}

#[tokio::test]
async fn of_tasks_that_have_ended() {
    let state = StateDir::new();
    let server = state.server(Wire::Websocket).await;
    let mut peer = server.session().await;
    for (task, _) in TRICKS {
        submit(&mut peer, script(task, "echo hello")).await;
        ended(&mut peer, task).await;
    }
    for (task, play) in TRICKS {
        play(&state, task);
    }
    look_at_all(&mut peer).await;
    peer.finish().await;
    server.finish().await;

    let server = state.server(Wire::Websocket).await;
    let mut peer = server.session().await;
    look_at_all(&mut peer).await;
    for (task, _) in TRICKS {
        let record = get(&mut peer, task).await;
        assert_eq!(record.state, TaskState::Completed);
        assert_eq!(record.attempts[0].bytes.stdout, SAID.len() as u64);
    }
    remove_all(&state, &mut peer).await;
    peer.finish().await;
    server.finish().await;
}

#[tokio::test]
async fn of_tasks_that_a_crash_has_interrupted() {
    let state = StateDir::new();
    let server = state.server(Wire::Websocket).await;
    let mut peer = server.session().await;
    peer.call("task/lanes", json!({"lane": "l", "maxParallel": 100}))
        .await;
    for (task, _) in TRICKS {
        let mut params = script(task, "echo hello; exec sleep 1000");
        params["lane"] = json!("l");
        submit(&mut peer, params).await;
    }
    for (task, _) in TRICKS {
        written(&mut peer, task, SAID.len() as u64).await;
    }
    server.crash().await;
    peer.hang_up();
    for (task, play) in TRICKS {
        play(&state, task);
    }

    let server = state.server(Wire::Websocket).await;
    let mut peer = server.session().await;
    for (task, _) in TRICKS {
        let record = get(&mut peer, task).await;
        assert!(was_lost(&record), "{record:?}");
        let stopped = &record.attempts[0].log.stopped;
        assert!(stopped.is_some(), "{task}: nothing says that its log is lost");
    }
    look_at_all(&mut peer).await;
    // Another attempt has a log of its own, if its directory can be had.
    peer.call("task/retry", json!({"taskId": "no-directory"})).await;
    written(&mut peer, "no-directory", SAID.len() as u64).await;
    remove_all(&state, &mut peer).await;
    peer.finish().await;
    server.finish().await;
}
