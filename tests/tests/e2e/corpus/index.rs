//! What may be in the files of a task's log when a server starts.

use std::fs;
use std::path::Path;

use exec_protocol::task::LogsResult;
use exec_tests::{Options, Peer, TestServer, Wire};
use serde_json::json;

use super::{Seed, seeds};

/// Says a word, so that there is a log, and stays.
const SCRIPT: &str = "echo begun; exec sleep 1000";

/// The raw log and the index: the length of the first stands before it, in two bytes, low byte first.
fn files(seed: &[u8]) -> (&[u8], &[u8]) {
    let (length, rest) = seed.split_first_chunk::<2>().expect("an input has a length");
    rest.split_at(usize::from(u16::from_le_bytes(*length)).min(rest.len()))
}

async fn server(state_dir: &Path) -> TestServer {
    let options = Options {
        state_dir: Some(state_dir.to_owned()),
        ..Options::default()
    };
    TestServer::start_with(Wire::Websocket, options).await
}

/// Starts a task for each input, and kills the server.
async fn crash_with_tasks(state_dir: &Path, seeds: &[Seed]) {
    let server = server(state_dir).await;
    let mut peer = server.session().await;
    peer.call("task/lanes", json!({"lane": "l", "maxParallel": seeds.len()}))
        .await;
    for Seed { name, .. } in seeds {
        peer.submit(json!({"taskId": name, "lane": "l", "argv": ["/bin/sh", "-c", SCRIPT]}))
            .await;
    }
    for Seed { name, .. } in seeds {
        peer.task_says(name, "begun").await;
    }
    server.crash().await;
    peer.hang_up();
}

/// What is told is what is in the raw log, from where it begins to its end.
async fn is_told(peer: &mut Peer, name: &str, raw: &[u8]) {
    let params = json!({"taskId": name, "view": "raw", "maxBytes": 1 << 20});
    let LogsResult { parts, log, .. } = peer.task_log(params).await;
    let told: Vec<u8> = parts
        .into_iter()
        .flat_map(|part| part.data_base64.expect("it is raw").0)
        .collect();
    let first = usize::try_from(log.first_offset).expect("it is short");
    assert!(told == raw[first..], "{name}: {}", String::from_utf8_lossy(&told));
    assert_eq!(log.end_offset, raw.len() as u64, "{name}");
    for params in [
        json!({"taskId": name, "head": 3, "tail": 3}),
        json!({"taskId": name, "range": {"unit": "line", "from": 1, "to": 3}}),
        json!({"taskId": name, "grep": {"regex": "o|^$", "before": 1}}),
    ] {
        peer.task_log(params).await;
    }
}

#[tokio::test]
async fn whatever_is_in_the_files_of_a_log_is_told_as_it_is() {
    let directory = tempfile::tempdir().expect("there is room for a directory");
    let state_dir = directory.path().join("state");
    let seeds = seeds("index");
    crash_with_tasks(&state_dir, &seeds).await;
    for Seed { name, bytes } in &seeds {
        let (raw, index) = files(bytes);
        let log = state_dir.join("logs").join(name).join("1.log");
        fs::write(&log, raw).expect("it is there");
        fs::write(log.with_extension("index"), index).expect("it is there");
    }
    // A second start finds what the first one has put in order.
    for _ in 0..2 {
        let server = server(&state_dir).await;
        let mut peer = server.session().await;
        for Seed { name, bytes } in &seeds {
            is_told(&mut peer, name, files(bytes).0).await;
        }
        peer.finish().await;
        server.finish().await;
    }
}
