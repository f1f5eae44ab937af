//! What a session is at a moment: who is attached, what runs, whether it is over.

use std::sync::Arc;

use exec_protocol::initialize::Notifications;
use exec_protocol::process::OnDisconnect;
use tokio::time::Instant;

use super::table::Table;
use crate::process::{Process, Stop};
use crate::rpc::Outbox;

/// What a session is at a moment.
#[derive(Debug)]
pub(super) struct State {
    /// The connection that gets the notifications.
    pub(super) attached: Option<Attached>,
    /// Whether the session's life is over: no process can be started and no connection attached.
    pub(super) is_over: bool,
    /// When the session was opened, or its connection went.
    pub(super) changed_at: Instant,
    /// How often a connection was missed so far.
    pub(super) absences: u64,
    pub(super) table: Table,
    /// Closed processes that somebody outlives.
    pub(super) outlived: Vec<Arc<Process>>,
}

/// A connection, and what it wants to be told.
#[derive(Debug)]
pub(super) struct Attached {
    pub(super) outbox: Arc<Outbox>,
    pub(super) notifications: Notifications,
}

impl State {
    /// Of a session that is opened now.
    pub(super) fn new(now: Instant) -> Self {
        Self {
            attached: None,
            is_over: false,
            changed_at: now,
            absences: 0,
            table: Table::default(),
            outlived: Vec::new(),
        }
    }

    /// Whether nobody is attached, nothing runs and nobody was left behind.
    pub(super) fn is_idle(&self) -> bool {
        self.attached.is_none() && self.table.is_idle() && self.outlived.is_empty()
    }

    /// Ends the session's life, and the processes that end with it.
    pub(super) fn end(&mut self, stop: &Stop) {
        self.is_over = true;
        // Nobody can ask for them any more, but a process that outlives the session holds on to it.
        self.table.clear_expired();
        for process in self.ending() {
            process.stop(stop);
        }
    }

    /// Processes that run, are kept, or left somebody behind; some of them twice.
    pub(super) fn members(&self) -> impl Iterator<Item = &Arc<Process>> {
        self.table.processes().chain(&self.outlived)
    }

    /// Those that end with the session.
    pub(super) fn ending(&self) -> impl Iterator<Item = &Arc<Process>> {
        self.members()
            .filter(|process| process.on_disconnect() != OnDisconnect::Keep)
    }
}
