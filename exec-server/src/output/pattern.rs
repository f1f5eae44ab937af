//! Patterns in output that comes piece by piece. Pure: no clock, no tasks, no locks.
//!
//! A pattern is an automaton that is fed every byte once, and stands where it was left when the next piece comes: nothing is
//! looked at a second time, and nothing is kept of what it has seen. Only when it has found a match is
//! its beginning looked for, from its end backwards.

mod found;

use std::sync::Arc;

use regex_automata::hybrid::dfa::{Cache, Config, DFA};
use regex_automata::hybrid::{BuildError, LazyStateID};
use regex_automata::nfa::thompson::{self, NFA};
use regex_automata::util::start;
use regex_automata::util::syntax;
use regex_automata::{Anchored, MatchKind};

pub(crate) use found::{Found, Surroundings};

use super::ring::SEGMENT_BYTES;
use crate::limits::{MAX_AUTOMATON_BYTES, MAX_PATTERN_BYTES, MAX_PATTERN_NESTING, PATTERN_MEMORY_BYTES};

/// Most memory for the states of one automaton, in bytes. It is needed by none that people write.
const MAX_STATES_BYTES: usize = 512 << 10;

/// How much larger than the least the memory for states is. Patterns that people write need about the least, because most
/// bytes lead back to where they began.
const OVER_LEAST: usize = 16;

/// What may be done in one go to make states, in nodes of the automaton that are looked at. At 10 ns for each a go takes 5 ms
/// at worst. Of patterns that people write nearly every byte leads to a state that there is, and costs 3 ns.
const WORK: usize = 1 << 19;

/// What it costs to make a state beside looking at its nodes, in nodes.
const STATE_WORK: usize = 50;

/// Bytes that are looked for, as a regular expression says.
///
/// It is one of bytes: `.` is any byte but a line feed, and classes are those of ASCII.
#[derive(Debug)]
pub(crate) struct Pattern {
    forward: Automaton,
    backward: Automaton,
    /// States that are made in one go, so that others have their turn.
    effort: usize,
}

/// Why a pattern was refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PatternError {
    /// It has too many bytes.
    #[error("the pattern has {bytes} bytes, more than {MAX_PATTERN_BYTES}")]
    TooLong { bytes: usize },
    /// It is none.
    #[error("the pattern is no regular expression of ours")]
    Syntax(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Its automaton has too many nodes, or looks at characters where it should at bytes.
    #[error("the pattern cannot be looked for")]
    Automaton(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Its states do not fit the memory for all processes.
    #[error("the pattern takes too much memory with {processes} processes")]
    TooLarge { processes: usize },
}

impl Pattern {
    /// The pattern of this text, to be looked for in so many processes.
    ///
    /// # Errors
    ///
    /// A [`PatternError`] if it does not parse, or would cost too much.
    pub(crate) fn new(text: &str, processes: usize) -> Result<Self, PatternError> {
        if text.len() > MAX_PATTERN_BYTES {
            return Err(PatternError::TooLong { bytes: text.len() });
        }
        let dialect = syntax::Config::new()
            .unicode(false)
            .utf8(false)
            .nest_limit(MAX_PATTERN_NESTING);
        let parsed =
            syntax::parse_with(text, &dialect).map_err(|error| PatternError::Syntax(Box::new(error)))?;
        let automaton = |reverse| {
            let config = thompson::Config::new()
                .utf8(false)
                .reverse(reverse)
                .nfa_size_limit(Some(MAX_AUTOMATON_BYTES))
                .which_captures(thompson::WhichCaptures::None);
            let built = NFA::compiler().configure(config).build_from_hir(&parsed);
            built.map_err(|error| PatternError::Automaton(Box::new(error)))
        };
        let (forward, backward) = (automaton(false)?, automaton(true)?);
        let effort = WORK / (forward.states().len() + STATE_WORK);
        let part = MAX_STATES_BYTES.min(PATTERN_MEMORY_BYTES / processes.max(1));
        let too_large = |processes| PatternError::TooLarge { processes };
        Ok(Self {
            forward: Automaton::new(forward, part)?.ok_or(too_large(processes))?,
            // There is one of these at a time.
            backward: Automaton::new(backward, MAX_STATES_BYTES)?.ok_or(too_large(1))?,
            effort,
        })
    }

    /// The most memory that looking for it in one process takes, in bytes.
    pub(crate) fn memory(&self) -> usize {
        self.forward.memory
    }

    /// What may be looked at in one go.
    pub(crate) fn go(&self) -> Go {
        Go {
            bytes: SEGMENT_BYTES,
            effort: self.effort,
        }
    }
}

/// What is left of a go, after which others have their turn.
#[derive(Debug)]
pub(crate) struct Go {
    /// Bytes to look at.
    bytes: usize,
    /// States to make.
    effort: usize,
}

impl Go {
    /// How many of so many bytes may be passed over unseen.
    pub(crate) fn pass_over(&mut self, bytes: usize) -> usize {
        let passed = bytes.min(self.bytes);
        self.bytes -= passed;
        passed
    }
}

/// What came of a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fed {
    /// A match ends before this byte of it.
    Match(usize),
    /// So many bytes of it were taken in, in which no match ends; fewer than there were if the go is over.
    Taken(usize),
}

/// An automaton whose states are made when they are met.
#[derive(Debug)]
struct Automaton {
    dfa: DFA,
    /// For its states, in bytes.
    memory: usize,
    /// As long as they take no more than that, there is room for any further one.
    roomy: usize,
}

impl Automaton {
    /// Takes at most so much memory for its states. None if they do not fit.
    fn new(nfa: NFA, most_memory: usize) -> Result<Option<Self>, PatternError> {
        let refused = |error: BuildError| PatternError::Automaton(Box::new(error));
        let config = Config::new().match_kind(MatchKind::All);
        let least = config.get_minimum_cache_capacity(&nfa).map_err(refused)?;
        let memory = most_memory.min(least * OVER_LEAST);
        // Room for a working set, and not only for the two states between which one byte leads.
        if memory < 2 * least {
            return Ok(None);
        }
        let mut builder = DFA::builder();
        let dfa = builder
            .configure(config.cache_capacity(memory))
            .build_from_nfa(nfa);
        Ok(Some(Self {
            dfa: dfa.map_err(refused)?,
            memory,
            // The least has room for two of the largest states.
            roomy: memory - least,
        }))
    }
}

/// Looks for a pattern in what it is fed.
#[derive(Debug)]
pub(crate) struct Scanner {
    pattern: Arc<Pattern>,
    cache: Cache,
    state: LazyStateID,
}

impl Scanner {
    /// One that has seen nothing yet.
    pub(crate) fn new(pattern: Arc<Pattern>) -> Self {
        let (cache, state) = begin(&pattern.forward.dfa, &start::Config::new().anchored(Anchored::No));
        Self {
            pattern,
            cache,
            state,
        }
    }

    pub(crate) fn pattern(&self) -> &Arc<Pattern> {
        &self.pattern
    }

    /// Takes bytes in, as long as the go lasts, up to the first before which a match ends. That it does is known only
    /// with the next byte, because it may depend on that.
    pub(crate) fn feed(&mut self, bytes: &[u8], go: &mut Go) -> Fed {
        let bytes = &bytes[..go.pass_over(bytes.len())];
        if self.state.is_dead() {
            return Fed::Taken(bytes.len());
        }
        let dfa = &self.pattern.forward.dfa;
        for (at, byte) in bytes.iter().enumerate() {
            let mut next = dfa.next_state_untagged(&self.cache, self.state, *byte);
            if next.is_unknown() {
                if go.effort == 0 {
                    return Fed::Taken(at);
                }
                go.effort -= 1;
                next = step(dfa, &mut self.cache, self.state, *byte);
            }
            self.state = next;
            if next.is_match() {
                return Fed::Match(at);
            }
            if next.is_dead() {
                break;
            }
        }
        Fed::Taken(bytes.len())
    }

    /// Whether a match ends here if nothing follows.
    pub(crate) fn matches_at_end(&mut self) -> bool {
        let Automaton { dfa, roomy, .. } = &self.pattern.forward;
        if self.cache.memory_usage() <= *roomy {
            ends(dfa, &mut self.cache, self.state)
        } else {
            // To make room is to give every state another name, and ours would not be known any more.
            ends(dfa, &mut self.cache.clone(), self.state)
        }
    }
}

/// No limit is set on how often room is made, which is the one thing that the automaton can fail at.
const NEVER_GIVES_UP: &str = "the automaton makes room as often as it needs to";

fn begin(dfa: &DFA, config: &start::Config) -> (Cache, LazyStateID) {
    let mut cache = dfa.create_cache();
    let state = dfa.start_state(&mut cache, config).expect(NEVER_GIVES_UP);
    (cache, state)
}

fn step(dfa: &DFA, cache: &mut Cache, state: LazyStateID, byte: u8) -> LazyStateID {
    dfa.next_state(cache, state, byte).expect(NEVER_GIVES_UP)
}

fn ends(dfa: &DFA, cache: &mut Cache, state: LazyStateID) -> bool {
    dfa.next_eoi_state(cache, state).expect(NEVER_GIVES_UP).is_match()
}

#[cfg(test)]
pub(super) mod tests;
