//! Waiting against everything that was ever said.

use exec_protocol::Seq;
use futures_util::FutureExt as _;
use proptest::prelude::*;

use super::super::pattern::tests::{model, patterns, pieces};
use super::super::{MIN_CAPACITY, Pattern};
use super::search::Step;
use super::*;

const OUTPUT: Condition = Condition::Output(None);

const SILENT: Condition = Condition::Silent(Duration::ZERO);

fn say(state: &mut State, stream: Stream, bytes: &[u8]) {
    state.ring.push(stream, bytes);
    state.ring.evict(None, drop);
}

fn wait_for(state: &State, condition: &Condition, from: u64) -> Goal {
    Goal::new(state, condition, Some(from), 1000).unwrap()
}

fn pattern(regex: &str, stream: Option<Stream>) -> Condition {
    Condition::Pattern(Arc::new(Pattern::new(regex, 1).unwrap()), stream)
}

fn look(goal: &mut Goal, state: &mut State) -> Option<Outcome> {
    let Goal::Pattern(search) = goal else {
        return goal.check(state);
    };
    let to = state.ring.end().offset;
    loop {
        match search.go(state, to) {
            Step::Over(outcome) => return Some(outcome),
            Step::Nothing => return None,
            Step::More => {}
        }
    }
}

/// Where a wait has fired, and the text of its match.
fn fired(outcome: Outcome) -> (Cursor, String) {
    match outcome {
        Outcome::Fired {
            at,
            found: Some(found),
        } => (at, found.text(1000).now_or_never().unwrap()),
        other => panic!("{other:?}"),
    }
}

/// What was said to which stream, piece by piece, and the number that each piece begins with.
#[derive(Debug, Clone)]
struct Said(Vec<(Stream, Vec<u8>)>);

impl Said {
    /// The end of the first match behind `from`, and the piece with which it came.
    fn first_end(&self, regex: &str, stream: Option<Stream>, from: usize) -> Option<(usize, u64)> {
        let model = model(regex, regex_automata::MatchKind::LeftmostFirst);
        let mut cache = model.create_cache();
        let (mut seen, mut offsets, mut offset) = (Vec::new(), vec![from as u64], 0);
        for piece in 0..=self.0.len() {
            let input = regex_automata::Input::new(&seen).earliest(true);
            if offset >= from
                && let Some(found) = model.find(&mut cache, input)
            {
                return Some((piece, offsets[found.end()]));
            }
            let Some((of, bytes)) = self.0.get(piece) else {
                break;
            };
            for byte in bytes {
                offset += 1;
                if offset > from && stream.is_none_or(|stream| stream == *of) {
                    seen.push(*byte);
                    offsets.push(offset as u64);
                }
            }
        }
        None
    }
}

fn said() -> impl Strategy<Value = Said> {
    (pieces(), prop::collection::vec(any::<bool>(), 8)).prop_map(|(pieces, is_error)| {
        let pieces = pieces.into_iter().filter(|piece| !piece.is_empty());
        let streams = is_error
            .into_iter()
            .map(|is_error| if is_error { Stream::Stderr } else { Stream::Stdout });
        Said(streams.zip(pieces).collect())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_pattern_fires_with_the_piece_in_which_its_first_match_ends(
        regex in patterns(),
        said in said(),
        stream in prop::sample::select(vec![None, Some(Stream::Stdout), Some(Stream::Stderr)]),
        before in any::<prop::sample::Index>(),
    ) {
        // Some of it is said before the wait, which begins behind it.
        let (mut state, before) = (State::new(MIN_CAPACITY), before.index(said.0.len() + 1));
        for (of, bytes) in &said.0[..before] {
            say(&mut state, *of, bytes);
        }
        let from = said.0[..before].iter().map(|(_, bytes)| bytes.len()).sum();
        let mut goal = wait_for(&state, &pattern(&regex, stream), from as u64);
        let mut outcome = look(&mut goal, &mut state).map(|outcome| (before, fired(outcome).0.offset));
        for (piece, (of, bytes)) in said.0.iter().enumerate().skip(before) {
            if outcome.is_none() {
                say(&mut state, *of, bytes);
                outcome = look(&mut goal, &mut state).map(|outcome| (piece + 1, fired(outcome).0.offset));
            }
        }
        prop_assert_eq!(outcome, said.first_end(&regex, stream, from));
    }
}

#[test]
fn what_was_dropped_before_it_was_looked_at_may_have_matched() {
    let mut state = State::new(MIN_CAPACITY);
    let needle = pattern("needle", None);
    let mut early = wait_for(&state, &needle, 0);
    say(&mut state, Stream::Stdout, b"a nee");
    assert!(look(&mut early, &mut state).is_none());
    say(&mut state, Stream::Stdout, b"dle");
    let mut on_stderr = wait_for(&state, &Condition::Output(Some(Stream::Stderr)), 5);
    say(&mut state, Stream::Stdout, &vec![b'-'; 20_000]);
    let first = state.ring.first().1;
    assert!(first > 8, "nothing was dropped");
    for mut goal in [early, wait_for(&state, &needle, first - 1)] {
        assert!(matches!(look(&mut goal, &mut state), Some(Outcome::Evicted)));
    }
    assert!(matches!(look(&mut on_stderr, &mut state), Some(Outcome::Evicted)));
    // That there was output is known, whatever it was.
    let mut output = wait_for(&state, &OUTPUT, 0);
    let at = Cursor {
        seq: Seq(1),
        offset: 0,
    };
    assert!(matches!(look(&mut output, &mut state), Some(Outcome::Fired { at: it, .. }) if it == at));
    let mut kept = wait_for(&state, &pattern("--+", None), first);
    let (at, text) = fired(look(&mut kept, &mut state).unwrap());
    assert_eq!((at.offset, text.len()), (first + 2, 1000));
}

#[test]
fn a_match_whose_beginning_was_dropped_is_found_all_the_same() {
    let mut state = State::new(MIN_CAPACITY);
    let mut goal = wait_for(&state, &pattern("a[^b]*b", None), 0);
    say(&mut state, Stream::Stdout, b"line\na");
    for _ in 0..40 {
        say(&mut state, Stream::Stdout, &[b'-'; 1000]);
        assert!(look(&mut goal, &mut state).is_none());
    }
    assert!(state.ring.first().1 > 6, "nothing was dropped");
    say(&mut state, Stream::Stdout, b"b behind\n");
    let (at, text) = fired(look(&mut goal, &mut state).unwrap());
    assert_eq!(at.offset, 40_007);
    let expected = format!("{}b", "-".repeat(999));
    assert_eq!(text, expected, "it ends with the match");
}

#[test]
fn the_line_of_a_match_is_found_among_what_others_say() {
    let mut state = State::new(1 << 20);
    let mut goal = wait_for(&state, &pattern("needle", Some(Stream::Stderr)), 0);
    for piece in ["before\na ", "nee", "dle ", "behind\n"] {
        say(&mut state, Stream::Stderr, piece.as_bytes());
        say(&mut state, Stream::Stdout, &vec![b'-'; 50_000]);
    }
    let (at, text) = fired(look(&mut goal, &mut state).unwrap());
    // 50,000 bytes do not fit what is left of a segment, and are two chunks.
    let (seq, offset) = (Seq(6), 100_000 + 15);
    assert_eq!((at, text.as_str()), (Cursor { seq, offset }, "a needle behind"));
}

#[test]
fn a_process_that_is_given_up_is_evicted_for_whoever_waits() {
    let mut state = State::new(MIN_CAPACITY);
    say(&mut state, Stream::Stdout, b"something");
    let silent = Condition::Silent(Duration::from_secs(1000));
    let conditions = [
        Condition::Exited,
        Condition::Closed,
        OUTPUT,
        silent,
        pattern("never", None),
    ];
    let mut goals = conditions.map(|condition| wait_for(&state, &condition, 9));
    assert!(goals.iter_mut().all(|goal| look(goal, &mut state).is_none()));
    state.ring.clear();
    state.is_discarded = true;
    for goal in &mut goals {
        assert!(matches!(look(goal, &mut state), Some(Outcome::Evicted)));
    }
}

#[test]
fn output_does_not_grow_behind_a_number_that_was_told() {
    let mut state = State::new(MIN_CAPACITY);
    let (mut never, mut silent) = (
        wait_for(&state, &pattern("never", None), 0),
        wait_for(&state, &SILENT, 0),
    );
    say(&mut state, Stream::Stdout, b"a");
    assert!(look(&mut never, &mut state).is_none());
    say(&mut state, Stream::Stdout, b"b");
    // To look at it was not to tell it.
    assert_eq!(state.ring.end().seq, Seq(1));
    assert!(look(&mut silent, &mut state).is_some());
    say(&mut state, Stream::Stdout, b"c");
    assert_eq!(state.ring.end().seq, Seq(2));
}

#[test]
fn whoever_gives_up_leaves_the_list() {
    loom::model(|| {
        let id = exec_protocol::ProcessId::new("p").unwrap();
        let log = Arc::new(OutputLog::new(&id, MIN_CAPACITY, None));
        for _ in 0..10 {
            for condition in [Condition::Exited, OUTPUT] {
                let mut watch = log.watch(&condition, None, 0).unwrap();
                assert!(watch.outcome().now_or_never().is_none());
                assert!(log.lock().readers.is_empty());
            }
        }
    });
}
