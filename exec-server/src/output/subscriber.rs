//! The connection that is told of a process.

use std::sync::Arc;

use exec_protocol::initialize::Notifications;

use super::Tells;
use super::events::{Ends, Event, events_after};
use super::ring::{Cursor, Ring};
use crate::notify::{self, ProcessName};
use crate::rpc::{Batch, Outbox};

/// The connection that gets the notifications.
#[derive(Debug)]
pub(super) struct Subscriber {
    outbox: Arc<Outbox>,
    notifications: Notifications,
    /// Everything up to here was handed to the writer, or is none of its business.
    sent: Cursor,
    /// Whether the outbox knows that there is more.
    is_queued: bool,
}

/// What became of a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told {
    /// Whether the close was told.
    pub(super) closed: bool,
    /// Whether there is more to tell.
    pub(super) has_more: bool,
}

impl Subscriber {
    pub(super) fn new(outbox: Arc<Outbox>, notifications: Notifications, sent: Cursor) -> Self {
        Self {
            outbox,
            notifications,
            sent,
            is_queued: false,
        }
    }

    /// Whether this is its connection.
    pub(super) fn is(&self, outbox: &Arc<Outbox>) -> bool {
        Arc::ptr_eq(&self.outbox, outbox)
    }

    /// Bytes that it was told of; None if it is told of none.
    pub(super) fn told_to(&self) -> Option<u64> {
        match self.notifications {
            Notifications::All => Some(self.sent.offset),
            Notifications::Lifecycle | Notifications::None => None,
        }
    }

    /// The outbox to tell that there is more, unless it knows or does not care.
    pub(super) fn queue(&mut self, tells: Tells) -> Option<Arc<Outbox>> {
        let cares = match self.notifications {
            Notifications::All => true,
            Notifications::Lifecycle => tells == Tells::Mark,
            Notifications::None => false,
        };
        let is_news = cares && !std::mem::replace(&mut self.is_queued, true);
        is_news.then(|| Arc::clone(&self.outbox))
    }

    /// Appends what is next to `batch` until that is full.
    pub(super) fn pull(
        &mut self,
        ring: &mut Ring,
        ends: &Ends,
        name: &ProcessName,
        batch: &mut Batch,
    ) -> Told {
        let mut told = Told {
            closed: false,
            has_more: false,
        };
        if self.notifications != Notifications::All {
            // Whatever has bytes is passed over, and what is left is short.
            let ends = [
                ends.exit.as_ref().map(|exit| (exit.seq, Event::Exited(exit))),
                ends.closed
                    .as_ref()
                    .map(|closed| (closed.seq, Event::Closed(closed))),
            ];
            for (seq, event) in ends.into_iter().flatten() {
                if seq > self.sent.seq {
                    told.closed |= matches!(event, Event::Closed(_));
                    notify::write(batch, name, event);
                    self.sent.seq = seq;
                }
            }
            self.is_queued = false;
            return told;
        }
        let mut events = events_after(ring, ends, self.sent);
        while let Some(event) = events.next() {
            if !batch.has_room_for(notify::length(name, &event)) {
                told.has_more = true;
                break;
            }
            told.closed |= matches!(event, Event::Closed(_));
            notify::write(batch, name, event);
            self.sent = events.cursor();
        }
        self.is_queued = told.has_more;
        told
    }
}
