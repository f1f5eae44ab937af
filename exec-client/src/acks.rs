//! Acknowledgements that are ready and not yet on their way.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use exec_protocol::envelope::{Style, write_notice};
use exec_protocol::process::{Ack, AckParams};
use exec_protocol::{Notice, ProcessId, Seq};
use tokio::sync::Notify;

/// Acknowledges whatever was told so far: no event has a higher number, and every reader of JSON reads
/// it as it was written.
pub(crate) const ALL_TOLD: Seq = Seq((1 << 53) - 1);

/// Processes without a consumer that are acknowledged anew on the next connection. What was said of
/// earlier ones has long since arrived.
const FORSAKEN_PROCESSES: usize = 256;

/// What the driver is to acknowledge.
///
/// Of each process only the newest acknowledgement counts. So they take a place for each process at
/// most, and none has to wait for one.
#[derive(Debug, Clone)]
pub(crate) struct Acks(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    are_wanted: bool,
    table: Mutex<Table>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Table {
    due: HashMap<ProcessId, Seq>,
    /// Processes whose consumer left before their end, the newest last.
    forsaken: VecDeque<ProcessId>,
}

impl Acks {
    /// `are_wanted` tells whether there is any use in acknowledging: the server knows what it means, and
    /// a connection that breaks is resumed.
    pub(crate) fn new(are_wanted: bool) -> Self {
        Self(Arc::new(Inner {
            are_wanted,
            table: Mutex::default(),
            changed: Notify::new(),
        }))
    }

    pub(crate) fn are_wanted(&self) -> bool {
        self.0.are_wanted
    }

    /// Has the events up to `seq` acknowledged.
    pub(crate) fn put(&self, process_id: &ProcessId, seq: Seq) {
        let mut table = self.table();
        let due = table.due.entry(process_id.clone()).or_default();
        *due = seq.max(*due);
        drop(table);
        self.0.changed.notify_one();
    }

    /// Has what is told of the process up to now acknowledged: nobody will take it. What it says from
    /// now on is to be [put](Self::put) as it comes.
    pub(crate) fn forsake(&self, process_id: &ProcessId) {
        self.adopt(process_id);
        let mut table = self.table();
        if table.forsaken.len() == FORSAKEN_PROCESSES {
            table.forsaken.pop_front();
        }
        table.forsaken.push_back(process_id.clone());
        drop(table);
        self.put(process_id, ALL_TOLD);
    }

    /// The id is that of another process now. True if the one before was [forsaken](Self::forsake).
    pub(crate) fn adopt(&self, process_id: &ProcessId) -> bool {
        let forsaken = &mut self.table().forsaken;
        let before = forsaken.len();
        forsaken.retain(|forsaken| forsaken != process_id);
        forsaken.len() < before
    }

    /// There is a new connection: what was said on the one before may not have arrived. A process
    /// that has a consumer is acknowledged anew by that.
    pub(crate) fn resume(&self) {
        let Table { due, forsaken } = &mut *self.table();
        due.extend(forsaken.iter().cloned().map(|id| (id, ALL_TOLD)));
        self.0.changed.notify_one();
    }

    /// The next message to send, as soon as there is one.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: nothing is lost.
    pub(crate) async fn next(&self) -> Bytes {
        loop {
            if let Some((process_id, seq)) = self.take() {
                return message(&process_id, seq);
            }
            self.0.changed.notified().await;
        }
    }

    fn take(&self) -> Option<(ProcessId, Seq)> {
        let due = &mut self.table().due;
        let process_id = due.keys().next()?.clone();
        due.remove_entry(&process_id)
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0
            .table
            .lock()
            .expect("whoever holds it only moves entries, which does not panic")
    }
}

/// An acknowledgement as it is sent.
pub(crate) fn message(process_id: &ProcessId, seq: Seq) -> Bytes {
    let params = AckParams {
        process: process_id.clone().into(),
        seq,
    };
    let mut message = Vec::new();
    write_notice(&mut message, Style::Versioned, Ack::NAME, &params);
    message.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str) -> ProcessId {
        ProcessId::new(name).unwrap()
    }

    /// What is due, in the order of the ids.
    fn due(acks: &Acks) -> Vec<(ProcessId, Seq)> {
        let mut due: Vec<_> = std::iter::from_fn(|| acks.take()).collect();
        due.sort_by(|(a, _), (b, _)| a.as_str().cmp(b.as_str()));
        due
    }

    #[test]
    fn only_the_newest_of_each_process_is_sent_and_once() {
        let acks = Acks::new(true);
        for (name, seq) in [("p", 2), ("q", 5), ("p", 3), ("p", 1)] {
            acks.put(&id(name), Seq(seq));
        }
        assert_eq!(due(&acks), [(id("p"), Seq(3)), (id("q"), Seq(5))]);
        acks.resume();
        assert_eq!(due(&acks), []);
    }

    #[test]
    fn a_forsaken_process_is_acknowledged_on_every_connection_until_another_takes_its_id() {
        let acks = Acks::new(true);
        acks.forsake(&id("p"));
        assert_eq!(due(&acks), [(id("p"), ALL_TOLD)]);
        acks.resume();
        assert_eq!(due(&acks), [(id("p"), ALL_TOLD)]);
        assert!(acks.adopt(&id("p")) && !acks.adopt(&id("p")));
        acks.resume();
        assert_eq!(due(&acks), []);
    }

    #[test]
    fn only_the_newest_forsaken_processes_are_remembered() {
        let acks = Acks::new(true);
        for number in 0..=FORSAKEN_PROCESSES {
            acks.forsake(&id(&number.to_string()));
        }
        assert_eq!(due(&acks).len(), FORSAKEN_PROCESSES + 1);
        acks.resume();
        let due = due(&acks);
        assert_eq!(due.len(), FORSAKEN_PROCESSES);
        assert!(!due.contains(&(id("0"), ALL_TOLD)));
    }

    #[tokio::test]
    async fn what_is_put_while_one_waits_wakes_it() {
        let acks = Acks::new(true);
        let mut next = std::pin::pin!(acks.next());
        assert!(futures_util::poll!(&mut next).is_pending());
        acks.put(&id("p"), Seq(7));
        assert_eq!(
            next.await,
            r#"{"jsonrpc":"2.0","method":"process/ack","params":{"processId":"p","seq":7}}"#
        );
    }
}
