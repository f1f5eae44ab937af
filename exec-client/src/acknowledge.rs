//! When to acknowledge what a consumer takes.
//!
//! The server keeps what was not acknowledged, so that a broken connection loses none of it, and lets a
//! process wait that has said `retainBytes` more than was acknowledged. So an acknowledgement that is
//! held back must never be what the process waits for. The rule:
//!
//! > Acknowledge as soon as the events that were taken and are not acknowledged come to half of
//! > `retainBytes`, to 64 KiB, or to 64 events, whichever is first.
//!
//! When the consumer has taken everything, less than half of what the process may say is then
//! unacknowledged, and it goes on; no clock is needed, and nothing is sent when the consumer begins to
//! wait. The last few events of a process may never be acknowledged, which costs the server no more
//! than what it keeps of an ended process anyway.
//!
//! A process must not wait for a consumer that has gone, either. What comes for it is acknowledged
//! where it is discarded, by a rule that needs no count.

use bytes::Bytes;
use exec_protocol::initialize::InitializeResult;
use exec_protocol::process::{OnSlowClient, StartParams};
use exec_protocol::{ProcessId, Seq};

use crate::acks::{Acks, message};
use crate::event::{Event, Notice, What};

/// Most bytes that are taken and not acknowledged.
const UNACKNOWLEDGED_BYTES: u64 = 64 << 10;

/// Most events that are taken and not acknowledged: a process that says a few bytes at a time fills the
/// server's index before it fills `retainBytes`.
const UNACKNOWLEDGED_EVENTS: u32 = 64;

/// Output from this length on is acknowledged at once where it is discarded. With what is shorter, 64
/// events come to half of the least that a server keeps of a process.
const DISCARDED_BYTES: usize = 128;

/// The least that a server keeps of a process, in bytes: what it is taken to keep if it does not say.
const LEAST_RETAIN_BYTES: u64 = 16 << 10;

/// Acknowledges what the consumer of one process takes.
///
/// When it is dropped before [`end`](Self::end), the consumer has gone, and everything it did not take
/// is acknowledged.
#[derive(Debug)]
pub(crate) struct Acknowledger {
    acks: Acks,
    process_id: ProcessId,
    tally: Tally,
    ended: bool,
}

impl Acknowledger {
    /// For a process that is about to be started. None if nothing is to be acknowledged: a process
    /// that never waits loses what it says too much, whatever was acknowledged.
    pub(crate) fn new(acks: &Acks, params: &StartParams, server: &InitializeResult) -> Option<Self> {
        if !acks.are_wanted() || params.on_slow_client == Some(OnSlowClient::Skip) {
            return None;
        }
        Some(Self {
            acks: acks.clone(),
            process_id: params.process_id.clone(),
            tally: Tally::new(retain_bytes(params, server)),
            ended: false,
        })
    }

    /// What is said right behind the request to start the process, so that the server counts from the
    /// first event on.
    pub(crate) fn first_words(&self) -> Bytes {
        message(&self.process_id, Seq::ZERO)
    }

    /// The consumer takes an event.
    pub(crate) fn take(&mut self, event: &Event) {
        if let Some(seq) = self.tally.take(event) {
            self.acks.put(&self.process_id, seq);
        }
    }

    /// The connection is another one. What was acknowledged on the one before may not have arrived.
    pub(crate) fn resume(&mut self) {
        self.acks.put(&self.process_id, self.tally.acknowledge());
    }

    /// There is nothing to acknowledge any more, or never was.
    pub(crate) fn end(mut self) {
        self.ended = true;
    }
}

impl Drop for Acknowledger {
    fn drop(&mut self) {
        if !self.ended {
            self.acks.forsake(&self.process_id);
        }
    }
}

/// What to acknowledge when an event is discarded, if it is time.
pub(crate) fn discarded(notice: &Notice) -> Option<Seq> {
    let is_long = matches!(&notice.what, What::Output { bytes, .. } if bytes.len() >= DISCARDED_BYTES);
    let is_turn = notice.seq.0.is_multiple_of(UNACKNOWLEDGED_EVENTS.into());
    (is_long || is_turn).then_some(notice.seq)
}

/// How much the server keeps of the process.
fn retain_bytes(params: &StartParams, server: &InitializeResult) -> u64 {
    params
        .retain_bytes
        .filter(|_| server.capabilities.retain_bytes)
        .or(server.limits.map(|limits| limits.retain_bytes))
        .unwrap_or(LEAST_RETAIN_BYTES)
}

/// What was taken and is not acknowledged. Pure.
#[derive(Debug)]
struct Tally {
    /// The last event that was taken.
    taken: Seq,
    bytes: u64,
    events: u32,
    most_bytes: u64,
}

impl Tally {
    fn new(retain_bytes: u64) -> Self {
        Self {
            taken: Seq::ZERO,
            bytes: 0,
            events: 0,
            most_bytes: UNACKNOWLEDGED_BYTES.min(retain_bytes / 2),
        }
    }

    /// Counts an event. Returns what to acknowledge, if it is time.
    fn take(&mut self, event: &Event) -> Option<Seq> {
        let (seq, bytes) = match event {
            Event::Output { seq, bytes, .. } => (*seq, bytes.len() as u64),
            Event::Exited { seq, .. } | Event::Closed { seq, .. } | Event::Gap { to_seq: seq, .. } => {
                (*seq, 0)
            }
            Event::Disconnected => return None,
        };
        self.taken = seq;
        self.bytes += bytes;
        self.events += 1;
        let is_time = self.bytes >= self.most_bytes || self.events >= UNACKNOWLEDGED_EVENTS;
        is_time.then(|| self.acknowledge())
    }

    /// Starts to count anew. Returns what is acknowledged with that.
    fn acknowledge(&mut self) -> Seq {
        (self.bytes, self.events) = (0, 0);
        self.taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use exec_protocol::process::Stream;
    use proptest::prelude::*;

    fn output(seq: u64, bytes: usize) -> Event {
        Event::Output {
            seq: Seq(seq),
            stream: Stream::Stdout,
            bytes: vec![0; bytes].into(),
        }
    }

    proptest! {
        /// A server that blocks a process at `retain_bytes` unacknowledged, told on by a client that
        /// has taken everything, never blocks it for good; and is not told more often than it is worth.
        #[test]
        fn nobody_waits_for_an_acknowledgement(
            retain_bytes in LEAST_RETAIN_BYTES..(1 << 20),
            chunks in prop::collection::vec(prop_oneof![1..200_usize, 1..=65_536_usize], 1..400),
        ) {
            let mut tally = Tally::new(retain_bytes);
            let (mut unacknowledged, mut events) = (0, 0);
            for (index, bytes) in chunks.into_iter().enumerate() {
                prop_assert!(unacknowledged < retain_bytes / 2 && events < UNACKNOWLEDGED_EVENTS);
                let seq = index as u64 + 1;
                unacknowledged += bytes as u64;
                events += 1;
                if let Some(acknowledged) = tally.take(&output(seq, bytes)) {
                    prop_assert_eq!(acknowledged, Seq(seq));
                    let least = UNACKNOWLEDGED_BYTES.min(retain_bytes / 2);
                    prop_assert!(unacknowledged >= least || events == UNACKNOWLEDGED_EVENTS);
                    (unacknowledged, events) = (0, 0);
                }
            }
        }
    }

    proptest! {
        /// Nor where there is no consumer.
        #[test]
        fn nobody_waits_for_what_is_discarded(
            chunks in prop::collection::vec(prop_oneof![4 => 1..128_usize, 1 => 1..300_usize], 1..400),
        ) {
            let mut unacknowledged = 0;
            for (seq, bytes) in (1..).zip(chunks) {
                unacknowledged += bytes as u64;
                let Event::Output { stream, bytes, .. } = output(seq, bytes) else { unreachable!() };
                let notice = Notice { seq: Seq(seq), what: What::Output { stream, bytes } };
                if let Some(acknowledged) = discarded(&notice) {
                    prop_assert_eq!(acknowledged, Seq(seq));
                    unacknowledged = 0;
                }
                prop_assert!(unacknowledged < LEAST_RETAIN_BYTES / 2);
            }
        }
    }

    #[test]
    fn a_new_connection_is_told_what_was_taken_so_far() {
        let mut tally = Tally::new(1 << 20);
        assert_eq!(tally.take(&output(1, 10)), None);
        let gap = Event::Gap {
            from_seq: Seq(2),
            to_seq: Seq(5),
            bytes: Some(1 << 20),
        };
        assert_eq!(tally.take(&gap), None);
        assert_eq!(tally.take(&Event::Disconnected), None);
        assert_eq!(tally.acknowledge(), Seq(5));
    }

    #[test]
    fn a_process_without_a_consumer_is_acknowledged_and_one_that_ended_is_not() {
        let acks = Acks::new(true);
        let acknowledger = |name| Acknowledger {
            acks: acks.clone(),
            process_id: ProcessId::new(name).unwrap(),
            tally: Tally::new(0),
            ended: false,
        };
        acknowledger("ended").end();
        drop(acknowledger("forsaken"));
        let due = futures_util::FutureExt::now_or_never(acks.next()).unwrap();
        assert!(due.windows(10).any(|text| text == br#""forsaken""#), "{due:?}");
        assert!(futures_util::FutureExt::now_or_never(acks.next()).is_none());
    }
}
