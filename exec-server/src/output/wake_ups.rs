//! Every order in which the parties around a ring can come to its locks, tried by loom: whoever waits is woken.
//!
//! A lost wake-up shows as a deadlock, which loom reports with the order that leads to it.

use std::sync::Arc;
use std::time::Duration;

use exec_protocol::envelope::Style;
use exec_protocol::initialize::Notifications;
use exec_protocol::process::{ClosedNotice, OnSlowClient, Stream};
use exec_protocol::{Notice as _, ProcessId, Seq};
use loom::future::block_on;
use loom::thread;
use pty_utils::Read;

use super::*;
use crate::rpc::{Due, Pace};

/// More than the smallest ring holds.
const TOO_MUCH: usize = 24 << 10;

fn log(on_slow_client: OnSlowClient) -> Arc<OutputLog> {
    let id = ProcessId::new("p").unwrap();
    Arc::new(OutputLog::new(&id, MIN_CAPACITY, Some(on_slow_client)))
}

fn outbox(log: &OutputLog, notifications: Notifications) -> Arc<Outbox> {
    let outbox = Arc::new(Outbox::default());
    outbox.learn_style(Style::Bare);
    log.subscribe(Arc::clone(&outbox), notifications);
    outbox
}

fn push(log: &Arc<OutputLog>, bytes: usize) {
    log.push_read(Stream::Stdout, bytes, |_| Ok(Read::Bytes(bytes)))
        .unwrap();
}

/// Writes until it was told of the close.
fn write_to_the_end(outbox: &Arc<Outbox>) {
    let mut batch = Batch::default();
    loop {
        match outbox.fill(&mut batch, Pace::Free) {
            Due::Write if is_told_of_the_close(batch.lines()) => return,
            Due::Write => {}
            Due::Nothing => block_on(outbox.due()),
            Due::Close(reason) => panic!("{reason:?}"),
        }
    }
}

fn is_told_of_the_close(lines: &[u8]) -> bool {
    String::from_utf8_lossy(lines).contains(ClosedNotice::NAME)
}

fn wait_for(log: &OutputLog, after_seq: u64) {
    let request = ReadRequest {
        after_seq: Some(Seq(after_seq)),
        after_offset: None,
        max_bytes: 1,
        wait: Duration::ZERO,
        is_peek: true,
        is_own: true,
    };
    let is_due = |state: &mut State| state.is_due(request).then_some(());
    block_on(wait_until(&log.state, State::reader_list, is_due));
}

#[test]
fn a_long_poll_hears_of_output_of_the_exit_and_of_the_close() {
    loom::model(|| {
        let log = log(OnSlowClient::Skip);
        let reader = thread::spawn({
            let log = Arc::clone(&log);
            move || {
                wait_for(&log, 0);
                wait_for(&log, 1);
                wait_for(&log, 2);
            }
        });
        push(&log, 1);
        log.push_exit(ExitFacts::by_itself(0));
        log.push_closed(CloseFacts::default());
        reader.join().unwrap();
    });
}

#[test]
fn two_long_polls_do_not_hide_each_other() {
    loom::model(|| {
        let log = log(OnSlowClient::Skip);
        let readers = [0, 0].map(|after| {
            let log = Arc::clone(&log);
            thread::spawn(move || wait_for(&log, after))
        });
        push(&log, 1);
        for reader in readers {
            reader.join().unwrap();
        }
    });
}

#[test]
fn the_writer_hears_of_everything_whenever_it_looks() {
    for notifications in [Notifications::All, Notifications::Lifecycle] {
        loom::model(move || {
            let log = log(OnSlowClient::Block);
            let outbox = outbox(&log, notifications);
            let writer = thread::spawn(move || write_to_the_end(&outbox));
            match notifications {
                Notifications::All => push(&log, 1),
                Notifications::Lifecycle | Notifications::None => log.push_exit(ExitFacts::by_itself(0)),
            }
            log.push_closed(CloseFacts::default());
            writer.join().unwrap();
        });
    }
}

#[test]
fn two_processes_do_not_hide_each_other_from_the_writer() {
    loom::model(|| {
        let logs = [log(OnSlowClient::Block), log(OnSlowClient::Block)];
        let outbox = outbox(&logs[0], Notifications::All);
        logs[1].subscribe(Arc::clone(&outbox), Notifications::All);
        let owner = thread::spawn({
            let log = Arc::clone(&logs[0]);
            move || push(&log, 1)
        });
        let writer = thread::spawn(move || {
            let mut batch = Batch::default();
            let mut told = 0;
            while told < 2 {
                match outbox.fill(&mut batch, Pace::Free) {
                    Due::Write => told += batch.messages().count(),
                    Due::Nothing => block_on(outbox.due()),
                    Due::Close(reason) => panic!("{reason:?}"),
                }
            }
        });
        push(&logs[1], 1);
        owner.join().unwrap();
        writer.join().unwrap();
    });
}

#[test]
fn a_blocked_owner_hears_that_there_is_room() {
    type Relief = fn(&Arc<OutputLog>, &Arc<Outbox>);
    let reliefs: [(Notifications, Relief); 4] = [
        // The client was sent it; it has acknowledged it; it has read beyond it; it is gone.
        (Notifications::All, |_, outbox| {
            while let Due::Write = outbox.fill(&mut Batch::default(), Pace::Free) {}
        }),
        (Notifications::All, |log, outbox| {
            log.ack(Seq(0));
            while let Due::Write = outbox.fill(&mut Batch::default(), Pace::Free) {}
            log.ack(Seq(u64::MAX));
        }),
        (Notifications::None, |log, _| {
            log.take_as_read(ReadRequest {
                after_seq: None,
                after_offset: Some(TOO_MUCH as u64),
                max_bytes: 0,
                wait: Duration::ZERO,
                is_peek: false,
                is_own: true,
            });
        }),
        (Notifications::All, |log, _| log.unsubscribe()),
    ];
    for (notifications, relief) in reliefs {
        loom::model(move || {
            let log = log(OnSlowClient::Block);
            let outbox = outbox(&log, notifications);
            push(&log, TOO_MUCH);
            assert!(!log.has_room());
            let owner = thread::spawn({
                let log = Arc::clone(&log);
                move || block_on(log.room())
            });
            relief(&log, &outbox);
            owner.join().unwrap();
        });
    }
}

/// Takes all output, by another thread than that of the owner, until none will come.
fn take_all(log: &OutputLog) -> usize {
    let mut taken = 0;
    while block_on(log.has_untaken()) {
        log.take(1, |entry| taken += entry.bytes.len());
    }
    taken
}

#[test]
fn an_owner_that_is_followed_hears_that_there_is_room() {
    loom::model(|| {
        let log = log(OnSlowClient::Block);
        log.be_followed();
        push(&log, TOO_MUCH);
        assert!(!log.has_room());
        let owner = thread::spawn({
            let log = Arc::clone(&log);
            move || block_on(log.room())
        });
        log.take(TOO_MUCH, |_| {});
        owner.join().unwrap();
    });
}

#[test]
fn who_follows_hears_of_output_and_of_the_close_whenever_it_looks() {
    loom::model(|| {
        let log = log(OnSlowClient::Block);
        log.be_followed();
        let follower = thread::spawn({
            let log = Arc::clone(&log);
            move || assert_eq!(take_all(&log), 1)
        });
        push(&log, 1);
        log.push_closed(CloseFacts::default());
        block_on(log.all_taken());
        follower.join().unwrap();
    });
}

#[test]
fn whoever_waits_for_a_process_hears_that_it_was_given_up() {
    loom::model(|| {
        let log = log(OnSlowClient::Skip);
        let owner = thread::spawn({
            let log = Arc::clone(&log);
            move || block_on(log.discarded())
        });
        let reader = thread::spawn({
            let log = Arc::clone(&log);
            move || wait_for(&log, 0)
        });
        log.discard();
        owner.join().unwrap();
        reader.join().unwrap();
    });
}

#[test]
fn whoever_waits_for_a_pattern_hears_of_it_of_the_close_and_of_the_end_of_the_process() {
    type End = fn(&Arc<OutputLog>);
    let ends: [End; 3] = [
        |log| push(log, 1),
        |log| log.push_closed(CloseFacts::default()),
        |log| log.discard(),
    ];
    for end in ends {
        // Loom's threads have small stacks.
        let condition = Condition::Pattern(Arc::new(Pattern::new(r"\x00", 1).unwrap()), None);
        loom::model(move || {
            let log = log(OnSlowClient::Skip);
            let mut watch = log.watch(&condition, None, 0).unwrap();
            let waiter = thread::spawn(move || {
                block_on(watch.outcome());
            });
            end(&log);
            waiter.join().unwrap();
        });
    }
}

#[test]
fn a_wait_for_an_exit_hears_of_it_among_output() {
    loom::model(|| {
        let log = log(OnSlowClient::Skip);
        let mut watch = log.watch(&Condition::Exited, None, 0).unwrap();
        let waiter = thread::spawn(move || {
            assert!(matches!(block_on(watch.outcome()), Outcome::Fired { .. }));
        });
        push(&log, 1);
        log.push_exit(ExitFacts::by_itself(0));
        waiter.join().unwrap();
    });
}
