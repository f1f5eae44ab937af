//! The requests of one connection that wait for something.

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;

use super::outbox::Load;
use crate::limits::{MAX_REQUESTS_IN_FLIGHT, MAX_WAITING_BYTES};

/// The requests of one connection that were read and have no answer yet, those in batches included.
#[derive(Default)]
pub(super) struct Waiting {
    answers: FuturesUnordered<BoxFuture<'static, Waited>>,
    requests: usize,
    /// As they came, in bytes.
    bytes: usize,
}

/// An answer that had to wait, and the requests that it answers.
pub(super) struct Waited {
    pub(super) answer: Vec<u8>,
    pub(super) requests: usize,
    bytes: usize,
}

impl Waiting {
    /// Takes in so many requests, which came in one message of so many bytes and have one answer.
    pub(super) fn push(&mut self, answer: BoxFuture<'static, Vec<u8>>, requests: usize, bytes: usize) {
        self.requests += requests;
        self.bytes += bytes;
        self.answers.push(Box::pin(async move {
            Waited {
                answer: answer.await,
                requests,
                bytes,
            }
        }));
    }

    /// The next answer that is there. None at once if nothing waits.
    ///
    /// Answers are made in here only: while nobody calls this, none is added to those that are not written yet.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub(super) async fn next(&mut self) -> Option<Waited> {
        let waited = self.answers.next().await?;
        self.requests -= waited.requests;
        self.bytes -= waited.bytes;
        Some(waited)
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.answers.is_empty()
    }

    /// Gives up on all of them.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Whether another message may be read, beside what waits and what waits to be written.
    pub(super) fn has_room_beside(&self, load: Load) -> bool {
        load.may_grow()
            && self.requests + load.answers < MAX_REQUESTS_IN_FLIGHT
            && self.bytes < MAX_WAITING_BYTES
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    const IDLE: Load = Load { answers: 0, bytes: 0 };

    fn at_once() -> BoxFuture<'static, Vec<u8>> {
        Box::pin(std::future::ready(Vec::new()))
    }

    #[test]
    fn requests_count_until_their_answer_is_taken_and_then_as_answers() {
        let mut waiting = Waiting::default();
        waiting.push(at_once(), MAX_REQUESTS_IN_FLIGHT - 1, 0);
        assert!(waiting.has_room_beside(IDLE));
        assert!(!waiting.has_room_beside(Load { answers: 1, bytes: 0 }));
        waiting.push(at_once(), 1, 0);
        assert!(!waiting.has_room_beside(IDLE));
        assert!(waiting.next().now_or_never().is_some());
        assert!(waiting.has_room_beside(IDLE));
    }

    #[test]
    fn a_long_request_counts_with_its_length_until_it_is_answered() {
        let mut waiting = Waiting::default();
        for bytes in [MAX_WAITING_BYTES - 1, 1] {
            assert!(waiting.has_room_beside(IDLE));
            waiting.push(at_once(), 1, bytes);
        }
        assert!(!waiting.has_room_beside(IDLE));
        assert!(waiting.next().now_or_never().is_some());
        assert!(waiting.has_room_beside(IDLE));
        waiting.clear();
        assert!(waiting.is_empty());
    }
}
