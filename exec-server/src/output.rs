//! One process's output: its owner writes, a connection's writer pulls, reads wait.

mod buffers;
mod events;
mod following;
mod memory;
mod pattern;
mod reading;
mod retention;
mod ring;
mod subscriber;
mod summary;
mod waiting;

use std::io;
use std::sync::Arc;

use exec_protocol::initialize::Notifications;
use exec_protocol::process::{OnSlowClient, Stream, StreamBytes};
use exec_protocol::{ProcessId, Seq};
use pty_utils::Read;
use tokio::time::Instant;

pub(crate) use events::{CloseFacts, Closed, Event, Exit, ExitFacts};
pub(crate) use memory::{MemoryLimit, OutputMemory, Reservation};
#[cfg(any(fuzzing, test))]
pub(crate) use pattern::{Fed, Found, Scanner, Surroundings};
pub(crate) use pattern::{Pattern, PatternError};
pub(crate) use reading::{ReadError, ReadRequest};
pub(crate) use ring::{Cursor, Entry, MIN_CAPACITY, SEGMENT_BYTES};
pub(crate) use summary::Summary;
pub(crate) use waiting::{Condition, Outcome, Watch};

use crate::notify::ProcessName;
use crate::rpc::{Batch, Outbox};
use crate::sync::{Mutex, MutexGuard, WaitList, lock, wait_until};
use events::Ends;
use ring::Ring;
use subscriber::Subscriber;

/// One process's output, shared between its owner, the reads and one connection's writer.
#[derive(Debug)]
pub(crate) struct OutputLog {
    name: ProcessName,
    on_slow_client: Option<OnSlowClient>,
    /// Held only for the length of a memory operation, never across an await.
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    ring: Ring,
    ends: Ends,
    /// Everything that was published, by stream.
    bytes: StreamBytes,
    begun: Instant,
    /// When something was published last.
    last_output: Option<Instant>,
    /// The part of the server's memory that is set aside for this.
    reservation: Option<Reservation>,
    /// Whether everything was dropped to make room for others.
    is_discarded: bool,
    /// Whether a client has been told of the close.
    close_was_told: bool,
    subscriber: Option<Subscriber>,
    /// Bytes that the client has acknowledged, if it does so.
    acked: Option<u64>,
    /// Up to where everything was taken, if somebody takes all of it.
    followed: Option<Cursor>,
    /// Bytes before the furthest cursor that the client has read from.
    read_to: u64,
    /// Bytes before the furthest cursor that an answer to a read has told.
    answered_to: u64,
    readers: WaitList,
    /// Of the owner's task.
    owner: WaitList,
}

impl OutputLog {
    /// The output of a process that has said nothing. It keeps `retain_bytes`.
    pub(crate) fn new(
        process_id: &ProcessId,
        retain_bytes: usize,
        on_slow_client: Option<OnSlowClient>,
    ) -> Self {
        Self {
            name: ProcessName::new(process_id),
            on_slow_client,
            state: Mutex::new(State::new(retain_bytes)),
        }
    }

    /// Appends what `read` reads into the buffer that it is given, of at most `at_most` bytes and at most a segment's, and
    /// wakes whoever waits for it.
    ///
    /// # Errors
    ///
    /// Those of `read`.
    pub(crate) fn push_read(
        self: &Arc<Self>,
        stream: Stream,
        at_most: usize,
        read: impl FnOnce(&mut [u8]) -> io::Result<Read>,
    ) -> io::Result<Read> {
        let mut buffer = buffers::take();
        let outcome = read(&mut buffer[..at_most.min(SEGMENT_BYTES)]);
        if let Ok(Read::Bytes(bytes)) = outcome {
            self.change(Tells::Output, |state| {
                state.count(stream, bytes);
                if bytes == buffer.len() {
                    state.ring.push_buffer(stream, std::mem::take(&mut buffer))
                } else {
                    state.ring.push(stream, &buffer[..bytes]);
                    None
                }
            })
            .into_iter()
            .for_each(buffers::give);
        }
        buffers::give(buffer);
        outcome
    }

    /// Publishes the leader's exit.
    pub(crate) fn push_exit(self: &Arc<Self>, status: ExitFacts) {
        self.change(Tells::Mark, |state| {
            let offset = state.ring.end().offset;
            let seq = state.ring.mark();
            state.ends.exit = Some(Exit { seq, offset, status });
        });
    }

    /// Publishes the end of output. The last event, once.
    pub(crate) fn push_closed(self: &Arc<Self>, facts: CloseFacts) {
        self.change(Tells::Mark, |state| {
            let seq = state.ring.mark();
            let bytes = state.bytes;
            state.ends.closed = Some(Closed { seq, bytes, facts });
            state.ring.shrink();
            let memory = state.ring.memory();
            if let Some(reservation) = &mut state.reservation {
                reservation.shrink_to(memory);
            }
        });
    }

    fn change<T>(self: &Arc<Self>, tells: Tells, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.lock();
        let result = change(&mut state);
        self.evict(&mut state);
        let outbox = state.subscriber.as_mut().and_then(|it| it.queue(tells));
        let readers = state.readers.take();
        drop(state);
        readers.wake();
        if let Some(outbox) = outbox {
            outbox.push_ready(Arc::clone(self));
        }
        result
    }

    /// Sends events from now on to `outbox`, in place of whoever got them before.
    pub(crate) fn subscribe(&self, outbox: Arc<Outbox>, notifications: Notifications) {
        self.change_for_owner(|state| {
            // The next event must be a new one, also if it is more of the same output.
            state.ring.seal();
            let sent = state.ring.end();
            state.subscriber = Some(Subscriber::new(outbox, notifications, sent));
        });
    }

    /// Sends no more events. From now on nothing holds the process up. What is kept stays so until there is more.
    pub(crate) fn unsubscribe(&self) {
        let mut state = self.lock();
        state.subscriber = None;
        let owner = state.owner.take();
        drop(state);
        owner.wake();
    }

    /// The client has every event up to this one. What was never told cannot be acknowledged.
    pub(crate) fn ack(&self, seq: Seq) {
        self.change_for_owner(|state| {
            let told = state.subscriber.as_ref().and_then(Subscriber::told_to);
            let told = told.unwrap_or(0).max(state.answered_to);
            let cursor = state.ring.after_seq(seq);
            // It is from here that a client reads on when its connection breaks.
            state.ring.remember(cursor);
            let before = state.acked.unwrap_or(0);
            state.acked = Some(before.max(cursor.offset.min(told)));
        });
    }

    /// What this takes, in bytes.
    pub(crate) fn memory(&self) -> usize {
        self.lock().ring.memory()
    }

    /// Whether the process may be read: what its client still has to get fits the ring, or may be dropped.
    pub(crate) fn has_room(&self) -> bool {
        self.lock().has_room(self.on_slow_client)
    }

    /// Waits until the process may be read.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub(crate) async fn room(&self) {
        let on_slow_client = self.on_slow_client;
        let has_room = move |state: &mut State| state.has_room(on_slow_client).then_some(());
        wait_until(&self.state, State::owner_list, has_room).await;
    }

    /// Appends notifications for `outbox` to `batch` until that is full. True if there are more.
    pub(crate) fn pull(&self, outbox: &Arc<Outbox>, batch: &mut Batch) -> bool {
        let mut guard = self.lock();
        let state = &mut *guard;
        let Some(subscriber) = state.subscriber.as_mut().filter(|it| it.is(outbox)) else {
            return false;
        };
        let had_room = state.ring.is_within_bounds();
        let told = subscriber.pull(&mut state.ring, &state.ends, &self.name, batch);
        state.close_was_told |= told.closed;
        self.evict(state);
        let regained_room = !had_room && state.ring.is_within_bounds();
        let owner = (told.closed || regained_room).then(|| state.owner.take());
        drop(guard);
        if let Some(owner) = owner {
            owner.wake();
        }
        told.has_more
    }

    /// Changes what the owner waits for.
    fn change_for_owner(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        change(&mut state);
        self.evict(&mut state);
        let owner = state.owner.take();
        drop(state);
        owner.wake();
    }

    /// Drops what is too old, but nothing that the client still has to get.
    fn evict(&self, state: &mut State) {
        let floor = state.floor(self.on_slow_client);
        state.ring.evict(floor, buffers::give);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl State {
    fn new(retain_bytes: usize) -> Self {
        Self {
            ring: Ring::new(retain_bytes),
            ends: Ends::default(),
            bytes: StreamBytes::default(),
            begun: Instant::now(),
            last_output: None,
            reservation: None,
            is_discarded: false,
            close_was_told: false,
            subscriber: None,
            acked: None,
            followed: None,
            read_to: 0,
            answered_to: 0,
            readers: WaitList::default(),
            owner: WaitList::default(),
        }
    }

    fn count(&mut self, stream: Stream, bytes: usize) {
        *self.bytes.of_mut(stream) += bytes as u64;
        self.last_output = Some(Instant::now());
    }

    /// The first byte that must be kept: for who takes all of them, or for the client that is attached.
    fn floor(&self, on_slow_client: Option<OnSlowClient>) -> Option<u64> {
        if let Some(followed) = self.followed {
            return Some(followed.offset);
        }
        let subscriber = self.subscriber.as_ref()?;
        let told_to = subscriber.told_to();
        let default = if told_to.is_some() {
            OnSlowClient::Block
        } else {
            OnSlowClient::Skip
        };
        match (on_slow_client.unwrap_or(default), told_to) {
            (OnSlowClient::Skip, _) => None,
            // What was read ahead and acknowledged is still to be told.
            (OnSlowClient::Block, Some(told_to)) => {
                Some(self.acked.map_or(told_to, |acked| acked.min(told_to)))
            }
            (OnSlowClient::Block, None) => Some(self.acked.unwrap_or(0).max(self.read_to)),
        }
    }

    fn has_room(&self, on_slow_client: Option<OnSlowClient>) -> bool {
        self.ring.is_within_bounds() || self.floor(on_slow_client).is_none()
    }

    fn reader_list(&mut self) -> &mut WaitList {
        &mut self.readers
    }

    fn owner_list(&mut self) -> &mut WaitList {
        &mut self.owner
    }
}

/// What has just happened, as far as it matters to who is told of what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tells {
    Output,
    /// The exit or the close.
    Mark,
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod wake_ups;
