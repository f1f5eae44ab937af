//! Whether the fragments of a message hold anything. Pure.

use crate::limits::FRAGMENT_HEADS_BYTES;

/// Longest head of a frame, in bytes.
const MAX_HEAD_BYTES: usize = 14;

const LAST: u8 = 0x80;
const CONTROL: u8 = 0x08;
const MASKED: u8 = 0x80;
const LENGTH: u8 = 0x7f;
const MASK_BYTES: usize = 4;

/// The fragments of the message that is in the making, as they come.
///
/// A message has no end before its last fragment, and one without payload costs us as much as any other: so their heads may
/// come to no more than what they hold, or to some ten thousand of them. What is counted is what is there, and it begins anew with each
/// message: nothing is estimated, so nothing adds up.
///
/// Whether a frame is one that a client may send is not looked at here: with one that is not, the connection is at its end.
#[derive(Debug, Default)]
pub(super) struct Fragments {
    /// What came of the head of a frame that is not complete.
    head: [u8; MAX_HEAD_BYTES],
    head_bytes: usize,
    /// What is still to come of the frame's payload.
    payload_left: u64,
    /// Heads of the message so far, and what they announced.
    heads_bytes: u64,
    payload_bytes: u64,
    are_too_small: bool,
    /// Fragments that were begun since this was asked, but for the last ones of messages.
    begun: usize,
}

impl Fragments {
    /// Takes note of what came next, wherever it was cut.
    pub(super) fn came(&mut self, mut bytes: &[u8]) {
        while let [first, rest @ ..] = bytes {
            if self.payload_left > 0 {
                let skipped = usize::try_from(self.payload_left)
                    .unwrap_or(usize::MAX)
                    .min(bytes.len());
                self.payload_left -= skipped as u64;
                bytes = &bytes[skipped..];
                continue;
            }
            self.head[self.head_bytes] = *first;
            self.head_bytes += 1;
            bytes = rest;
            if self.head_bytes == self.whole_head_bytes() {
                self.begin_frame();
            }
        }
    }

    /// Whether some message has had more of heads than it may, ever.
    pub(super) fn are_too_small(&self) -> bool {
        self.are_too_small
    }

    /// How many fragments that end no message were begun since this was asked.
    pub(super) fn begun(&mut self) -> usize {
        std::mem::take(&mut self.begun)
    }

    /// How many bytes the head has, by what is there of it.
    fn whole_head_bytes(&self) -> usize {
        if self.head_bytes < 2 {
            return 2;
        }
        let [_, second, ..] = self.head;
        let mask_bytes = if second & MASKED == 0 { 0 } else { MASK_BYTES };
        2 + length_bytes(second) + mask_bytes
    }

    /// The head is complete.
    fn begin_frame(&mut self) {
        let [first, second, ..] = self.head;
        let head_bytes = std::mem::take(&mut self.head_bytes) as u64;
        self.payload_left = match length_bytes(second) {
            0 => u64::from(second & LENGTH),
            long => self.head[2..2 + long]
                .iter()
                .fold(0, |length, byte| length << 8 | u64::from(*byte)),
        };
        if first & CONTROL != 0 {
            return;
        }
        self.heads_bytes = self.heads_bytes.saturating_add(head_bytes);
        self.payload_bytes = self.payload_bytes.saturating_add(self.payload_left);
        self.are_too_small |= self.heads_bytes > self.payload_bytes.max(FRAGMENT_HEADS_BYTES as u64);
        if first & LAST == 0 {
            self.begun += 1;
        } else {
            (self.heads_bytes, self.payload_bytes) = (0, 0);
        }
    }
}

/// How many bytes the length has beside those that the second byte of a head tells.
fn length_bytes(second: u8) -> usize {
    match second & LENGTH {
        127 => 8,
        126 => 2,
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
