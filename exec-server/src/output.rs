//! One process's output: its owner writes, a connection's writer pulls, reads wait.

mod ring;

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use exec_protocol::process::{Chunk, ReadResult, Stream};
use exec_protocol::{Blob, ProcessId, Seq};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use crate::limits::{MAX_READ_REPLY_BYTES, RETAIN_BYTES};
use crate::notify::{self, ProcessName};
use crate::rpc::{Batch, Outbox};
use ring::Ring;
pub(crate) use ring::{Entry, Kind};

/// JSON around the payload of one chunk in the answer to a read, in bytes, rounded up.
const CHUNK_JSON_BYTES: usize = 80;

/// One process's output, shared between its owner, the reads and one connection's writer.
#[derive(Debug)]
pub(crate) struct OutputLog {
    name: ProcessName,
    /// Held only for the length of a memory operation, never across an await.
    state: Mutex<State>,
    /// Sent after every change that a read could be waiting for.
    changed: watch::Sender<()>,
    /// Told when the owner may go on: there is room again, or the close was handed over.
    owner: Notify,
}

#[derive(Debug)]
struct State {
    ring: Ring,
    exit_code: Option<i32>,
    closed: bool,
    /// Whether a client has been told of the close.
    close_was_told: bool,
    subscriber: Option<Subscriber>,
}

/// The connection that gets the notifications.
#[derive(Debug)]
struct Subscriber {
    outbox: Arc<Outbox>,
    /// Everything up to here was handed to the writer.
    sent: Seq,
    /// Whether the outbox knows that there is more.
    is_queued: bool,
}

/// What is wrong with the cursor of a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the cursor {after} lies beyond {last}, the newest event")]
pub(crate) struct CursorAhead {
    after: Seq,
    last: Seq,
}

/// What a read asks for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReadRequest {
    pub(crate) after: Seq,
    /// In bytes of payload; one whole chunk comes in any case, unless it is 0.
    pub(crate) max_bytes: usize,
    pub(crate) wait: Duration,
}

impl OutputLog {
    pub(crate) fn new(process_id: &ProcessId) -> Self {
        Self {
            name: ProcessName::new(process_id),
            state: Mutex::new(State {
                ring: Ring::new(RETAIN_BYTES),
                exit_code: None,
                closed: false,
                close_was_told: false,
                subscriber: None,
            }),
            changed: watch::Sender::new(()),
            owner: Notify::new(),
        }
    }

    /// Appends output and wakes whoever waits for it.
    pub(crate) fn push_output(self: &Arc<Self>, stream: Stream, bytes: &[u8]) {
        self.change(|state| state.ring.push_output(stream, bytes));
    }

    /// Publishes the leader's exit.
    pub(crate) fn push_exit(self: &Arc<Self>, exit_code: i32) {
        self.change(|state| {
            state.exit_code = Some(exit_code);
            state.ring.push_mark(Kind::Exited);
        });
    }

    /// Publishes the end of output. The last event, once.
    pub(crate) fn push_closed(self: &Arc<Self>) {
        self.change(|state| {
            state.closed = true;
            state.ring.push_mark(Kind::Closed);
        });
    }

    fn change(self: &Arc<Self>, change: impl FnOnce(&mut State)) {
        let outbox = {
            let mut state = self.lock();
            change(&mut state);
            state.evict();
            state.queue_subscriber()
        };
        if let Some(outbox) = outbox {
            outbox.push_ready(Arc::clone(self));
        }
        self.changed.send_replace(());
    }

    /// Sends every event from now on to `outbox`, in place of whoever got them before.
    pub(crate) fn subscribe(&self, outbox: Arc<Outbox>) {
        let mut state = self.lock();
        // The next event must be a new one, also if it is more of the same output.
        state.ring.seal();
        let sent = state.ring.last();
        state.subscriber = Some(Subscriber {
            outbox,
            sent,
            is_queued: false,
        });
        drop(state);
        self.owner.notify_one();
    }

    /// Sends no more events. From now on nothing holds the process up.
    pub(crate) fn unsubscribe(&self) {
        let mut state = self.lock();
        state.subscriber = None;
        state.evict();
        drop(state);
        self.owner.notify_one();
    }

    /// Whether the process may be read: what its client has not been sent yet fits the ring.
    pub(crate) fn has_room(&self) -> bool {
        self.lock().ring.is_within_bounds()
    }

    /// Waits until the answer of [`has_room`](Self::has_room) or
    /// [`close_was_told`](Self::close_was_told) may have changed.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a wake-up that nobody took is kept for the next call.
    pub(crate) async fn owner_woken(&self) {
        self.owner.notified().await;
    }

    /// Whether a client has been told of the close.
    pub(crate) fn close_was_told(&self) -> bool {
        self.lock().close_was_told
    }

    /// Whether a connection gets the notifications.
    pub(crate) fn is_subscribed(&self) -> bool {
        self.lock().subscriber.is_some()
    }

    /// The leader's exit code, if it has ended.
    pub(crate) fn exit_code(&self) -> Option<i32> {
        self.lock().exit_code
    }

    /// Appends notifications for `outbox` to `batch` until that is full. True if there are more.
    pub(crate) fn pull(&self, outbox: &Arc<Outbox>, batch: &mut Batch) -> bool {
        let mut guard = self.lock();
        let state = &mut *guard;
        let Some(subscriber) = state
            .subscriber
            .as_mut()
            .filter(|it| Arc::ptr_eq(&it.outbox, outbox))
        else {
            return false;
        };
        let had_room = state.ring.is_within_bounds();
        let mut has_more = false;
        for entry in state.ring.entries_after(subscriber.sent) {
            if batch.is_full() {
                has_more = true;
                break;
            }
            notify::write(batch, &self.name, entry, state.exit_code);
            subscriber.sent = entry.seq;
            state.close_was_told |= entry.kind == Kind::Closed;
        }
        subscriber.is_queued = has_more;
        state.evict();
        if state.close_was_told || (!had_room && state.ring.is_within_bounds()) {
            self.owner.notify_one();
        }
        has_more
    }

    /// Reads after a cursor, waiting up to `wait` for the first event behind it.
    ///
    /// Answers at once if there is one, or if the process is closed.
    ///
    /// # Errors
    ///
    /// [`CursorAhead`] if the cursor was never told to anybody.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: the cursor is the caller's.
    pub(crate) async fn read(&self, request: ReadRequest) -> Result<ReadResult, CursorAhead> {
        // Subscribed before the first look: a change between the look and the wait is then seen.
        let mut changed = self.changed.subscribe();
        let deadline = Instant::now() + request.wait;
        loop {
            changed.mark_unchanged();
            let read = self.lock().read(request)?;
            if let Some(result) = read {
                return Ok(self.told(result));
            }
            // The sender lives as long as `self`.
            let woken = tokio::time::timeout_at(deadline, changed.changed()).await;
            if woken.is_err() {
                let result = self.lock().answer(request);
                return Ok(self.told(result));
            }
        }
    }

    /// Waits until no output will follow.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub(crate) async fn closed(&self) {
        let mut changed = self.changed.subscribe();
        while !self.lock().closed {
            // The sender lives as long as `self`.
            let _ = changed.changed().await;
        }
    }

    fn told(&self, result: ReadResult) -> ReadResult {
        if result.closed {
            let mut state = self.lock();
            // Without a connection nobody may have got the answer.
            state.close_was_told |= state.subscriber.is_some();
            drop(state);
            self.owner.notify_one();
        }
        result
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of this lock can panic")
    }
}

impl State {
    /// Drops what is too old, but nothing that the subscriber has not been sent.
    fn evict(&mut self) {
        self.ring
            .evict(self.subscriber.as_ref().map(|subscriber| subscriber.sent));
    }

    /// The outbox to tell that there is more, unless it knows.
    fn queue_subscriber(&mut self) -> Option<Arc<Outbox>> {
        let subscriber = self.subscriber.as_mut()?;
        let was_queued = std::mem::replace(&mut subscriber.is_queued, true);
        (!was_queued).then(|| Arc::clone(&subscriber.outbox))
    }

    /// The answer to a read, if it need not wait.
    fn read(&mut self, request: ReadRequest) -> Result<Option<ReadResult>, CursorAhead> {
        let last = self.ring.last();
        if request.after > last {
            return Err(CursorAhead {
                after: request.after,
                last,
            });
        }
        let is_due = request.after < last || self.closed;
        Ok(is_due.then(|| self.answer(request)))
    }

    fn answer(&mut self, request: ReadRequest) -> ReadResult {
        let mut chunks = Vec::new();
        let mut next_seq = request.after.next();
        let (mut bytes, mut reply) = (0, 0);
        for entry in self.ring.entries_after(request.after) {
            if let Kind::Output(stream) = entry.kind {
                bytes += entry.bytes.len();
                reply += entry.bytes.len().div_ceil(3) * 4 + CHUNK_JSON_BYTES;
                let fits = bytes <= request.max_bytes && reply <= MAX_READ_REPLY_BYTES;
                if request.max_bytes == 0 || !(fits || chunks.is_empty()) {
                    break;
                }
                let chunk = Blob::from(entry.bytes.to_vec());
                chunks.push(Chunk {
                    seq: entry.seq,
                    stream,
                    chunk,
                });
            }
            next_seq = entry.seq.next();
        }
        ReadResult {
            chunks,
            next_seq,
            exited: self.exit_code.is_some(),
            exit_code: self.exit_code,
            closed: self.closed,
            failure: None,
            sandbox_denied: false,
        }
    }
}
