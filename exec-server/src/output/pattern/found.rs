//! The text of a match.

use std::sync::Arc;

use regex_automata::Anchored;
use regex_automata::hybrid::LazyStateID;
use regex_automata::hybrid::dfa::Cache;
use regex_automata::util::start;

use super::{Pattern, begin, ends, step};

/// What lies around the end of a match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Surroundings {
    /// Bytes before the end of the match, and behind it.
    pub(crate) bytes: Vec<u8>,
    /// Where the match ends in them.
    pub(crate) end: usize,
    /// Where in them that begins which the pattern has seen.
    pub(crate) seen_from: usize,
    /// Whether the pattern has seen something before that.
    pub(crate) is_cut: bool,
}

/// A match whose end is known.
#[derive(Debug)]
pub(crate) struct Found {
    pattern: Arc<Pattern>,
    around: Surroundings,
    cache: Cache,
    state: LazyStateID,
    /// What was not looked at yet ends here.
    at: usize,
    /// Where the longest match so far begins.
    start: usize,
}

impl Found {
    pub(crate) fn new(pattern: Arc<Pattern>, around: Surroundings) -> Self {
        let behind = around.bytes.get(around.end).copied();
        let config = start::Config::new().anchored(Anchored::Yes).look_behind(behind);
        let (cache, state) = begin(&pattern.backward.dfa, &config);
        let end = around.end;
        Self {
            pattern,
            around,
            cache,
            state,
            at: end,
            start: end,
        }
    }

    /// The lines that the match lies in, as far as they are here, of at most `max_bytes` bytes. The match is the longest that
    /// ends where it does.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: only the text is lost.
    pub(crate) async fn text(mut self, max_bytes: usize) -> String {
        while !self.look_back() {
            // Others have their turn.
            tokio::task::yield_now().await;
        }
        let lines = lines(&self.around.bytes, self.start..self.around.end, max_bytes);
        let mut text = String::from_utf8_lossy(lines).into_owned();
        text.truncate(text.floor_char_boundary(max_bytes));
        text
    }

    /// Goes one step back. True if the beginning is found.
    fn look_back(&mut self) -> bool {
        let dfa = &self.pattern.backward.dfa;
        let Surroundings {
            bytes,
            seen_from,
            is_cut,
            ..
        } = &self.around;
        let from = self.at.saturating_sub(self.pattern.effort).max(*seen_from);
        while self.at > from {
            self.state = step(dfa, &mut self.cache, self.state, bytes[self.at - 1]);
            // It says so with the byte behind it.
            if self.state.is_match() {
                self.start = self.at;
            }
            if self.state.is_dead() {
                return true;
            }
            self.at -= 1;
        }
        let is_done = self.at == *seen_from;
        if is_done && !is_cut && ends(dfa, &mut self.cache, self.state) {
            self.start = self.at;
        }
        is_done
    }
}

/// The lines that this range lies in, without the last one's end; of more than `max_bytes`, those that lead to its end.
fn lines(bytes: &[u8], range: std::ops::Range<usize>, max_bytes: usize) -> &[u8] {
    let from = bytes[..range.start]
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |at| at + 1);
    // A match may end with the end of its line.
    let last = range.end.saturating_sub(1).max(range.start);
    let to = memchr::memchr(b'\n', &bytes[last..]).map_or(bytes.len(), |at| last + at);
    let to = match bytes[from..to].last() {
        Some(b'\r') if to < bytes.len() => to - 1,
        _ => to,
    };
    let from = from.max(range.end.min(to).saturating_sub(max_bytes));
    &bytes[from..to.min(from.saturating_add(max_bytes))]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex_automata::{Input, MatchKind};

    use super::super::tests::{model, patterns, pieces};
    use super::*;

    /// Where the longest match begins that ends there.
    fn longest(pattern: &str, bytes: &[u8], end: usize) -> Option<usize> {
        let model = model(pattern, MatchKind::All);
        let mut cache = model.create_cache();
        (0..=end).find(|start| {
            let input = Input::new(bytes).range(*start..end).anchored(Anchored::Yes);
            model
                .find(&mut cache, input)
                .is_some_and(|found| found.end() == end)
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn the_beginning_of_the_longest_match_is_found(pattern in patterns(), pieces in pieces(), end in any::<prop::sample::Index>()) {
            let bytes = pieces.concat();
            let end = end.index(bytes.len() + 1);
            let expected = longest(&pattern, &bytes, end);
            let around = Surroundings { bytes, end, seen_from: 0, is_cut: false };
            let mut found = Found::new(Arc::new(Pattern::new(&pattern, 1).unwrap()), around);
            while !found.look_back() {}
            prop_assert_eq!(found.start, expected.unwrap_or(end));
        }
    }

    #[test]
    fn lines_go_from_the_first_line_of_a_match_to_the_end_of_its_last() {
        let text = b"one\ntwo\r\nthree";
        for (range, expected) in [
            (0..1, "one"),
            (0..3, "one"),
            (0..4, "one"),
            (3..4, "one"),
            (4..4, "two"),
            (5..6, "two"),
            (5..9, "two"),
            (2..5, "one\ntwo"),
            (9..9, "three"),
            (14..14, "three"),
            (6..12, "two\r\nthree"),
        ] {
            assert_eq!(
                lines(text, range.clone(), 100),
                expected.as_bytes(),
                "{range:?} of one, two, three"
            );
        }
        assert_eq!(lines(b"", 0..0, 100), b"");
        assert_eq!(lines(b"a\n", 2..2, 100), b"", "the line that has not begun");
    }

    #[test]
    fn of_a_long_line_that_is_kept_which_leads_to_the_end_of_the_match() {
        let text = b"0123456789";
        assert_eq!(lines(text, 2..4, 6), b"012345");
        assert_eq!(lines(text, 7..9, 6), b"345678");
        assert_eq!(lines(text, 0..9, 6), b"345678");
        assert_eq!(lines(text, 4..5, 0), b"");
    }
}
