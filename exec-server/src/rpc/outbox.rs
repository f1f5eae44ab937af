//! What one connection has to write.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use exec_protocol::envelope::Style;
use tokio::sync::Notify;

use super::batch::Batch;
use crate::limits::MAX_ANSWER_BYTES;
use crate::output::OutputLog;
use crate::transport::CloseReason;

/// What one connection has to write: answers, and processes that have something to tell.
///
/// Answers are queued; notifications are not. A process is queued once, by reference, and the
/// writer pulls from its ring as much as it can write: a client that is slow costs a cursor.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    state: Mutex<State>,
    /// For the writer: there is something to do.
    writer: Notify,
    /// For the dispatch loop: there is room for answers, or the connection ends.
    dispatch: Notify,
}

#[derive(Debug, Default)]
struct State {
    answers: VecDeque<Vec<u8>>,
    answer_bytes: usize,
    batches: u64,
    /// Processes with events that were not pulled yet; none is in it twice.
    ready: VecDeque<Arc<OutputLog>>,
    style: Option<Style>,
    closing: Option<CloseReason>,
    is_broken: bool,
}

/// What the writer has to do next.
#[derive(Debug)]
pub(crate) enum Due {
    /// Write the batch.
    Write,
    /// Everything was written; say goodbye.
    Close(CloseReason),
    /// Wait for [`Outbox::due`].
    Nothing,
}

impl Outbox {
    /// Queues an answer.
    pub(crate) fn push_answer(&self, answer: Vec<u8>) {
        let mut state = self.lock();
        state.answer_bytes += answer.len();
        state.answers.push_back(answer);
        drop(state);
        self.writer.notify_one();
    }

    /// Queues a process that has something to tell. The caller sees to it that it is not in it yet.
    pub(crate) fn push_ready(&self, log: Arc<OutputLog>) {
        let mut state = self.lock();
        if !state.is_broken {
            state.ready.push_back(log);
        }
        drop(state);
        self.writer.notify_one();
    }

    /// Learns how the peer writes, from its first message.
    pub(crate) fn learn_style(&self, style: Style) {
        self.lock().style.get_or_insert(style);
    }

    /// How messages to the peer are written.
    pub(crate) fn style(&self) -> Style {
        self.lock().style.unwrap_or_default()
    }

    /// Whether there is room for a long answer.
    pub(crate) fn has_room(&self) -> bool {
        self.answer_bytes() < MAX_ANSWER_BYTES
    }

    /// Answers that wait to be written, in bytes.
    pub(crate) fn answer_bytes(&self) -> usize {
        self.lock().answer_bytes
    }

    /// Answers that wait to be written.
    pub(crate) fn answers(&self) -> usize {
        self.lock().answers.len()
    }

    /// How often something was put together for writing: what a writer that gets on changes.
    pub(super) fn batches(&self) -> u64 {
        self.lock().batches
    }

    /// Asks the writer to write what is left and to say goodbye. The first reason stands.
    pub(crate) fn close(&self, reason: CloseReason) {
        self.lock().closing.get_or_insert(reason);
        self.writer.notify_one();
        self.dispatch.notify_one();
    }

    /// Whether the connection ends: nothing more is to be taken in.
    pub(crate) fn is_closing(&self) -> bool {
        let state = self.lock();
        state.closing.is_some() || state.is_broken
    }

    /// Waits until [`has_room`](Self::has_room) or [`is_closing`](Self::is_closing) may have changed.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a wake-up that nobody took is kept for the next call.
    pub(crate) async fn dispatch_woken(&self) {
        self.dispatch.notified().await;
    }

    /// Waits until [`fill`](Self::fill) may have something to do.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a wake-up that nobody took is kept for the next call.
    pub(super) async fn due(&self) {
        self.writer.notified().await;
    }

    /// Fills `batch`: with answers first, then with a turn for each process that is ready.
    pub(super) fn fill(self: &Arc<Self>, batch: &mut Batch) -> Due {
        batch.restart(self.style());
        self.fill_answers(batch);
        while !batch.is_full() {
            let Some(log) = self.pop_ready() else { break };
            if log.pull(self, batch) {
                self.lock().ready.push_back(log);
            }
        }
        if !batch.is_empty() {
            self.lock().batches += 1;
            return Due::Write;
        }
        self.lock().closing.map_or(Due::Nothing, Due::Close)
    }

    /// The connection is gone: nothing is kept for it any more.
    pub(super) fn break_off(&self) {
        let mut state = self.lock();
        state.is_broken = true;
        state.answers.clear();
        state.answer_bytes = 0;
        state.ready.clear();
        drop(state);
        self.dispatch.notify_one();
    }

    fn fill_answers(&self, batch: &mut Batch) {
        let mut state = self.lock();
        while !batch.is_full()
            && let Some(answer) = state.answers.pop_front()
        {
            state.answer_bytes -= answer.len();
            batch.push(|out| out.extend_from_slice(&answer));
        }
        drop(state);
        if !batch.is_empty() {
            self.dispatch.notify_one();
        }
    }

    fn pop_ready(&self) -> Option<Arc<OutputLog>> {
        self.lock().ready.pop_front()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of this lock can panic")
    }
}
