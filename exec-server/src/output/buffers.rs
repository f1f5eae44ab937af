//! Buffers to read into, which become part of a ring without a copy, and come back from it.

use std::cell::RefCell;

use super::ring::SEGMENT_BYTES;

/// Buffers that are kept for the next read. One that is being filled and one on its way are enough for a flood; more
/// would be held for nothing.
const KEPT: usize = 2;

thread_local! {
    /// One pool per thread, not one per process: a thousand idle processes must not hold a thousand buffers.
    static SPARE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// A buffer of the length of a segment, with whatever is in it.
pub(super) fn take() -> Vec<u8> {
    SPARE
        .with_borrow_mut(Vec::pop)
        .unwrap_or_else(|| vec![0; SEGMENT_BYTES])
}

/// Takes a buffer back, if it is one that can be used again.
pub(super) fn give(buffer: Vec<u8>) {
    if buffer.len() == SEGMENT_BYTES {
        SPARE.with_borrow_mut(|spare| {
            if spare.len() < KEPT {
                spare.push(buffer);
            }
        });
    }
}
