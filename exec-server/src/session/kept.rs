//! Processes that outlive their sessions.

use std::sync::{Arc, Mutex, MutexGuard};

use tokio::time::Instant;

use super::table::{Entry, Table, Tombstone};
use crate::access::Identity;
use crate::process::{Process, Stop};

/// Processes that outlive their sessions. They are found by their uids from any session.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// Held only for the length of a memory operation, never across an await.
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    table: Table,
    /// Closed processes that somebody outlives.
    outlived: Vec<Arc<Process>>,
}

impl Kept {
    pub(crate) fn insert(&self, process: &Arc<Process>) {
        self.lock().table.insert(process);
    }

    /// What is known under this uid, if it is of this identity or anybody's.
    pub(crate) fn of_uid(&self, uid: &str, identity: &Identity) -> Option<Entry> {
        let state = self.lock();
        let entry = state.table.of_uid(uid)?;
        entry
            .owner()
            .is_none_or(|owner| owner == identity)
            .then(|| entry.clone())
    }

    /// Those of this identity, and those that are anybody's.
    pub(crate) fn processes_of(&self, identity: &Identity) -> Vec<Arc<Process>> {
        let state = self.lock();
        let is_theirs = |process: &&Arc<Process>| process.owner().is_none_or(|owner| owner == identity);
        state.table.processes().filter(is_theirs).cloned().collect()
    }

    pub(crate) fn processes(&self) -> Vec<Arc<Process>> {
        self.lock().table.processes().cloned().collect()
    }

    /// Takes note that a process is closed and kept for a while. The oldest beyond the cap is
    /// not kept any longer.
    pub(crate) fn keep_ended(&self, process: &Arc<Process>) {
        let oldest = self.lock().table.keep_ended(process);
        if let Some(oldest) = oldest {
            oldest.expire();
        }
    }

    pub(crate) fn remove(&self, process: &Arc<Process>) -> bool {
        self.lock().table.remove(process)
    }

    /// The process is not kept any longer. How it ended is known for a while.
    pub(crate) fn expire(&self, process: &Arc<Process>, tombstone: &Arc<Tombstone>) {
        self.lock().table.expire(process, tombstone, Instant::now());
    }

    /// Takes note that somebody outlives a closed process.
    pub(crate) fn add_outlived(&self, process: &Arc<Process>) {
        self.lock().outlived.push(Arc::clone(process));
    }

    /// Takes note that nobody is left of a process.
    pub(crate) fn remove_outlived(&self, process: &Arc<Process>) {
        self.lock().outlived.retain(|other| !Arc::ptr_eq(other, process));
    }

    /// Ends all of them.
    pub(crate) fn end(&self, stop: &Stop) {
        let state = self.lock();
        for process in state.table.processes().chain(&state.outlived) {
            process.stop(stop);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of this lock can panic")
    }
}
