//! How long one connection is served before the others have their turn. Pure.

use std::time::Duration;

/// What is taken in and answered in one turn while nobody else asks for anything, in bytes: some hundred microseconds' work, or one
/// message if that takes longer.
///
/// A turn of a quarter costs a twentieth more time, which is nobody's gain there.
const LONG_TURN_BYTES: usize = 64 << 10;

/// The same while somebody does. Whoever asks waits for two or three of these.
const SHORT_TURN_BYTES: usize = 16 << 10;

/// How many short turns nobody else has to ask for anything, before they become long ones: some milliseconds.
const QUIET_TURNS: u32 = 64;

/// What a message costs beside its length, as so many bytes.
const MESSAGE_BYTES: usize = 1 << 10;

/// How long a turn takes at most, and whatever is under way then. A message of few bytes may ask for much: a pattern to be compiled,
/// globs to be compared.
const TURN_TIME: Duration = Duration::from_millis(1);

/// What was done for a connection since others had their turn.
#[derive(Debug, Default)]
pub(super) struct Turn {
    bytes: usize,
    took: Duration,
    /// What others had been answered when the last turn ended.
    answered_to_others: u64,
    /// Turns since that has changed.
    quiet_turns: u32,
}

impl Turn {
    /// Takes note of a message, or an element of a batch, of so many bytes, which took so long, and says whether it is the others'
    /// turn. They have had so many answers by now.
    pub(super) fn ends_with(&mut self, bytes: usize, took: Duration, answered_to_others: u64) -> bool {
        self.bytes = self.bytes.saturating_add(MESSAGE_BYTES + bytes);
        self.took = self.took.saturating_add(took);
        let at_most = if self.quiet_turns < QUIET_TURNS {
            SHORT_TURN_BYTES
        } else {
            LONG_TURN_BYTES
        };
        let ends = self.bytes >= at_most || self.took >= TURN_TIME;
        if ends {
            self.bytes = 0;
            self.took = Duration::ZERO;
            self.quiet_turns = if answered_to_others == self.answered_to_others {
                self.quiet_turns.saturating_add(1)
            } else {
                0
            };
            self.answered_to_others = answered_to_others;
        }
        ends
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many short messages make a turn.
    fn messages(turn: &mut Turn, answered_to_others: u64) -> usize {
        let ends = (1..100).find(|_| turn.ends_with(0, Duration::ZERO, answered_to_others));
        ends.expect("a turn has an end")
    }

    #[test]
    fn a_turn_ends_with_many_short_messages_or_a_long_one() {
        let mut turn = Turn::default();
        for _ in 0..2 {
            assert_eq!(messages(&mut turn, 0), SHORT_TURN_BYTES / MESSAGE_BYTES);
        }
        assert!(turn.ends_with(LONG_TURN_BYTES, Duration::ZERO, 0));
        assert!(!turn.ends_with(1, Duration::ZERO, 0));
    }

    #[test]
    fn a_turn_ends_when_it_has_taken_long_whatever_was_said() {
        let mut turn = Turn::default();
        for _ in 0..2 {
            assert!(!turn.ends_with(0, TURN_TIME / 2, 0));
            assert!(turn.ends_with(0, TURN_TIME / 2, 0));
        }
        assert!(turn.ends_with(0, Duration::MAX, 0));
        assert!(!turn.ends_with(0, Duration::ZERO, 0));
    }

    #[test]
    fn turns_are_long_while_nobody_else_asks_for_anything() {
        let mut turn = Turn::default();
        for answered_to_others in [0, 7] {
            for _ in 0..QUIET_TURNS {
                messages(&mut turn, answered_to_others);
            }
            // The first turn behind another's answer may be a long one, which notices it.
            messages(&mut turn, answered_to_others);
            assert_eq!(
                messages(&mut turn, answered_to_others),
                LONG_TURN_BYTES / MESSAGE_BYTES
            );
            messages(&mut turn, answered_to_others + 1);
            assert_eq!(
                messages(&mut turn, answered_to_others + 1),
                SHORT_TURN_BYTES / MESSAGE_BYTES
            );
        }
    }
}
