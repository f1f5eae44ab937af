//! How long one connection is served before the others have their turn. Pure.

/// What is taken in and answered in one turn, in bytes: a millisecond's work, or one message if that takes longer.
const TURN_BYTES: usize = 64 << 10;

/// What a message costs beside its length, as so many bytes.
const MESSAGE_BYTES: usize = 1 << 10;

/// What was done for a connection since others had their turn.
///
/// Bytes and messages are counted, and not time: a look at the clock for each message would cost as much as some messages do.
#[derive(Debug, Default)]
pub(super) struct Turn {
    bytes: usize,
}

impl Turn {
    /// Takes note of a message, or an element of a batch, of so many bytes, and says whether it is the others' turn.
    pub(super) fn ends_with(&mut self, bytes: usize) -> bool {
        self.bytes = self.bytes.saturating_add(MESSAGE_BYTES + bytes);
        let ends = self.bytes >= TURN_BYTES;
        if ends {
            self.bytes = 0;
        }
        ends
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_ends_with_many_short_messages_or_a_long_one() {
        let mut turn = Turn::default();
        for _ in 0..2 {
            assert_eq!(
                (1..100).find(|_| turn.ends_with(0)),
                Some(TURN_BYTES / MESSAGE_BYTES)
            );
        }
        assert!(turn.ends_with(TURN_BYTES));
        assert!(!turn.ends_with(1));
    }
}
