//! How far a child has come with what it writes, seen from outside.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use exec_tests::fixture;
use exec_tests::wait::until;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::Instant;

/// What is looked at twice before it is taken to have stopped.
///
/// One that is only slow is taken for one that has stopped, too, on a very busy machine. Then a test sees less than it
/// could, and fails for no other reason.
const STANDSTILL: Duration = Duration::from_millis(300);

/// A child that writes numbered blocks and takes note of each.
pub(crate) struct Progress {
    directory: TempDir,
}

impl Progress {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().expect("there is room for a directory");
        Self { directory }
    }

    /// Params of `process/start` for a child that writes so many bytes.
    pub(crate) fn of_blocks(&self, process_id: &str, bytes: u64) -> Value {
        let file = self.file();
        let file = file.to_str().expect("a temporary directory is UTF-8");
        json!({"processId": process_id, "argv": fixture::argv(["blocks", &bytes.to_string(), file])})
    }

    /// How many bytes it has written: whole blocks, so it may be up to one more.
    pub(crate) fn written(&self) -> u64 {
        self.noted().map_or(0, |(_, written)| written)
    }

    /// Waits until it has ended and the server is done with it: all that it had written is published.
    pub(crate) async fn reaped(&self) {
        until("the child has begun", || self.noted().is_some()).await;
        let (pid, _) = self.noted().expect("it has begun");
        super::reaped(u32::try_from(pid).expect("a pid is small")).await;
    }

    /// Its pid, and how many bytes it has written.
    fn noted(&self) -> Option<(u64, u64)> {
        let bytes = fs::read(self.file()).ok()?;
        let number = |at: usize| Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
        Some((number(0)?, number(8)?))
    }

    /// Waits until it has written more than this.
    pub(crate) async fn beyond(&self, bytes: u64) {
        until(&format!("more than {bytes} bytes are written"), || {
            self.written() > bytes
        })
        .await;
    }

    /// Waits until it has begun, and writes no more; how many bytes it has written by then.
    pub(crate) async fn standstill(&self) -> u64 {
        let (mut at, mut since) = (0, Instant::now());
        until("the child writes no more", || {
            let now = self.written();
            if now != at {
                (at, since) = (now, Instant::now());
            }
            at > 0 && since.elapsed() >= STANDSTILL
        })
        .await;
        at
    }

    fn file(&self) -> PathBuf {
        self.directory.path().join("progress")
    }
}
