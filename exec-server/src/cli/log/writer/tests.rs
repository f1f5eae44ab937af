use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use super::*;
use crate::limits::{LOG_BURST, LOG_QUEUE_BYTES};

/// How long anything may take that happens at once.
const PATIENCE: Duration = Duration::from_secs(10);

/// Takes what is written when somebody lets it.
struct Gate {
    /// What each write comes to.
    outcomes: Receiver<io::Result<usize>>,
    written: SyncSender<String>,
}

impl Write for Gate {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.outcomes.recv().map_err(io::Error::other)??.min(bytes.len());
        let text = String::from_utf8_lossy(&bytes[..taken]).into_owned();
        self.written.send(text).map_err(io::Error::other)?;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Rig {
    writer: Arc<Writer>,
    outcomes: SyncSender<io::Result<usize>>,
    written: Receiver<String>,
}

impl Rig {
    fn new() -> Self {
        let (tell_outcome, outcomes) = sync_channel(100);
        let (written, read) = sync_channel(100);
        Self {
            writer: Writer::start(Format::Text, Gate { outcomes, written }).unwrap(),
            outcomes: tell_outcome,
            written: read,
        }
    }

    fn say(&self, text: &str) {
        self.writer.take_line(format!("{text}\n"));
    }

    fn allow(&self, outcome: io::Result<usize>) {
        self.outcomes.send(outcome).unwrap();
    }

    fn next(&self) -> String {
        self.allow(Ok(usize::MAX));
        self.written.recv_timeout(PATIENCE).unwrap()
    }
}

#[test]
fn whoever_logs_is_not_held_up_and_hears_later_how_much_was_lost() {
    let rig = Rig::new();
    let line = "x".repeat(999);
    let held = LOG_QUEUE_BYTES / 1000;
    // The first is with the writer, or not yet.
    for _ in 0..held + 10 {
        rig.say(&line);
    }
    let lost = loop {
        let line = rig.next();
        if let Some((_, lost)) = line.split_once("lost=") {
            break lost.trim_end().parse::<usize>().unwrap();
        }
    };
    assert!((9..=10).contains(&lost), "{lost} lost");
    rig.say("after that");
    assert_eq!(rig.next(), "after that\n");
}

#[test]
fn a_line_that_was_torn_is_not_continued_by_the_next() {
    let rig = Rig::new();
    rig.say("first");
    rig.allow(Ok(3));
    assert_eq!(rig.written.recv_timeout(PATIENCE).unwrap(), "fir");
    rig.allow(Err(ErrorKind::StorageFull.into()));
    rig.say("second");
    assert_eq!(rig.next(), "\nsecond\n");
    assert!(rig.next().ends_with("lines of this log were lost lost=1\n"));
}

#[test]
fn the_end_waits_for_what_is_left_but_not_for_ever() {
    let rig = Rig::new();
    rig.say("first");
    // Nobody lets it be written.
    rig.writer.flush();
    assert_eq!(rig.next(), "first\n");
    rig.say("second");
    rig.allow(Ok(usize::MAX));
    rig.writer.flush();
    assert_eq!(rig.written.try_recv().unwrap(), "second\n");
}

#[test]
fn a_flood_from_one_place_is_told_by_a_count() {
    const TIMES: u64 = 10_000;
    let rig = Rig::new();
    let subscriber = tracing_subscriber::layer::SubscriberExt::with(
        tracing_subscriber::registry(),
        super::super::Lines(Arc::clone(&rig.writer)),
    );
    tracing::subscriber::with_default(subscriber, || {
        for at in 0..TIMES {
            tracing::warn!(at, "it is so");
        }
    });
    let (mut lines, mut left_out) = (0, 0);
    while lines + left_out < TIMES {
        let line = rig.next();
        lines += u64::from(!line.contains("more of these were left out: "));
        if let Some((_, count)) = line.split_once("left_out=") {
            left_out += count.trim_end().parse::<u64>().unwrap();
        }
    }
    assert_eq!(lines + left_out, TIMES);
    // One more each second, and this takes less than a second.
    assert!(lines <= u64::from(LOG_BURST) + 10, "{lines} lines");
}
