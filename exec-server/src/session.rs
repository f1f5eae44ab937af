//! Who owns which process, and which connection speaks for it.

mod handshake;
mod registry;

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use exec_protocol::initialize::Notifications;
use exec_protocol::{ProcessId, SessionId};
use tokio::sync::Notify;
use tokio::time::Instant;

pub(crate) use handshake::{Admission, Handshake, HandshakeError};
pub(crate) use registry::{OpenError, Registry};

use crate::limits::MAX_ENDED_PROCESSES;
use crate::process::Process;
use crate::rpc::Outbox;
use crate::transport::CloseReason;

/// The processes of one client, which outlive its connection for a while.
#[derive(Debug)]
pub(crate) struct Session {
    id: SessionId,
    /// Held only for the length of a memory operation, never across an await.
    state: Mutex<State>,
    /// A connection came, or none will.
    absence_over: Notify,
}

#[derive(Debug)]
struct State {
    /// The connection that gets the notifications.
    attached: Option<Attached>,
    /// Whether the session's life is over: no process can be started and no connection attached.
    is_over: bool,
    /// When the session was opened, or its connection went.
    changed_at: Instant,
    /// How often a connection was missed so far.
    absences: u64,
    processes: HashMap<ProcessId, Arc<Process>>,
    /// Closed processes that are still kept, oldest first.
    ended: VecDeque<Arc<Process>>,
}

/// A connection, and what it wants to be told.
#[derive(Debug)]
struct Attached {
    outbox: Arc<Outbox>,
    notifications: Notifications,
}

/// Which absence of a connection a session is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Absence(u64);

/// The session's life is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such session")]
pub(crate) struct SessionEnded;

/// Why a process id cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ReserveError {
    /// Another process has it.
    #[error("the process id is taken by a process that runs or is still kept")]
    Duplicate,
    /// The session is over.
    #[error(transparent)]
    Ended(#[from] SessionEnded),
}

impl Session {
    fn new(id: SessionId) -> Self {
        let state = State {
            attached: None,
            is_over: false,
            changed_at: Instant::now(),
            absences: 0,
            processes: HashMap::new(),
            ended: VecDeque::new(),
        };
        Self {
            id,
            state: Mutex::new(state),
            absence_over: Notify::new(),
        }
    }

    pub(crate) fn id(&self) -> &SessionId {
        &self.id
    }

    /// Makes `outbox` the one that gets the notifications, from the next event on, behind this
    /// answer. Who had them before is hung up on.
    pub(crate) fn attach(
        &self,
        outbox: &Arc<Outbox>,
        notifications: Notifications,
        answer: Vec<u8>,
    ) -> Result<(), SessionEnded> {
        let mut state = self.lock();
        if state.is_over {
            return Err(SessionEnded);
        }
        if let Some(older) = &state.attached {
            older.outbox.close(CloseReason::TakenOver);
        }
        outbox.push_answer(answer);
        self.absence_over.notify_waiters();
        state.attached = Some(Attached {
            outbox: Arc::clone(outbox),
            notifications,
        });
        for process in state.processes.values() {
            process.log().subscribe(Arc::clone(outbox), notifications);
        }
        Ok(())
    }

    /// Takes note that the connection of `outbox` is gone. None if it no longer spoke for the session.
    pub(crate) fn detach(&self, outbox: &Arc<Outbox>) -> Option<Absence> {
        let mut state = self.lock();
        if !state
            .attached
            .as_ref()
            .is_some_and(|current| Arc::ptr_eq(&current.outbox, outbox))
        {
            return None;
        }
        state.attached = None;
        state.changed_at = Instant::now();
        state.absences += 1;
        for process in state.processes.values() {
            process.log().unsubscribe();
        }
        Some(Absence(state.absences))
    }

    /// Ends the session if it is still in this absence. True if it is over now.
    pub(crate) fn end_if_still(&self, absence: Absence, grace: Duration) -> bool {
        let mut state = self.lock();
        let is_same = state.attached.is_none() && state.absences == absence.0;
        if is_same {
            state.end(grace);
        }
        is_same
    }

    /// Waits until a connection takes the session up again, or its life is over.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe. It waits for the next time: whoever needs to know of an earlier one asks
    /// [`end_if_still`](Self::end_if_still).
    pub(crate) async fn absence_over(&self) {
        self.absence_over.notified().await;
    }

    /// Waits until every process of the session is closed.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub(crate) async fn closed(&self) {
        for process in self.processes() {
            process.log().closed().await;
        }
    }

    /// Ends the session: its processes are stopped, and its connection, if it has one, is left to
    /// say what becomes of them.
    pub(crate) fn end(&self, grace: Duration) {
        self.lock().end(grace);
        self.absence_over.notify_waiters();
    }

    /// Takes the process's id, so that no other start can.
    pub(crate) fn reserve(&self, process: &Arc<Process>) -> Result<(), ReserveError> {
        let mut state = self.lock();
        if state.is_over {
            return Err(SessionEnded.into());
        }
        match state.processes.entry(process.id().clone()) {
            Entry::Occupied(_) => return Err(ReserveError::Duplicate),
            Entry::Vacant(free) => free.insert(Arc::clone(process)),
        };
        if let Some(Attached {
            outbox,
            notifications,
        }) = &state.attached
        {
            process.log().subscribe(Arc::clone(outbox), *notifications);
        }
        Ok(())
    }

    /// The process with this id: one that starts, runs, or has ended and is kept.
    pub(crate) fn process(&self, id: &ProcessId) -> Option<Arc<Process>> {
        self.lock().processes.get(id).cloned()
    }

    /// Whether the session's life is over.
    pub(crate) fn is_over(&self) -> bool {
        self.lock().is_over
    }

    /// Since when nobody is attached, if all that would be lost with the session is what ended
    /// processes have said.
    pub(crate) fn idle_since(&self) -> Option<Instant> {
        let state = self.lock();
        let is_idle = state.attached.is_none() && state.processes.len() == state.ended.len();
        is_idle.then_some(state.changed_at)
    }

    /// Every process of the session.
    pub(crate) fn processes(&self) -> Vec<Arc<Process>> {
        self.lock().processes.values().cloned().collect()
    }

    /// Takes note that a process is closed and kept for a while. The oldest beyond the cap is
    /// forgotten.
    pub(crate) fn keep_ended(&self, process: &Arc<Process>) {
        let mut state = self.lock();
        state.ended.push_back(Arc::clone(process));
        if state.ended.len() > MAX_ENDED_PROCESSES
            && let Some(oldest) = state.ended.pop_front()
        {
            oldest.forget();
        }
    }

    /// Gives the process's id free.
    pub(crate) fn remove(&self, process: &Arc<Process>) {
        let mut state = self.lock();
        state.ended.retain(|ended| !Arc::ptr_eq(ended, process));
        if state
            .processes
            .get(process.id())
            .is_some_and(|current| Arc::ptr_eq(current, process))
        {
            state.processes.remove(process.id());
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of this lock can panic")
    }
}

impl State {
    fn end(&mut self, grace: Duration) {
        self.is_over = true;
        for process in self.processes.values() {
            process.end_with_session(grace);
        }
    }
}
