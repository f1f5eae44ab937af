//! What one connection has to write.

use std::collections::VecDeque;
use std::sync::Arc;

use exec_protocol::envelope::Style;

use super::batch::{Batch, Pace};
use crate::limits::{MAX_ANSWER_BYTES, MAX_UNREAD_BYTES};
use crate::output::OutputLog;
use crate::sync::{Mutex, MutexGuard, WaitList, lock, wait_until};
use crate::transport::CloseReason;

/// What one connection has to write: answers, and processes that have something to tell.
///
/// Answers are queued; notifications are not. A process is queued once, by reference, and the
/// writer pulls from its ring as much as it can write: a client that is slow costs a cursor.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    state: Mutex<State>,
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
    writer: WaitList,
    /// Of the dispatch loop, for room.
    room: WaitList,
    /// Of the dispatch loop, for the end.
    end: WaitList,
}

/// How much is queued for the writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Load {
    /// Answers.
    pub(crate) answers: usize,
    /// Bytes of answers.
    pub(crate) bytes: usize,
}

impl Load {
    /// Whether there is room for a long answer.
    pub(crate) fn has_room(self) -> bool {
        self.bytes < MAX_ANSWER_BYTES
    }

    /// Whether there is room for short answers, of which there may be many.
    pub(super) fn may_grow(self) -> bool {
        self.bytes < MAX_UNREAD_BYTES
    }
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
        let writer = state.writer.take();
        drop(state);
        writer.wake();
    }

    /// Queues a process that has something to tell. The caller sees to it that it is not in it yet.
    pub(crate) fn push_ready(&self, log: Arc<OutputLog>) {
        let mut state = self.lock();
        if state.is_broken {
            return;
        }
        state.ready.push_back(log);
        let writer = state.writer.take();
        drop(state);
        writer.wake();
    }

    /// Learns how the peer writes, from its first message.
    pub(crate) fn learn_style(&self, style: Style) {
        self.lock().style.get_or_insert(style);
    }

    /// How messages to the peer are written.
    pub(crate) fn style(&self) -> Style {
        self.lock().style.unwrap_or_default()
    }

    /// How much is queued for the writer.
    pub(crate) fn load(&self) -> Load {
        self.lock().load()
    }

    /// How often something was put together for writing: what a writer that gets on changes.
    pub(super) fn batches(&self) -> u64 {
        self.lock().batches
    }

    /// Asks the writer to write what is left and to say goodbye. The first reason stands.
    pub(crate) fn close(&self, reason: CloseReason) {
        let mut state = self.lock();
        state.closing.get_or_insert(reason);
        let (writer, end) = (state.writer.take(), state.end.take());
        drop(state);
        writer.wake();
        end.wake();
    }

    /// Whether the connection ends: nothing more is to be taken in.
    pub(crate) fn is_closing(&self) -> bool {
        self.lock().is_closing()
    }

    /// Waits until the connection ends.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub(crate) async fn ends(&self) {
        let is_so = |state: &mut State| state.is_closing().then_some(());
        wait_until(&self.state, State::end_list, is_so).await;
    }

    /// Waits until less is queued than was.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub(crate) async fn relieved(&self, was: Load) {
        let is_so = |state: &mut State| {
            let is_less = state.answers.len() < was.answers || state.answer_bytes < was.bytes;
            is_less.then_some(())
        };
        wait_until(&self.state, State::room_list, is_so).await;
    }

    /// Waits until [`fill`](Self::fill) has something to do.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub(crate) async fn due(&self) {
        let is_due = |state: &mut State| {
            let is_due = !state.answers.is_empty() || !state.ready.is_empty() || state.closing.is_some();
            is_due.then_some(())
        };
        wait_until(&self.state, State::writer_list, is_due).await;
    }

    /// Fills `batch`, as far as `pace` lets it: with answers first, then with a turn for each process that is ready.
    pub(crate) fn fill(self: &Arc<Self>, batch: &mut Batch, pace: Pace) -> Due {
        batch.restart(self.style(), pace);
        self.fill_answers(batch);
        while !batch.is_full() {
            let Some(log) = self.pop_ready() else { break };
            if log.pull(self, batch) {
                // The batch has no room for the rest. The next one begins with somebody else's turn.
                self.lock().ready.push_back(log);
                break;
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
        let ready = std::mem::take(&mut state.ready);
        let end = state.end.take();
        drop(state);
        drop(ready);
        end.wake();
    }

    fn fill_answers(&self, batch: &mut Batch) {
        let mut state = self.lock();
        let room = (!state.answers.is_empty()).then(|| state.room.take());
        while !batch.is_full()
            && let Some(answer) = state.answers.pop_front()
        {
            state.answer_bytes -= answer.len();
            batch.push_whole(answer);
        }
        drop(state);
        if let Some(room) = room {
            room.wake();
        }
    }

    fn pop_ready(&self) -> Option<Arc<OutputLog>> {
        self.lock().ready.pop_front()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl State {
    fn load(&self) -> Load {
        Load {
            answers: self.answers.len(),
            bytes: self.answer_bytes,
        }
    }

    fn is_closing(&self) -> bool {
        self.closing.is_some() || self.is_broken
    }

    fn writer_list(&mut self) -> &mut WaitList {
        &mut self.writer
    }

    fn room_list(&mut self) -> &mut WaitList {
        &mut self.room
    }

    fn end_list(&mut self) -> &mut WaitList {
        &mut self.end
    }
}
