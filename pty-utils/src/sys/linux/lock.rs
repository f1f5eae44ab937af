//! Locks over what a panic cannot break.
use std::sync::{Mutex, MutexGuard, PoisonError};

/// No state here is broken by a panic halfway.
pub(super) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
