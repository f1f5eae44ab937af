//! Which events go where.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use exec_protocol::ProcessId;
use tokio::sync::mpsc;

use crate::event::Notice;

/// Events of one process that its consumer has not taken yet.
///
/// A chunk of output is at most 64 KiB, so this holds at most 16 MiB; most chunks are far smaller,
/// and then a consumer may be this many behind before it slows the connection.
pub(crate) const QUEUE_EVENTS: usize = 256;

/// What a connection says about one process.
#[derive(Debug)]
pub(crate) enum Arrival {
    Notice(Notice),
    /// The session was taken up again on a new connection: what happened in between was not told.
    Resumed,
}

/// The processes whose events someone waits for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Routes(Arc<Mutex<HashMap<ProcessId, mpsc::Sender<Arrival>>>>);

/// What arrives for one process. Dropping it discards the rest.
#[derive(Debug)]
pub(crate) struct Subscription {
    routes: Routes,
    process_id: ProcessId,
    arrivals: mpsc::Receiver<Arrival>,
}

impl Routes {
    /// Starts to collect what arrives for a process. None if someone does so already.
    pub(crate) fn subscribe(&self, process_id: &ProcessId) -> Option<Subscription> {
        let (queue, arrivals) = mpsc::channel(QUEUE_EVENTS);
        let mut table = self.table();
        if table.contains_key(process_id) {
            return None;
        }
        table.insert(process_id.clone(), queue);
        Some(Subscription {
            routes: self.clone(),
            process_id: process_id.clone(),
            arrivals,
        })
    }

    /// The queue of a process, if someone waits for its events.
    pub(crate) fn queue(&self, process_id: &ProcessId) -> Option<mpsc::Sender<Arrival>> {
        self.table().get(process_id).cloned()
    }

    pub(crate) fn queues(&self) -> Vec<mpsc::Sender<Arrival>> {
        self.table().values().cloned().collect()
    }

    /// Nothing more will arrive, for anyone.
    pub(crate) fn clear(&self) {
        self.table().clear();
    }

    fn table(&self) -> MutexGuard<'_, HashMap<ProcessId, mpsc::Sender<Arrival>>> {
        self.0
            .lock()
            .expect("whoever holds it only moves entries, which does not panic")
    }
}

impl Subscription {
    pub(crate) fn process_id(&self) -> &ProcessId {
        &self.process_id
    }

    /// The next arrival, or None if nothing more will arrive. Cancel safe.
    pub(crate) async fn next(&mut self) -> Option<Arrival> {
        self.arrivals.recv().await
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.routes.table().remove(&self.process_id);
    }
}
