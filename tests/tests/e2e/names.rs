//! By which names a process is known, and for how long.

mod expired;
mod forget;
mod many;
mod start_keys;
mod uids;

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use exec_protocol::RpcError;
use exec_server::Config;
use exec_tests::wait::within_patience;
use exec_tests::{Peer, TestServer};
use serde_json::{Value, json};
use tempfile::TempDir;

/// How long an ended process is kept where a test waits for the end of it.
const RETAINED: Duration = Duration::from_millis(50);

/// A server that soon forgets what ended processes have said.
fn forgetful() -> TestServer {
    TestServer::embedded(Config {
        retain_ended: RETAINED,
        ..Config::default()
    })
}

/// Waits until only the end of a process is known, and returns the error that says so.
async fn expired(peer: &mut Peer, name: &str) -> RpcError {
    let looking = async {
        loop {
            if let Err(error) = peer.try_call("process/get", json!({"processId": name})).await {
                return error;
            }
        }
    };
    within_patience("the process to expire", looking).await
}

/// Counts how often a program was run.
struct Runs(TempDir);

impl Runs {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("there is room for a directory"))
    }

    /// A program that leaves a mark and then does what `script` says.
    fn script(&self, process_id: &str, script: &str) -> Value {
        let script = format!("echo run >>\"$0\"; {script}");
        let file = self.file();
        json!({"processId": process_id, "argv": ["/bin/sh", "-c", script, file.to_str().expect("it is UTF-8")]})
    }

    fn count(&self) -> usize {
        fs::read_to_string(self.file()).map_or(0, |text| text.lines().count())
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("runs")
    }
}
