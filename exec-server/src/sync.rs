//! A lock, and waiting for what lies behind it to change.
//!
//! What is waited for is looked at, and the wish to be woken is left, under one and the same lock:
//! no change can come in between, so no wake-up can be lost. Unit tests get loom's lock, which tries every
//! order in which threads can come to it.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

#[cfg(test)]
pub(crate) use loom::sync::{Mutex, MutexGuard};
#[cfg(not(test))]
pub(crate) use std::sync::{Mutex, MutexGuard};

/// Takes a lock that is never held across an await, nor by anything that panics.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no holder of this lock can panic")
}

/// Those who wait for a change. Lies behind the lock of what changes.
#[derive(Debug, Default)]
pub(crate) struct WaitList {
    waiting: Vec<(u64, Waker)>,
    next_key: u64,
}

/// Those who are to be woken, once the lock is released.
#[derive(Debug)]
#[must_use = "whoever waits has to be woken"]
pub(crate) enum Woken {
    /// As good as always: the list keeps its memory then.
    AtMostOne(Option<Waker>),
    Many(Vec<(u64, Waker)>),
}

impl WaitList {
    /// Takes everybody out.
    pub(crate) fn take(&mut self) -> Woken {
        match self.waiting.len() {
            0 | 1 => Woken::AtMostOne(self.waiting.pop().map(|(_, waker)| waker)),
            _ => Woken::Many(std::mem::take(&mut self.waiting)),
        }
    }

    /// Whether nobody waits.
    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    fn enter(&mut self, key: &mut Option<u64>, waker: &Waker) {
        let place = key.and_then(|key| self.waiting.iter_mut().find(|(other, _)| *other == key));
        if let Some((_, known)) = place {
            known.clone_from(waker);
        } else {
            self.waiting.push((self.next_key, waker.clone()));
            *key = Some(self.next_key);
            self.next_key += 1;
        }
    }

    fn leave(&mut self, key: u64) {
        self.waiting.retain(|(other, _)| *other != key);
    }
}

impl Woken {
    /// Wakes them. Must not be called under the lock.
    pub(crate) fn wake(self) {
        match self {
            Self::AtMostOne(waker) => waker.into_iter().for_each(Waker::wake),
            Self::Many(waiting) => waiting.into_iter().for_each(|(_, waker)| waker.wake()),
        }
    }
}

/// Waits until `look` finds something behind the lock, entering the list that `list` picks meanwhile.
///
/// Whoever changes what `look` looks at has to take and wake that list.
///
/// # Cancel safety
///
/// Cancel safe: a dropped future leaves the list.
pub(crate) fn wait_until<T, R, L>(
    mutex: &Mutex<T>,
    list: fn(&mut T) -> &mut WaitList,
    look: L,
) -> impl Future<Output = R> + use<'_, T, R, L>
where
    L: FnMut(&mut T) -> Option<R> + Unpin,
{
    Wait {
        mutex,
        list,
        look,
        key: None,
    }
}

struct Wait<'a, T, L> {
    mutex: &'a Mutex<T>,
    list: fn(&mut T) -> &mut WaitList,
    look: L,
    key: Option<u64>,
}

impl<T, R, L: FnMut(&mut T) -> Option<R> + Unpin> Future for Wait<'_, T, L> {
    type Output = R;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R> {
        let Self {
            mutex,
            list,
            look,
            key,
        } = self.get_mut();
        let mut guard = lock(mutex);
        if let Some(found) = look(&mut guard) {
            return Poll::Ready(found);
        }
        list(&mut guard).enter(key, cx.waker());
        Poll::Pending
    }
}

impl<T, L> Drop for Wait<'_, T, L> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            (self.list)(&mut lock(self.mutex)).leave(key);
        }
    }
}
