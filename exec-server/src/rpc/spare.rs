//! A buffer for the next long answer.
//!
//! A buffer of a mebibyte comes from the system and goes back to it, and each of its pages is a fault when it is
//! written for the first time: that costs as much as the answer itself.

use std::cell::RefCell;

use crate::limits::{MAX_ANSWER_BYTES, WRITE_BATCH_BYTES};

/// Longest buffer that is kept, in bytes: the answer to a read that asks for no more than usual fits.
const MAX_KEPT_BYTES: usize = 2 * MAX_ANSWER_BYTES;

thread_local! {
    /// One per thread: long answers are made one after the other.
    static SPARE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// An empty buffer.
pub(super) fn take() -> Vec<u8> {
    SPARE.take()
}

/// Takes a buffer back, if it is one that is worth keeping.
pub(super) fn give(mut buffer: Vec<u8>) {
    if (WRITE_BATCH_BYTES..=MAX_KEPT_BYTES).contains(&buffer.capacity()) {
        buffer.clear();
        SPARE.set(buffer);
    }
}
