use std::time::Duration;

use proptest::prelude::*;

use super::*;

const SOURCE: Source = Source::V4(Ipv4Addr::LOCALHOST);

fn address(text: &str) -> Source {
    Source::from(text.parse::<IpAddr>().unwrap())
}

#[test]
fn ten_are_answered_at_once_and_then_one_a_second() {
    let mut failures = Failures::default();
    let start = Instant::now();
    for _ in 0..REFUSALS_AT_ONCE {
        assert_eq!(failures.failed(SOURCE, start), Told::Answer);
    }
    for _ in 0..1000 {
        assert_eq!(failures.failed(SOURCE, start), Told::HangUp);
    }
    let later = start + BETWEEN_REFUSALS;
    assert_eq!(failures.failed(SOURCE, later), Told::Answer);
    assert_eq!(failures.failed(SOURCE, later), Told::HangUp);
    assert_eq!(failures.failed(Source::Unix, later), Told::Answer);
}

#[test]
fn a_network_of_version_six_is_one_source() {
    assert_eq!(
        address("2001:db8:1:2::1"),
        address("2001:db8:1:2:ffff:ffff:ffff:ffff")
    );
    assert_ne!(address("2001:db8:1:2::1"), address("2001:db8:1:3::1"));
    assert_eq!(address("::ffff:10.0.0.1"), address("10.0.0.1"));
    assert_ne!(address("10.0.0.2"), address("10.0.0.1"));
}

#[test]
fn a_full_table_forgets_whoever_recovers_first() {
    let mut failures = Failures::default();
    let now = Instant::now();
    let source = |number: usize| Source::V6(number as u64);
    for number in 0..MAX_REFUSED_SOURCES {
        // All but one are refused twice.
        failures.failed(source(number), now);
        if number != 7 {
            failures.failed(source(number), now);
        }
    }
    failures.failed(source(MAX_REFUSED_SOURCES), now);
    assert_eq!(failures.recovered.len(), MAX_REFUSED_SOURCES);
    assert!(!failures.recovered.contains_key(&source(7)));
}

/// What the table has to come to: for each source how many answers it has left, as a bucket that fills by the second.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    answers: f64,
    at: Instant,
}

impl Bucket {
    fn failed(&mut self, now: Instant) -> Told {
        let filled = (now - self.at).as_secs_f64() / BETWEEN_REFUSALS.as_secs_f64();
        self.answers = (self.answers + filled).min(f64::from(REFUSALS_AT_ONCE));
        self.at = now;
        // The sum of fractions may miss a whole number by a little.
        if self.answers < 1.0 - 1e-6 {
            return Told::HangUp;
        }
        self.answers -= 1.0;
        Told::Answer
    }
}

proptest! {
    #[test]
    fn each_source_has_a_bucket_of_its_own(steps in prop::collection::vec((0u64..4, 0u64..2500), 1..300)) {
        let mut failures = Failures::default();
        let start = Instant::now();
        let full = Bucket { answers: f64::from(REFUSALS_AT_ONCE), at: start };
        let mut model = [full; 4];
        let mut now = start;
        for (source, wait) in steps {
            // Waits of seconds are rare, so that buckets get empty.
            now += Duration::from_millis(if wait > 2000 { wait } else { wait / 100 });
            let bucket = &mut model[usize::try_from(source).unwrap()];
            prop_assert_eq!(failures.failed(Source::V6(source), now), bucket.failed(now));
        }
    }
}

proptest! {
    // Each case fills the whole table.
    #![proptest_config(ProptestConfig::with_cases(4))]

    #[test]
    fn the_table_is_bounded_and_nobody_new_is_hung_up_on(sources in prop::collection::vec(0u64..3000, 1500..3000)) {
        let mut failures = Failures::default();
        let now = Instant::now();
        let mut seen = std::collections::HashSet::new();
        for source in sources {
            let told = failures.failed(Source::V6(source), now);
            let is_new = seen.insert(source);
            prop_assert!(told == Told::Answer || !is_new);
            prop_assert!(failures.recovered.len() <= MAX_REFUSED_SOURCES);
        }
    }
}
