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
    fn an_exit_comes_once_before_the_close_and_asked_ends_have_one_reason(
        events in prop::collection::vec((event(), 0..1500_u64), 0..40),
        timeout in prop::option::of(1..4_u64),
        drain_grace in prop::option::of(0..4_u64),
    ) {
        let (mut life, mut now) = spawned(Terms {
            timeout: timeout.map(Duration::from_secs),
            drain_grace: drain_grace.map(Duration::from_secs),
            ..PLAIN
        });
        let (mut exited, mut closed, mut politely, mut asked) = (0, 0, 0, false);
        for (event, millis) in events {
            now += Duration::from_millis(millis);
            let was_closed = life.is_closed();
            let effect = life.step(now, event);
            prop_assert!(!was_closed || effect == Effect::Nothing);
            match effect {
                Effect::PublishExit(reason) => {
                    exited += 1;
                    prop_assert_eq!(reason.is_some(), asked);
                }
                Effect::Close(_) => closed += 1,
                Effect::SignalPolitely => politely += 1,
                Effect::Nothing | Effect::Kill => {}
            }
            asked |= life.is_to_end();
            prop_assert!(exited <= 1 && closed <= exited && politely <= 1);
            prop_assert_eq!(life.is_closed(), closed == 1);
        }
    }

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
