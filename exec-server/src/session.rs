//! Who owns which process, and which connection speaks for it.

mod error;
mod handshake;
mod kept;
mod registry;
mod state;
mod table;

use std::sync::{Arc, Mutex, MutexGuard};

use exec_protocol::initialize::Notifications;
use exec_protocol::process::OnDisconnect;
use exec_protocol::{Group, ProcessId, SessionId};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

pub(crate) use error::{AttachError, ReserveError, SessionEnded};
pub(crate) use handshake::{Admission, Handshake, HandshakeError};
pub(crate) use kept::Kept;
pub(crate) use registry::{NoRandomness, OpenError, Registry, random_id};
pub(crate) use table::{Entry, Tombstone};

use crate::access::Identity;
use crate::files::Files;
use crate::limits::MAX_SESSION_PROCESSES;
use crate::process::{Process, Stop};
use crate::rpc::Outbox;
use crate::transport::CloseReason;
use state::{Attached, State};

/// The processes of one client, which outlive its connection for a while.
#[derive(Debug)]
pub(crate) struct Session {
    id: SessionId,
    /// Who opened it.
    identity: Identity,
    files: Files,
    /// Held only for the length of a memory operation, never across an await.
    state: Mutex<State>,
    /// A connection came, or none will.
    absence_over: Notify,
    /// Room for processes that run.
    running: Arc<Semaphore>,
}

/// Which absence of a connection a session is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Absence(u64);

/// What becomes of the connection that a session has, when another one comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takeover {
    /// It is hung up on.
    Allowed,
    /// It stays, and the other one is refused.
    Refused,
}

impl Session {
    fn new(id: SessionId, files: Files, identity: Identity) -> Self {
        Self {
            id,
            identity,
            files,
            state: Mutex::new(State::new(Instant::now())),
            absence_over: Notify::new(),
            running: Arc::new(Semaphore::new(MAX_SESSION_PROCESSES)),
        }
    }

    pub(crate) fn id(&self) -> &SessionId {
        &self.id
    }

    /// Who opened it, and alone may resume it.
    pub(crate) fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Its work on files.
    pub(crate) fn files(&self) -> &Files {
        &self.files
    }

    /// Makes `outbox` the one that gets the notifications, from the next event on, behind this
    /// answer. Who had them before is hung up on, if that is allowed.
    pub(crate) fn attach(
        &self,
        outbox: &Arc<Outbox>,
        notifications: Notifications,
        takeover: Takeover,
        answer: Vec<u8>,
    ) -> Result<(), AttachError> {
        let mut state = self.lock();
        if state.is_over {
            return Err(SessionEnded.into());
        }
        if let Some(older) = &state.attached {
            // One that ends already has nothing more to say for it.
            if takeover == Takeover::Refused && !older.outbox.is_closing() {
                return Err(AttachError::Attached);
            }
            older.outbox.close(CloseReason::TakenOver);
        }
        outbox.push_answer(answer);
        self.absence_over.notify_waiters();
        state.attached = Some(Attached {
            outbox: Arc::clone(outbox),
            notifications,
        });
        for process in state.table.processes() {
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
        for process in state.table.processes() {
            process.log().unsubscribe();
        }
        for process in state.members() {
            if process.on_disconnect() == OnDisconnect::Kill {
                process.stop(&Stop::with_connection());
            }
        }
        Some(Absence(state.absences))
    }

    /// Ends the session if it is still in this absence. True if it is over now.
    pub(crate) fn end_if_still(&self, absence: Absence, stop: &Stop) -> bool {
        let mut state = self.lock();
        let is_same = state.attached.is_none() && state.absences == absence.0;
        if is_same {
            self.end_as(&mut state, stop);
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

    /// Waits until every process has ended that ends with the session, and whoever they left behind.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub(crate) async fn ended(&self) {
        let ending: Vec<_> = {
            let state = self.lock();
            state.ending().cloned().collect()
        };
        for process in ending {
            process.ended().await;
        }
    }

    /// Ends the session: its processes are stopped but for those that outlive it, and its connection, if it has
    /// one, is left to say what becomes of them.
    pub(crate) fn end(&self, stop: &Stop) {
        self.end_as(&mut self.lock(), stop);
        self.absence_over.notify_waiters();
    }

    /// Room for another process that runs, if there is.
    pub(crate) fn running_permit(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.running).try_acquire_owned().ok()
    }

    /// Takes the process's id, so that no other start can.
    pub(crate) fn reserve(&self, process: &Arc<Process>) -> Result<(), ReserveError> {
        let mut state = self.lock();
        if state.is_over {
            return Err(SessionEnded.into());
        }
        match state.table.named(process.id()) {
            // An end that is known is in nobody's way, unless it is that of this very start.
            Some(Entry::Expired(tombstone)) if !tombstone.is_of(process.start_key()) => {}
            Some(taken) => return Err(ReserveError::Taken(taken.clone())),
            None => {}
        }
        state.table.insert_named(process);
        if let Some(Attached {
            outbox,
            notifications,
        }) = &state.attached
        {
            process.log().subscribe(Arc::clone(outbox), *notifications);
        } else if process.on_disconnect() == OnDisconnect::Kill {
            process.stop(&Stop::with_connection());
        }
        Ok(())
    }

    /// Whether the process is one of this session.
    pub(crate) fn has(&self, process: &Arc<Process>) -> bool {
        self.lock().table.has(process)
    }

    /// What is known under this name.
    pub(crate) fn named(&self, name: &ProcessId) -> Option<Entry> {
        self.lock().table.named(name).cloned()
    }

    /// What is known under this uid.
    pub(crate) fn of_uid(&self, uid: &str) -> Option<Entry> {
        self.lock().table.of_uid(uid).cloned()
    }

    /// Whether a connection speaks for the session.
    pub(crate) fn is_attached(&self) -> bool {
        self.lock().attached.is_some()
    }

    /// Whether the session's life is over.
    pub(crate) fn is_over(&self) -> bool {
        self.lock().is_over
    }

    /// Since when nobody is attached, if all that would be lost with the session is what ended
    /// processes have said.
    pub(crate) fn idle_since(&self) -> Option<Instant> {
        let state = self.lock();
        self.is_idle(&state).then_some(state.changed_at)
    }

    /// Ends the session if nobody came and nothing was started meanwhile. True if it is over now.
    pub(crate) fn end_if_idle(&self, stop: &Stop) -> bool {
        let mut state = self.lock();
        let is_idle = self.is_idle(&state);
        if is_idle {
            self.end_as(&mut state, stop);
        }
        is_idle
    }

    /// Every process of the session.
    pub(crate) fn processes(&self) -> Vec<Arc<Process>> {
        self.lock().table.processes().cloned().collect()
    }

    /// The processes of a group.
    pub(crate) fn in_group(&self, group: &Group) -> Vec<Arc<Process>> {
        let state = self.lock();
        let is_in_it = |process: &&Arc<Process>| process.group() == Some(group);
        state.table.processes().filter(is_in_it).cloned().collect()
    }

    /// Takes note that a process is closed and kept for a while. The oldest beyond the cap is
    /// not kept any longer.
    pub(crate) fn keep_ended(&self, process: &Arc<Process>) {
        let oldest = self.lock().table.keep_ended(process);
        if let Some(oldest) = oldest {
            oldest.expire();
        }
    }

    /// Gives the process's id free.
    pub(crate) fn remove(&self, process: &Arc<Process>) -> bool {
        self.lock().table.remove(process)
    }

    /// The process is not kept any longer. How it ended is known for a while.
    pub(crate) fn expire(&self, process: &Arc<Process>, tombstone: &Arc<Tombstone>) {
        self.lock().table.expire(process, tombstone, Instant::now());
    }

    /// Takes note that somebody outlives a closed process: they end with the session. False if that is over.
    pub(crate) fn add_outlived(&self, process: &Arc<Process>) -> bool {
        let mut state = self.lock();
        state.outlived.push(Arc::clone(process));
        !state.is_over
    }

    /// Takes note that nobody is left of a process.
    pub(crate) fn remove_outlived(&self, process: &Arc<Process>) {
        let mut state = self.lock();
        state.outlived.retain(|other| !Arc::ptr_eq(other, process));
    }

    fn is_idle(&self, state: &State) -> bool {
        state.is_idle() && self.files.is_idle()
    }

    fn end_as(&self, state: &mut State, stop: &Stop) {
        state.end(stop);
        self.files.end();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of this lock can panic")
    }
}

#[cfg(test)]
mod tests;
