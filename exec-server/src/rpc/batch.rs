//! Messages put together for one write.

use std::ops::Range;

use bytes::Bytes;
use exec_protocol::envelope::Style;

use super::spare;
use crate::limits::WRITE_BATCH_BYTES;

/// Most memory that is kept for the next batch, in bytes. A long answer is not a reason to hold on
/// to a long buffer.
const KEPT_BYTES: usize = 2 * WRITE_BATCH_BYTES;

/// Complete messages in one buffer, each followed by a newline.
///
/// That is how they go out on stdio, in one write; other transports take them one by one.
#[derive(Debug, Default)]
pub struct Batch {
    lines: Vec<u8>,
    /// The buffer itself, while messages are lent out of it.
    lent: Bytes,
    /// Where each message ends, its newline not counted.
    ends: Vec<usize>,
    style: Style,
    pace: Pace,
}

/// How the wire took what was written last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Pace {
    /// At once.
    #[default]
    Free,
    /// It had to be waited for. Then a batch is one message: whatever is put together now waits, and an answer that
    /// comes meanwhile would wait for all of it.
    Held,
}

impl Batch {
    /// Starts over, for a peer that writes in this style, on a wire that is so fast.
    pub(crate) fn restart(&mut self, style: Style, pace: Pace) {
        let mut lent = std::mem::take(&mut self.lent);
        if !lent.is_empty() {
            // Nothing of it is wanted but the memory.
            lent.truncate(0);
            self.lines = lent.into();
        }
        self.lines.clear();
        if self.lines.capacity() > KEPT_BYTES {
            spare::give(std::mem::take(&mut self.lines));
        }
        self.ends.clear();
        self.style = style;
        self.pace = pace;
    }

    /// How the messages are to be written.
    pub(crate) fn style(&self) -> Style {
        self.style
    }

    /// Appends the message that `write` appends to the buffer.
    pub(crate) fn push(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.lines);
        self.ends.push(self.lines.len());
        self.lines.push(b'\n');
    }

    /// Appends a message that is there already; a long one becomes the buffer itself.
    pub(crate) fn push_whole(&mut self, message: Vec<u8>) {
        if self.is_empty() && message.len() >= WRITE_BATCH_BYTES {
            self.lines = message;
            self.ends.push(self.lines.len());
            self.lines.push(b'\n');
        } else {
            self.push(|out| out.extend_from_slice(&message));
            spare::give(message);
        }
    }

    /// Whether a message of this length may be added before what is in it is written. One always may.
    pub(crate) fn has_room_for(&self, bytes: usize) -> bool {
        self.is_empty() || self.lines.len() + bytes <= self.limit()
    }

    /// Whether what is in it should be written before anything is added.
    pub(crate) fn is_full(&self) -> bool {
        !self.is_empty() && self.lines.len() >= self.limit()
    }

    fn limit(&self) -> usize {
        match self.pace {
            Pace::Free => WRITE_BATCH_BYTES,
            Pace::Held => 0,
        }
    }

    /// Takes the messages out without copying them. The buffer is used again once all of them are dropped.
    pub fn lend(&mut self) -> impl Iterator<Item = Bytes> {
        self.lent = std::mem::take(&mut self.lines).into();
        let lent = &self.lent;
        ranges(&self.ends).map(move |range| lent.slice(range))
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// All messages, each with its newline.
    pub fn lines(&self) -> &[u8] {
        &self.lines
    }

    /// Each message, without its newline.
    pub fn messages(&self) -> impl Iterator<Item = &[u8]> {
        ranges(&self.ends).map(|range| &self.lines[range])
    }
}

/// Where the messages lie whose ends these are.
fn ranges(ends: &[usize]) -> impl Iterator<Item = Range<usize>> {
    let starts = std::iter::once(0).chain(ends.iter().map(|end| end + 1));
    starts.zip(ends).map(|(start, end)| start..*end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_given_as_lines_and_one_by_one() {
        let mut batch = Batch::default();
        for message in ["{}", "", "[1]"] {
            batch.push(|out| out.extend_from_slice(message.as_bytes()));
        }
        assert_eq!(batch.lines(), b"{}\n\n[1]\n");
        assert_eq!(
            batch.messages().collect::<Vec<_>>(),
            [b"{}".as_slice(), b"", b"[1]"]
        );
        batch.lines.reserve(1);
        assert_eq!(batch.lend().collect::<Vec<_>>(), ["{}", "", "[1]"]);
        let before = batch.lent.as_ptr();
        batch.restart(Style::Bare, Pace::Free);
        assert!(batch.is_empty() && batch.messages().next().is_none());
        assert_eq!(batch.lines.as_ptr(), before, "the buffer is used again");
    }

    #[test]
    fn a_wire_that_is_held_up_gets_one_message_at_a_time() {
        let mut batch = Batch::default();
        for (pace, has_room) in [(Pace::Free, true), (Pace::Held, false)] {
            batch.restart(Style::Bare, pace);
            assert!(batch.has_room_for(1) && !batch.is_full());
            batch.push(|out| out.push(b'1'));
            assert_eq!((batch.has_room_for(1), batch.is_full()), (has_room, !has_room));
        }
    }
}
