//! Requests that have no answer yet.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};

use bytes::Bytes;
use exec_protocol::RpcError;
use exec_protocol::envelope::EnvelopeError;
use tokio::sync::{mpsc, oneshot};

use crate::order::Order;

/// The id of the first request after `initialize`, which is 0.
const FIRST_ID: u64 = 1;

/// What came of a request: the text of its result, or why there is none. An answer that is dropped
/// says that the connection is gone.
pub(crate) type Answer = Result<Bytes, Refusal>;

#[derive(Debug)]
pub(crate) enum Refusal {
    Rpc(RpcError),
    Malformed(EnvelopeError),
}

/// Whether a request may be sent again when the connection broke before its answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    Allowed,
    Never,
}

/// The requests that have no answer yet, in the order of their ids.
#[derive(Debug)]
pub(crate) struct Pending {
    next_id: AtomicU64,
    calls: Mutex<BTreeMap<u64, Call>>,
}

#[derive(Debug)]
struct Call {
    state: State,
    answer: oneshot::Sender<Answer>,
}

#[derive(Debug)]
enum State {
    /// No part of it was handed to a connection.
    Waiting { outgoing: Outgoing, repeat: Repeat },
    /// The server may have it. `again` is what to repeat, if it may be repeated.
    Sent { again: Option<Outgoing> },
}

/// What is sent for a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outgoing {
    pub(crate) request: Bytes,
    /// A notification that goes right behind it.
    pub(crate) notice: Option<Bytes>,
}

impl Pending {
    pub(crate) fn new() -> Self {
        Self {
            next_id: AtomicU64::new(FIRST_ID),
            calls: Mutex::default(),
        }
    }

    /// An id that no other request has.
    pub(crate) fn id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    /// Enters a request that waits to be sent. It is forgotten when what is returned is dropped, and
    /// cancelled by way of `cancel` if it was sent by then and has no answer.
    pub(crate) fn enter<'a>(
        &'a self,
        id: u64,
        outgoing: Outgoing,
        repeat: Repeat,
        cancel: Option<&'a mpsc::Sender<Order>>,
    ) -> Entry<'a> {
        let (answer, answered) = oneshot::channel();
        let call = Call {
            state: State::Waiting { outgoing, repeat },
            answer,
        };
        self.calls().insert(id, call);
        Entry {
            pending: self,
            id,
            answered,
            cancel,
        }
    }

    /// What to send for a request that is about to be sent, or sent again. None if nobody waits for
    /// its answer any more.
    pub(crate) fn send(&self, id: u64) -> Option<Outgoing> {
        let mut calls = self.calls();
        let call = calls.get_mut(&id)?;
        match &call.state {
            State::Waiting { outgoing, repeat } => {
                let outgoing = outgoing.clone();
                let again = (*repeat == Repeat::Allowed).then(|| outgoing.clone());
                call.state = State::Sent { again };
                Some(outgoing)
            }
            State::Sent { again } => again.clone(),
        }
    }

    pub(crate) fn answer(&self, id: u64, answer: Answer) {
        let call = self.calls().remove(&id);
        // The caller may have gone away, before or just now; that is its right.
        if let Some(call) = call {
            let _ = call.answer.send(answer);
        }
    }

    /// The connection broke: gives up every request whose outcome cannot be learned by repeating
    /// it, and returns the ids of those to repeat, in their order.
    pub(crate) fn cut(&self) -> Vec<u64> {
        let mut calls = self.calls();
        calls.retain(|_, call| !matches!(call.state, State::Sent { again: None }));
        let sent = calls
            .iter()
            .filter(|(_, call)| matches!(call.state, State::Sent { .. }));
        sent.map(|(id, _)| *id).collect()
    }

    /// There will be no connection any more: gives up every request.
    pub(crate) fn clear(&self) {
        self.calls().clear();
    }

    fn calls(&self) -> MutexGuard<'_, BTreeMap<u64, Call>> {
        self.calls
            .lock()
            .expect("whoever holds it only moves entries, which does not panic")
    }
}

/// A request that waits for its answer.
#[derive(Debug)]
pub(crate) struct Entry<'a> {
    pending: &'a Pending,
    id: u64,
    answered: oneshot::Receiver<Answer>,
    cancel: Option<&'a mpsc::Sender<Order>>,
}

impl Entry<'_> {
    /// The answer, or None if the connection is gone. Cancel safe.
    pub(crate) async fn answer(&mut self) -> Option<Answer> {
        (&mut self.answered).await.ok()
    }
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        let unanswered = self.pending.calls().remove(&self.id);
        let was_sent = unanswered.is_some_and(|call| matches!(call.state, State::Sent { .. }));
        if let Some(orders) = self.cancel.filter(|_| was_sent) {
            // A drop cannot wait. If there is no place, the server waits in vain, for as long as it would
            // have waited anyway.
            let _ = orders.try_send(Order::Cancel(self.id));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outgoing() -> Outgoing {
        Outgoing {
            request: Bytes::from_static(b"m"),
            notice: None,
        }
    }

    #[test]
    fn a_cut_keeps_what_was_not_sent_and_what_may_be_repeated() {
        let pending = Pending::new();
        let outgoing = outgoing();
        let mut entries: Vec<_> = [Repeat::Allowed, Repeat::Never, Repeat::Never, Repeat::Allowed]
            .into_iter()
            .map(|repeat| pending.enter(pending.id(), outgoing.clone(), repeat, None))
            .collect();
        for id in [1, 2] {
            assert_eq!(pending.send(id), Some(outgoing.clone()));
        }
        assert_eq!(pending.cut(), [1]);
        assert!(
            entries[1]
                .answered
                .try_recv()
                .is_err_and(|error| error == oneshot::error::TryRecvError::Closed)
        );
        for (id, sent) in [(1, true), (2, false), (3, true), (4, true)] {
            assert_eq!(pending.send(id).is_some(), sent, "{id}");
        }
    }

    #[test]
    fn a_request_whose_caller_left_is_not_sent() {
        let pending = Pending::new();
        let (orders, mut ordered) = mpsc::channel(1);
        drop(pending.enter(1, outgoing(), Repeat::Never, Some(&orders)));
        assert_eq!(pending.send(1), None);
        assert!(pending.calls().is_empty());
        assert!(ordered.try_recv().is_err(), "nobody knows of it");
    }

    #[test]
    fn a_request_is_cancelled_that_was_sent_and_has_no_answer() {
        let pending = Pending::new();
        let (orders, mut ordered) = mpsc::channel(1);
        let enter = |id| pending.enter(id, outgoing(), Repeat::Allowed, Some(&orders));
        let entries = [1, 2, 3, 4].map(enter);
        for id in 1..=4 {
            assert!(pending.send(id).is_some());
        }
        pending.answer(1, Ok(Bytes::new()));
        let [answered, dropped, crowded_out, gone] = entries;
        drop((answered, dropped, crowded_out));
        pending.clear();
        assert_eq!(ordered.try_recv(), Ok(Order::Cancel(2)));
        drop(gone);
        assert!(ordered.try_recv().is_err());
    }
}
