use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::limits::KILLED_DRAIN;

const GRACE: Duration = Duration::from_secs(2);

const PLAIN: Terms = Terms {
    grace: GRACE,
    timeout: None,
    idle_timeout: None,
    drain_grace: None,
};

const TICK: Event = Event::Tick { quiet_since: None };

fn stop(is_final: bool) -> Event {
    stop_within(GRACE, is_final)
}

fn stop_within(grace: Duration, is_final: bool) -> Event {
    Event::Stop {
        reason: EndReason::Terminated,
        grace,
        is_final,
    }
}

fn spawned(terms: Terms) -> (Lifecycle, Instant) {
    let now = Instant::now();
    (Lifecycle::spawned(terms, now), now)
}

#[test]
fn a_process_that_ignores_the_polite_signal_is_killed_once() {
    let (mut life, start) = spawned(PLAIN);
    assert_eq!(life.step(start, stop(false)), Effect::SignalPolitely);
    assert_eq!(life.step(start + GRACE / 2, TICK), Effect::Nothing);
    let due = life.deadline().unwrap();
    assert_eq!(due, start + GRACE);
    assert_eq!(life.step(due, TICK), Effect::Kill);
    assert_eq!(life.step(due, TICK), Effect::Nothing);
    let exit = Effect::PublishExit(Some(EndReason::Terminated));
    assert_eq!(life.step(due, Event::LeaderExited), exit);
    assert_eq!(life.step(due, Event::OutputEnded), Effect::Nothing);
    assert_eq!(life.step(due, Event::Emptied), Effect::Close(Close::Complete));
}

#[test]
fn a_second_wish_only_brings_the_kill_forward() {
    let (mut life, start) = spawned(PLAIN);
    let _ = life.step(start, stop(false));
    assert_eq!(life.step(start + GRACE / 2, stop(false)), Effect::Nothing);
    assert_eq!(life.deadline(), Some(start + GRACE));
    let at_once = stop_within(Duration::ZERO, false);
    assert_eq!(life.step(start + GRACE / 2, at_once), Effect::Kill);
}

#[test]
fn without_a_wish_nobody_else_is_waited_for() {
    let (mut life, start) = spawned(PLAIN);
    assert_eq!(life.step(start, Event::LeaderExited), Effect::PublishExit(None));
    assert!(!life.awaits_emptiness());
    assert_eq!(
        life.step(start, Event::OutputEnded),
        Effect::Close(Close::Complete)
    );
}

#[test]
fn a_wish_after_the_exit_is_not_its_reason_and_ends_who_is_left() {
    let (mut life, start) = spawned(PLAIN);
    assert_eq!(life.step(start, Event::LeaderExited), Effect::PublishExit(None));
    assert_eq!(life.step(start, stop(false)), Effect::SignalPolitely);
    assert_eq!(life.step(start, Event::OutputEnded), Effect::Nothing);
    assert!(life.awaits_emptiness());
    assert_eq!(life.step(start + GRACE, TICK), Effect::Kill);
    assert_eq!(
        life.step(start + GRACE, Event::Emptied),
        Effect::Close(Close::Complete)
    );
}

#[test]
fn who_survives_the_kill_is_given_up_but_not_the_output_unless_nobody_will_read_it() {
    for is_final in [false, true] {
        let (mut life, start) = spawned(PLAIN);
        assert_eq!(
            life.step(start, stop_within(Duration::ZERO, is_final)),
            Effect::Kill
        );
        let _ = life.step(start, Event::LeaderExited);
        let later = life.step(start + KILLED_DRAIN, TICK);
        if is_final {
            assert_eq!(later, Effect::Close(Close::GivenUp));
        } else {
            assert_eq!((later, life.deadline()), (Effect::Nothing, None));
            let ended = life.step(start + KILLED_DRAIN, Event::OutputEnded);
            assert_eq!(ended, Effect::Close(Close::Complete));
        }
    }
}

#[test]
fn the_timeout_ends_the_process_and_is_its_reason() {
    let timeout = Duration::from_secs(5);
    let (mut life, start) = spawned(Terms {
        timeout: Some(timeout),
        ..PLAIN
    });
    assert_eq!(life.deadline(), Some(start + timeout));
    assert_eq!(life.step(start + timeout, TICK), Effect::SignalPolitely);
    let exit = Effect::PublishExit(Some(EndReason::Timeout));
    assert_eq!(life.step(start + timeout, stop(false)), Effect::Nothing);
    assert_eq!(life.step(start + timeout, Event::LeaderExited), exit);
}

#[test]
fn silence_counts_from_the_last_output_and_only_while_it_is_read() {
    let idle = Duration::from_secs(5);
    let (mut life, start) = spawned(Terms {
        idle_timeout: Some(idle),
        ..PLAIN
    });
    let said = start + Duration::from_secs(3);
    let tick = |quiet_since| Event::Tick { quiet_since };
    assert_eq!(life.step(start + idle, tick(Some(said))), Effect::Nothing);
    assert_eq!(life.deadline(), Some(said + idle));
    assert_eq!(life.step(said + idle, tick(None)), Effect::Nothing);
    let due = said + 2 * idle;
    assert_eq!(life.deadline(), Some(due));
    assert_eq!(life.step(due, tick(Some(said + idle))), Effect::SignalPolitely);
    let exit = Effect::PublishExit(Some(EndReason::IdleTimeout));
    assert_eq!(life.step(due, Event::LeaderExited), exit);
}

#[test]
fn output_is_given_up_when_the_time_to_drain_is_over() {
    let drain = Duration::from_secs(1);
    let (mut life, start) = spawned(Terms {
        drain_grace: Some(drain),
        ..PLAIN
    });
    assert_eq!(life.step(start, Event::LeaderExited), Effect::PublishExit(None));
    assert_eq!(life.deadline(), Some(start + drain));
    assert_eq!(life.step(start + drain, TICK), Effect::Close(Close::GivenUp));
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        (0..3_u64, any::<bool>())
            .prop_map(|(secs, is_final)| stop_within(Duration::from_secs(secs), is_final)),
        Just(Event::LeaderExited),
        Just(Event::OutputEnded),
        Just(Event::Emptied),
        Just(TICK),
    ]
}

proptest! {
    #[test]
    fn whoever_ticks_at_each_deadline_sees_an_asked_process_closed(
        grace in 0..3_u64,
        is_final in any::<bool>(),
        holds_output in any::<bool>(),
    ) {
        let (mut life, mut now) = spawned(PLAIN);
        let mut effect = life.step(now, stop_within(Duration::from_secs(grace), is_final));
        let mut ticks = 0;
        while effect != Effect::Kill {
            now = life.deadline().expect("it is not killed yet");
            effect = life.step(now, TICK);
            ticks += 1;
            prop_assert!(ticks < 5);
        }
        let _ = life.step(now, Event::LeaderExited);
        if !holds_output {
            let _ = life.step(now, Event::OutputEnded);
        }
        while let Some(at) = life.deadline() {
            prop_assert!(at >= now);
            now = at;
            let _ = life.step(now, TICK);
            ticks += 1;
            prop_assert!(ticks < 10);
        }
        prop_assert_eq!(life.is_closed(), is_final || !holds_output);
    }
}

/// What of a life can be said without looking into it.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "a model is to be plain, and each is a fact of its own"
)]
struct Model {
    terms: Terms,
    start: Instant,
    /// The first wish, or the limit of time that was reached; what came before the exit is its reason.
    wish: Option<EndReason>,
    /// When the kill is due, as soon as somebody wants the end; the earliest of all wishes.
    kill_by: Option<Instant>,
    is_killed: bool,
    is_final: bool,
    exited_at: Option<Instant>,
    output_ended: bool,
    /// Nobody is left, and that was found out after somebody wanted it.
    is_empty: bool,
    is_closed: bool,
}

impl Model {
    fn new(terms: Terms, start: Instant) -> Self {
        Self {
            terms,
            start,
            wish: None,
            kill_by: None,
            is_killed: false,
            is_final: false,
            exited_at: None,
            output_ended: false,
            is_empty: false,
            is_closed: false,
        }
    }

    /// Takes in an event, and checks that this can be its effect.
    fn check(&mut self, now: Instant, event: Event, effect: Effect) {
        if self.is_closed {
            assert_eq!(effect, Effect::Nothing, "behind the close");
            return;
        }
        let had_wish = self.wish.is_some();
        match event {
            Event::Stop {
                reason,
                grace,
                is_final,
            } => self.want(now, reason, grace, is_final),
            Event::Tick { .. } if self.is_timed_out(now) => {
                self.want(now, EndReason::Timeout, self.terms.grace, false);
            }
            Event::OutputEnded => self.output_ended = true,
            Event::Emptied => self.is_empty |= self.wish.is_some(),
            Event::LeaderExited | Event::Tick { .. } => {}
        }
        match effect {
            Effect::SignalPolitely => {
                assert!(!had_wish && self.wish.is_some(), "asked for no reason, or again");
            }
            Effect::Kill => {
                assert!(!self.is_killed, "killed twice");
                assert!(self.kill_by.is_some_and(|by| by <= now), "killed before its time");
                self.is_killed = true;
            }
            Effect::PublishExit(reason) => {
                assert_eq!(event, Event::LeaderExited);
                assert_eq!(self.exited_at, None, "exited twice");
                assert_eq!(reason, self.wish, "the first wish before the exit is the reason");
                self.exited_at = Some(now);
            }
            Effect::Close(close) => {
                let exited_at = self.exited_at.expect("closed before the exit");
                let is_complete = close == Close::Complete;
                assert_eq!(is_complete, self.output_ended, "{close:?}");
                let is_drained = self
                    .terms
                    .drain_grace
                    .is_some_and(|grace| now >= exited_at + grace);
                assert!(
                    is_complete || is_drained || (self.is_final && self.is_killed),
                    "given up too early"
                );
                assert!(
                    self.wish.is_none() || self.is_empty || self.is_killed,
                    "somebody may be left"
                );
                self.is_closed = true;
            }
            Effect::Nothing => {
                let is_exit = event == Event::LeaderExited && self.exited_at.is_none();
                assert!(!is_exit, "an exit is not told");
                let is_over =
                    self.exited_at.is_some() && self.output_ended && (self.wish.is_none() || self.is_empty);
                let is_looked_at = matches!(event, Event::Tick { .. } | Event::OutputEnded | Event::Emptied);
                assert!(!(is_over && is_looked_at), "it should have closed");
            }
        }
    }

    fn want(&mut self, now: Instant, reason: EndReason, grace: Duration, is_final: bool) {
        self.wish.get_or_insert(reason);
        self.is_final |= is_final;
        let by = now + grace;
        self.kill_by = Some(self.kill_by.map_or(by, |earlier| earlier.min(by)));
    }

    /// A limit of time brings about nothing where somebody wants the end already.
    fn is_timed_out(&self, now: Instant) -> bool {
        let is_over = self
            .terms
            .timeout
            .is_some_and(|timeout| now >= self.start + timeout);
        is_over && self.wish.is_none()
    }
}

fn reason() -> impl Strategy<Value = EndReason> {
    prop_oneof![
        Just(EndReason::Terminated),
        Just(EndReason::Disconnected),
        Just(EndReason::ServerShutdown),
    ]
}

proptest! {
    #[test]
    fn whatever_happens_in_whatever_order_no_effect_contradicts_what_happened(
        events in prop::collection::vec((event(), reason(), 0..1500_u64), 0..40),
        timeout in prop::option::of(1..4_u64),
        drain_grace in prop::option::of(0..4_u64),
    ) {
        let terms = Terms {
            timeout: timeout.map(Duration::from_secs),
            drain_grace: drain_grace.map(Duration::from_secs),
            ..PLAIN
        };
        let (mut life, mut now) = spawned(terms);
        let mut model = Model::new(terms, now);
        for (mut event, wish, millis) in events {
            now += Duration::from_millis(millis);
            if let Event::Stop { reason, .. } = &mut event {
                *reason = wish;
            }
            let effect = life.step(now, event);
            model.check(now, event, effect);
            prop_assert_eq!(life.is_closed(), model.is_closed);
            prop_assert_eq!(life.is_to_end(), model.wish.is_some());
            if let Some(deadline) = life.deadline() {
                // Whoever waits for it does not sleep over the kill of somebody who is left.
                let is_due = model.kill_by.filter(|_| !model.is_killed && !model.is_empty);
                prop_assert!(is_due.is_none_or(|by| deadline <= by), "{deadline:?} is behind {is_due:?}");
            }
        }
    }
}
