//! Patterns in output that comes in pieces, against another engine that sees all of it at once.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use regex_automata::nfa::thompson::pikevm::{Cache, PikeVM};
use regex_automata::nfa::thompson::{self, WhichCaptures};
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input, MatchKind};

use super::cut_by_itself;
use crate::limits::PATTERN_MEMORY_BYTES;
use crate::output::{Fed, Found, Pattern, Scanner, Surroundings};

/// Longest text of a match that is asked for, in bytes.
const MATCH_TEXT_BYTES: usize = 64;

/// What the other engine may cost for one input, in states that it goes through: it goes through all with every byte.
const MODEL_WORK: usize = 1 << 15;

/// So many bytes do not lead to more states than there is memory for.
const ALWAYS_FITS_BYTES: usize = 16;

/// The first line is a pattern, which is looked for in the rest: its match ends in the same place however that comes, and
/// that is where the first one ends. What is told of it is the longest that ends there, with its lines.
pub fn pattern(bytes: &[u8]) {
    let end = memchr::memchr(b'\n', bytes).unwrap_or(bytes.len());
    let Ok(text) = std::str::from_utf8(&bytes[..end]) else {
        return;
    };
    let Ok(pattern) = Pattern::new(text, 1) else {
        return;
    };
    let pattern = Arc::new(pattern);
    let output = bytes.get(end + 1..).unwrap_or_default();
    let whole = match_end(&pattern, &[output]);
    // Each makes its states anew, so these two must do.
    for pieces in [output.chunks(1).collect(), cut_by_itself(output)] {
        assert_eq!(match_end(&pattern, &pieces), whole);
    }
    if output.len() > ALWAYS_FITS_BYTES
        && let Some(small) = with_little_memory(text, &pattern)
    {
        assert_eq!(match_end(&small, &[output]), whole, "where states are forgotten");
    }
    let model = Model::new(text);
    let short = &output[..output.len().min(MODEL_WORK / model.states())];
    assert_eq!(match_end(&pattern, &[short]), model.first_end(short));
    if let Some(end) = whole {
        let beginning = (end < MODEL_WORK / model.states() / end.max(1))
            .then(|| model.longest(output, end).expect("a match ends there"));
        is_told(pattern, output, beginning, end);
    }
}

/// The same for as many processes as can be, so that it has the least memory for its states.
fn with_little_memory(text: &str, pattern: &Pattern) -> Option<Arc<Pattern>> {
    let processes = [8, 4, 2].map(|part| PATTERN_MEMORY_BYTES / (pattern.memory() / part));
    let mut small = processes
        .into_iter()
        .filter_map(|processes| Pattern::new(text, processes - 1).ok());
    small.next().map(Arc::new)
}

fn match_end(pattern: &Arc<Pattern>, pieces: &[&[u8]]) -> Option<usize> {
    let mut scanner = Scanner::new(Arc::clone(pattern));
    let mut seen = 0;
    for piece in pieces {
        let mut left = *piece;
        while !left.is_empty() {
            match scanner.feed(left, &mut pattern.go()) {
                Fed::Match(at) => return Some(seen + at),
                Fed::Taken(0) => panic!("a whole go gets nowhere"),
                Fed::Taken(taken) => {
                    seen += taken;
                    left = &left[taken..];
                }
            }
        }
    }
    scanner.matches_at_end().then_some(seen)
}

/// The text has the match, if it is as short as that, and nothing behind its last line.
fn is_told(pattern: Arc<Pattern>, output: &[u8], beginning: Option<usize>, end: usize) {
    let around = Surroundings {
        bytes: output.to_vec(),
        end,
        seen_from: 0,
        is_cut: false,
    };
    let text = at_once(Found::new(pattern, around).text(MATCH_TEXT_BYTES));
    assert!(text.len() <= MATCH_TEXT_BYTES);
    let Some(found) = beginning.map(|beginning| &output[beginning..end]) else {
        return;
    };
    // What is not text is longer than it was, and the ends of lines at an end are not told.
    let shown = found.trim_ascii_end();
    if shown.is_ascii() && text.is_ascii() && found.len() <= MATCH_TEXT_BYTES {
        let shown = str::from_utf8(shown).expect("it is ASCII");
        assert!(text.contains(shown), "{text:?} is without {shown:?}");
    }
}

/// What comes of this if it is asked until it is ready. It waits for nothing but its turn.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return value;
        }
    }
}

/// The same regular expression, by an engine that is too slow for anything else.
struct Model {
    first: PikeVM,
    all: PikeVM,
}

impl Model {
    fn new(pattern: &str) -> Self {
        let nfa = thompson::Compiler::new()
            .syntax(syntax::Config::new().unicode(false).utf8(false))
            .configure(
                thompson::Config::new()
                    .utf8(false)
                    .which_captures(WhichCaptures::Implicit),
            )
            .build(pattern)
            .expect("the pattern was taken before");
        let build = |kind| {
            PikeVM::builder()
                .configure(PikeVM::config().match_kind(kind))
                .build_from_nfa(nfa.clone())
                .expect("it takes any automaton")
        };
        Self {
            first: build(MatchKind::LeftmostFirst),
            all: build(MatchKind::All),
        }
    }

    fn states(&self) -> usize {
        self.all.get_nfa().states().len()
    }

    /// Where the match ends that ends first.
    fn first_end(&self, output: &[u8]) -> Option<usize> {
        let input = Input::new(output).earliest(true);
        let found = self.first.find(&mut Cache::new(&self.first), input);
        found.map(|found| found.end())
    }

    /// Where the longest match begins that ends there.
    fn longest(&self, output: &[u8], end: usize) -> Option<usize> {
        let mut cache = Cache::new(&self.all);
        (0..=end).find(|start| {
            let input = Input::new(output).range(*start..end).anchored(Anchored::Yes);
            let found = self.all.find(&mut cache, input);
            found.is_some_and(|found| found.end() == end)
        })
    }
}
