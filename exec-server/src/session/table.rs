//! Processes by their names, and the ends of those that are gone.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use exec_protocol::process::{ProcessRecord, StartResult};
use exec_protocol::{ProcessId, StartKey, Uid};
use tokio::time::Instant;

use crate::access::Identity;
use crate::limits::{MAX_ENDED_PROCESSES, MAX_EXPIRED_PROCESSES, RETAIN_EXPIRED};
use crate::process::Process;

/// Processes by uid and, where they have one here, by the client's name.
#[derive(Debug, Default)]
pub(crate) struct Table {
    entries: HashMap<Uid, Entry>,
    names: HashMap<ProcessId, Uid>,
    /// Closed processes that are still kept, oldest first.
    ended: VecDeque<Arc<Process>>,
    /// Those of which only the end is known, oldest first, with the time since when.
    expired: VecDeque<(Instant, Uid)>,
    /// How many of the entries are processes.
    processes: usize,
}

/// What is known under a name.
#[derive(Debug, Clone)]
pub(crate) enum Entry {
    /// A process that starts, runs, or has ended and is kept.
    Process(Arc<Process>),
    /// One that is not kept any longer.
    Expired(Arc<Tombstone>),
}

/// What stays of a process for a while.
#[derive(Debug)]
pub(crate) struct Tombstone {
    pub(crate) owner: Option<Identity>,
    pub(crate) record: ProcessRecord,
    pub(crate) start_key: Option<StartKey>,
    pub(crate) started: StartResult,
}

impl Entry {
    /// Who may reach it from another session. None: anybody.
    pub(crate) fn owner(&self) -> Option<&Identity> {
        match self {
            Self::Process(process) => process.owner(),
            Self::Expired(tombstone) => tombstone.owner.as_ref(),
        }
    }
}

impl Tombstone {
    /// Whether it is of a process that was started under this key.
    pub(crate) fn is_of(&self, start_key: Option<&StartKey>) -> bool {
        start_key.is_some() && self.start_key.as_ref() == start_key
    }
}

impl Table {
    /// What is known under a uid.
    pub(crate) fn of_uid(&self, uid: &str) -> Option<&Entry> {
        self.entries.get(uid)
    }

    /// What is known under a client's name.
    pub(crate) fn named(&self, name: &ProcessId) -> Option<&Entry> {
        self.names.get(name).and_then(|uid| self.entries.get(uid))
    }

    /// Takes a process in, under its name too. An end that was known under that name is known by its uid only.
    pub(crate) fn insert_named(&mut self, process: &Arc<Process>) {
        self.names.insert(process.id().clone(), process.uid().clone());
        self.insert(process);
    }

    /// Takes a process in, under its uid alone.
    pub(crate) fn insert(&mut self, process: &Arc<Process>) {
        let entry = Entry::Process(Arc::clone(process));
        self.entries.insert(process.uid().clone(), entry);
        self.processes += 1;
    }

    /// All processes, in no order.
    pub(crate) fn processes(&self) -> impl Iterator<Item = &Arc<Process>> {
        self.entries.values().filter_map(|entry| match entry {
            Entry::Process(process) => Some(process),
            Entry::Expired(_) => None,
        })
    }

    /// Whether every process is closed.
    pub(crate) fn is_idle(&self) -> bool {
        self.processes == self.ended.len()
    }

    /// Takes note that a process is closed and kept for a while. Gives the oldest if those are too many.
    #[must_use]
    pub(crate) fn keep_ended(&mut self, process: &Arc<Process>) -> Option<Arc<Process>> {
        if !self.has(process) {
            return None;
        }
        self.ended.push_back(Arc::clone(process));
        (self.ended.len() > MAX_ENDED_PROCESSES)
            .then(|| self.ended.pop_front())
            .flatten()
    }

    /// Takes a process out without a trace. False if it was not there.
    pub(crate) fn remove(&mut self, process: &Arc<Process>) -> bool {
        if !self.take(process) {
            return false;
        }
        self.entries.remove(process.uid());
        if self.names.get(process.id()) == Some(process.uid()) {
            self.names.remove(process.id());
        }
        true
    }

    /// Takes a process out and remembers how it ended, if it was there.
    pub(crate) fn expire(&mut self, process: &Arc<Process>, tombstone: &Arc<Tombstone>, now: Instant) {
        if !self.take(process) {
            return;
        }
        let uid = process.uid().clone();
        self.entries
            .insert(uid.clone(), Entry::Expired(Arc::clone(tombstone)));
        self.expired.push_back((now, uid));
        self.forget_expired(now);
    }

    /// Forgets ends that are known for long enough, or are too many.
    fn forget_expired(&mut self, now: Instant) {
        while let Some((since, _)) = self.expired.front() {
            let is_old = now.duration_since(*since) > RETAIN_EXPIRED;
            if !is_old && self.expired.len() <= MAX_EXPIRED_PROCESSES {
                return;
            }
            self.forget_oldest();
        }
    }

    /// Forgets every end.
    pub(crate) fn clear_expired(&mut self) {
        while !self.expired.is_empty() {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let oldest = self.expired.pop_front();
        // Its name may have been taken by another start since.
        if let Some((_, uid)) = oldest
            && let Some(Entry::Expired(tombstone)) = self.entries.remove(&uid)
            && self.names.get(&tombstone.record.process_id) == Some(&uid)
        {
            self.names.remove(&tombstone.record.process_id);
        }
    }

    /// Whether the process is here.
    pub(crate) fn has(&self, process: &Arc<Process>) -> bool {
        matches!(self.entries.get(process.uid()), Some(Entry::Process(_)))
    }

    /// Takes a process out of what is counted.
    fn take(&mut self, process: &Arc<Process>) -> bool {
        let has = self.has(process);
        if has {
            self.processes -= 1;
            self.ended.retain(|ended| !Arc::ptr_eq(ended, process));
        }
        has
    }
}
