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

/// Makes room for so many bytes behind those that are there, in the spare buffer if they are many.
///
/// Not before they are to be written: who waits for something to write must not keep the buffer from others.
pub(crate) fn reserve(out: &mut Vec<u8>, bytes: usize) {
    if bytes >= WRITE_BATCH_BYTES {
        let mut spare = SPARE.take();
        spare.extend_from_slice(out);
        *out = spare;
    }
    out.reserve(bytes);
}

/// Takes a buffer back, if it is one that is worth keeping.
pub(crate) fn give(mut buffer: Vec<u8>) {
    if (WRITE_BATCH_BYTES..=MAX_KEPT_BYTES).contains(&buffer.capacity()) {
        buffer.clear();
        SPARE.set(buffer);
    }
}
