//! The memory for the output of all processes together.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};

use super::OutputLog;
use crate::limits::output_memory;

/// Ended processes among which the forgotten ones are not looked for yet.
const FIRST_PRUNE: usize = 64;

/// The memory for the output of all processes together.
///
/// A process that runs has what its output may come to set aside for it, so none can be surprised later; one that has
/// ended has what it really takes.
#[derive(Debug)]
pub(crate) struct OutputMemory {
    cap: usize,
    taken: AtomicUsize,
    /// Held only for the length of a memory operation, never across an await.
    ended: Mutex<Ended>,
}

/// Processes that have ended, oldest first.
#[derive(Debug)]
struct Ended {
    logs: VecDeque<Weak<OutputLog>>,
    prune_at: usize,
}

/// There is not enough, not even without what ended processes have said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the output of the processes that run may take {taken} of {cap} bytes, and this one needs {needed}")]
pub(crate) struct MemoryLimit {
    taken: usize,
    cap: usize,
    needed: usize,
}

/// A part of the memory. Dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Reservation {
    memory: Arc<OutputMemory>,
    bytes: usize,
}

impl OutputMemory {
    pub(crate) fn new(cap: usize) -> Arc<Self> {
        Arc::new(Self {
            cap,
            taken: AtomicUsize::new(0),
            ended: Mutex::new(Ended {
                logs: VecDeque::new(),
                prune_at: FIRST_PRUNE,
            }),
        })
    }

    /// Sets aside what the output of a process may come to that keeps `retain_bytes`. The oldest ended processes are
    /// given up for it, if that helps.
    pub(crate) fn reserve(self: &Arc<Self>, retain_bytes: usize) -> Result<Reservation, MemoryLimit> {
        let needed = output_memory(retain_bytes);
        if !self.try_take(needed) {
            self.make_room(needed)?;
        }
        Ok(Reservation {
            memory: Arc::clone(self),
            bytes: needed,
        })
    }

    /// What is set aside, in bytes.
    pub(crate) fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    /// What may be set aside, in bytes.
    pub(crate) fn cap(&self) -> usize {
        self.cap
    }

    /// Takes note that a process has ended: it is given up when there is no room for a new one.
    pub(crate) fn add_ended(&self, log: &Arc<OutputLog>) {
        let mut ended = self.ended.lock().expect("no holder of this lock can panic");
        ended.logs.push_back(Arc::downgrade(log));
        if ended.logs.len() >= ended.prune_at {
            ended.logs.retain(|log| log.strong_count() > 0);
            ended.prune_at = FIRST_PRUNE.max(2 * ended.logs.len());
        }
    }

    fn make_room(&self, needed: usize) -> Result<(), MemoryLimit> {
        let mut ended = self.ended.lock().expect("no holder of this lock can panic");
        ended.logs.retain(|log| log.strong_count() > 0);
        let by_ended: usize = ended
            .logs
            .iter()
            .filter_map(Weak::upgrade)
            .filter(|log| log.is_expendable())
            .map(|log| log.reserved())
            .sum();
        let taken = self.taken.load(Ordering::Relaxed).saturating_sub(by_ended);
        let limit = MemoryLimit {
            taken,
            cap: self.cap,
            needed,
        };
        if taken.saturating_add(needed) > self.cap {
            return Err(limit);
        }
        let mut has_room = false;
        ended.logs.retain(|log| {
            let expendable = log.upgrade().filter(|log| !has_room && log.is_expendable());
            if let Some(log) = &expendable {
                log.discard();
                has_room = self.try_take(needed);
            }
            expendable.is_none()
        });
        // Without, somebody else was quicker.
        if has_room { Ok(()) } else { Err(limit) }
    }

    fn try_take(&self, needed: usize) -> bool {
        let take = |taken: usize| taken.checked_add(needed).filter(|taken| *taken <= self.cap);
        self.taken
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
            .is_ok()
    }
}

impl Reservation {
    /// In bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Gives back all but `bytes`, if that is less.
    pub(crate) fn shrink_to(&mut self, bytes: usize) {
        let given_back = self.bytes.saturating_sub(bytes);
        self.memory.taken.fetch_sub(given_back, Ordering::Relaxed);
        self.bytes -= given_back;
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.shrink_to(0);
    }
}
