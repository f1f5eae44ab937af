//! Patterns in pieces, against another engine that sees the whole.

use proptest::prelude::*;
use regex_automata::Input;
use regex_automata::nfa::thompson::pikevm::PikeVM;

use super::*;

/// Patterns of every construct that looks at its surroundings, over few bytes, so that they often match.
pub(crate) fn patterns() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "a", "b", "-", r"\n", r"\xff", ".", "[ab]", "[^a]", r"\w", "^", "$", r"\z", "(?m:^)", "(?m:$)",
        r"\b", r"\B", r"\<", r"\>", "",
    ]);
    leaf.prop_map(str::to_owned).prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| parts.concat()),
            prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| format!("(?:{})", parts.join("|"))),
            (
                inner,
                prop::sample::select(vec!["*", "+", "?", "*?", "{2}", "{0,3}"])
            )
                .prop_map(|(part, times)| format!("(?:{part}){times}")),
        ]
    })
}

pub(crate) fn pieces() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let byte = prop::sample::select(b"aab-\n\xff".to_vec());
    prop::collection::vec(prop::collection::vec(byte, 0..12), 0..8)
}

/// The other engine, in the same dialect.
pub(crate) fn model(pattern: &str, match_kind: MatchKind) -> PikeVM {
    PikeVM::builder()
        .syntax(syntax::Config::new().unicode(false).utf8(false))
        .thompson(thompson::Config::new().utf8(false))
        .configure(PikeVM::config().match_kind(match_kind))
        .build(pattern)
        .unwrap()
}

/// The first piece at whose end it is known that there is a match, and where the one ends that ends first.
fn first_end(pattern: &str, pieces: &[Vec<u8>]) -> Option<(usize, usize)> {
    let model = model(pattern, MatchKind::LeftmostFirst);
    let mut cache = model.create_cache();
    (0..pieces.len()).find_map(|piece| {
        let so_far = pieces[..=piece].concat();
        let found = model.find(&mut cache, Input::new(&so_far).earliest(true))?;
        Some((piece, found.end()))
    })
}

fn scan(pattern: Pattern, pieces: &[Vec<u8>]) -> Option<(usize, usize)> {
    let mut scanner = Scanner::new(Arc::new(pattern));
    let mut before = 0;
    for (piece, bytes) in pieces.iter().enumerate() {
        let mut left = &bytes[..];
        while !left.is_empty() {
            // One state at a time: it must not matter.
            let mut go = Go { bytes: 5, effort: 1 };
            match scanner.feed(left, &mut go) {
                Fed::Match(at) => return Some((piece, before + at)),
                Fed::Taken(taken) => {
                    before += taken;
                    left = &left[taken..];
                }
            }
        }
        if scanner.matches_at_end() {
            return Some((piece, before));
        }
    }
    None
}

fn refusal(text: &str, processes: usize) -> String {
    Pattern::new(text, processes).unwrap_err().to_string()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn a_match_is_found_where_the_first_one_ends_however_it_is_split(pattern in patterns(), pieces in pieces()) {
        let found = scan(Pattern::new(&pattern, 1).unwrap(), &pieces);
        prop_assert_eq!(found, first_end(&pattern, &pieces));
    }

    #[test]
    fn so_it_is_when_the_states_do_not_fit_their_memory(pattern in patterns(), pieces in pieces()) {
        let Automaton { memory, roomy, .. } = Pattern::new(&pattern, 1).unwrap().forward;
        let least = memory - roomy;
        let small = Pattern::new(&pattern, PATTERN_MEMORY_BYTES / (2 * least + 1)).unwrap();
        prop_assert_eq!(scan(small, &pieces), first_end(&pattern, &pieces));
    }
}

#[test]
fn what_costs_too_much_is_refused() {
    assert_eq!(
        refusal(&"a".repeat(MAX_PATTERN_BYTES + 1), 1),
        "the pattern has 4097 bytes, more than 4096"
    );
    assert!(Pattern::new(&"a".repeat(1000), 1).is_ok());
    for none in ["(", "a{2", "[z-a]", r"\p{Greek", "(?<"] {
        assert_eq!(
            refusal(none, 1),
            "the pattern is no regular expression of ours",
            "{none}"
        );
    }
    let nested = |levels| format!("a{}", "+".repeat(levels));
    assert!(Pattern::new(&nested(64), 1).is_ok());
    assert_eq!(
        refusal(&nested(65), 1),
        "the pattern is no regular expression of ours"
    );
    for large in [".{10000}", "(((a{100}){100}){100}){100}", r"(?u)\bü"] {
        assert_eq!(refusal(large, 1), "the pattern cannot be looked for", "{large}");
    }
    let many = "[a-z]{500}";
    assert!(Pattern::new(many, 1).is_ok());
    assert_eq!(
        refusal(many, 4096),
        "the pattern takes too much memory with 4096 processes"
    );
    for usual in [
        r"password: $",
        r"(?i)\berror\b.*\n",
        r"(?m)^\d+ passed; \d+ failed$",
        r"[$#>] $",
    ] {
        assert!(Pattern::new(usual, 4096).is_ok(), "{usual}");
    }
}

#[test]
fn states_that_outgrow_their_memory_change_nothing() {
    // Which of the last bytes were an `a` takes a state for each set of them.
    let pattern = Pattern::new("a.{40}b{3}", 2000).unwrap();
    let mut bytes: Vec<u8> = (0..200_000_u32)
        .map(|at| {
            if (at.wrapping_mul(at) >> 7).is_multiple_of(3) {
                b'a'
            } else {
                b'-'
            }
        })
        .collect();
    bytes.push(b'a');
    bytes.extend([b'-'; 40]);
    bytes.extend(b"bbb");
    let mut scanner = Scanner::new(Arc::new(pattern));
    for piece in bytes.chunks(1000) {
        let mut go = Go {
            bytes: piece.len(),
            effort: usize::MAX,
        };
        assert_eq!(scanner.feed(piece, &mut go), Fed::Taken(piece.len()));
        assert_eq!(scanner.matches_at_end(), piece.ends_with(b"bbb"));
    }
    assert!(scanner.cache.clear_count() > 0, "it has never been full");
    assert!(scanner.cache.memory_usage() <= scanner.pattern.memory());
}
