//! A name by which the processes of a test are found from outside.

use serde_json::{Value, json};

use crate::os::{self, OsProcess};
use crate::wait::until;

/// A name by which the processes of a test are found from outside: a variable that they have, and hand on.
#[derive(Debug)]
pub struct Marker(String);

impl Marker {
    /// A name that nobody else has.
    #[expect(clippy::new_without_default, reason = "no two are the same")]
    pub fn new() -> Self {
        let directory = tempfile::tempdir().expect("there is room for a directory");
        Self(directory.path().display().to_string())
    }

    /// The same params of a start, and the name in the environment.
    pub fn on(&self, mut params: Value) -> Value {
        params["env"] = json!({"PATH": "/usr/bin:/bin", "EXEC_TESTS_MARKER": self.0});
        params
    }

    /// Those that have the name and have not ended.
    pub fn processes(&self) -> Vec<OsProcess> {
        os::with_variable(&format!("EXEC_TESTS_MARKER={}", self.0))
    }

    /// Waits until so many have the name, and returns them.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn running(&self, count: usize) -> Vec<OsProcess> {
        let what = format!("{count} marked processes run");
        until(&what, || self.processes().len() == count).await;
        self.processes()
    }

    /// Waits until all of them have ended.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn ended(&self) {
        until("the marked processes have ended", || self.processes().is_empty()).await;
    }
}
