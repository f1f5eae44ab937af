//! Where a reader of a process stands.

use exec_protocol::Seq;
use exec_protocol::process::Gap;

/// Everything up to here is known, or known to be lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    seq: Seq,
    /// How many bytes there were up to here. None if some were lost that nobody counted.
    offset: Option<u64>,
}

impl Position {
    /// Before the first event.
    pub(crate) const START: Self = Self {
        seq: Seq::ZERO,
        offset: Some(0),
    };

    /// The last event that is known or lost.
    pub(crate) fn seq(&self) -> Seq {
        self.seq
    }

    /// The first event behind it.
    pub(crate) fn next(&self) -> Seq {
        self.seq.next()
    }

    /// Goes behind a chunk of output. `offset` is that of its first byte, where the server tells it.
    pub(crate) fn pass_output(&mut self, seq: Seq, offset: Option<u64>, bytes: usize) {
        self.seq = seq;
        self.offset = offset.or(self.offset).map(|offset| offset + bytes as u64);
    }

    /// Goes behind an event without bytes.
    pub(crate) fn pass_mark(&mut self, seq: Seq) {
        self.seq = seq;
    }

    /// Goes behind events of which is unknown what they were.
    pub(crate) fn pass_unknown(&mut self, to_seq: Seq) {
        *self = Self {
            seq: to_seq,
            offset: None,
        };
    }

    /// Goes behind a gap, and returns how many bytes are lost between here and there.
    ///
    /// The gap may begin before us: the server does not remember for ever where everyone stood.
    pub(crate) fn pass_gap(&mut self, gap: &Gap) -> Option<u64> {
        let lost = if gap.from_seq >= self.next() {
            Some(gap.bytes)
        } else {
            self.offset.and_then(|offset| gap.to_offset.checked_sub(offset))
        };
        *self = Self {
            seq: gap.to_seq,
            offset: Some(gap.to_offset),
        };
        lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_gap_that_begins_before_us_only_the_rest_is_lost() {
        let mut position = Position::START;
        position.pass_output(Seq(1), None, 10);
        position.pass_mark(Seq(2));
        let lost = position.pass_gap(&Gap::new(Seq(1), Seq(4), 5, 30));
        assert_eq!((lost, position.next()), (Some(20), Seq(5)));
        let lost = position.pass_gap(&Gap::new(Seq(5), Seq(6), 30, 31));
        assert_eq!(lost, Some(1));
    }

    #[test]
    fn bytes_that_nobody_counted_leave_the_next_gap_uncounted_until_an_offset_is_told() {
        let gap = Gap::new(Seq(1), Seq(9), 0, 100);
        let mut position = Position::START;
        position.pass_unknown(Seq(3));
        position.pass_output(Seq(4), None, 10);
        assert_eq!(position.clone().pass_gap(&gap), None);
        position.pass_output(Seq(5), Some(60), 10);
        assert_eq!(position.pass_gap(&gap), Some(30));
    }
}
