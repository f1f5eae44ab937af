//! A client that stops reading, and what that does to the server and to another client.

use std::thread;
use std::time::Duration;

use super::echo::Typist;
use crate::client::{Client, Failure, Notifications, Start, Streams};
use crate::clock;
use crate::event::Event;
use crate::figure::{Better, Figure, Metric, Record, Run};
use crate::server::Server;
use crate::stats::float;
use crate::tally::Tally;
use crate::wire::Wire;

const GROWTH: Metric = Metric {
    name: "growth",
    unit: "MiB",
    better: Better::Less,
};

/// The process that floods.
const FLOODER: u32 = 2;

/// From one look at the memory to the next.
const LOOK: Duration = Duration::from_millis(20);

/// What is read afterwards, to see whether anything is missing. More than any buffer holds that a server
/// should have.
const CATCH_UP_BYTES: u64 = 32 << 20;

/// A server that takes more than this has been understood; the machine is not to be brought down.
const ENOUGH_BYTES: u64 = 4 << 30;

/// See the module.
pub(crate) const SLOW_READER: Figure = Figure {
    name: "slow-reader",
    about: "a connection does not read while its `yes` floods: the server's private memory at its most, less that \
            before; on a websocket p50 and p99 of echo-pty on another connection meanwhile",
    server,
    floors: &[],
    most_runs: 3,
};

fn server(run: &Run<'_>, record: &mut Record) -> Result<(), Failure> {
    let (mut server, mut slow) = run.connect(Notifications::All)?;
    // The first process and the first echo make a server allocate what it then keeps.
    let mut warm = Typist::start(&mut slow, Streams::Terminal)?;
    let mut other = match run.wire {
        Wire::Stdio => None,
        Wire::Websocket => {
            let mut client = server.client(Notifications::All)?;
            let typist = Typist::start(&mut client, Streams::Terminal)?;
            Some((client, typist))
        }
    };
    warm.round(&mut slow)?;
    let before = server.private_bytes()?;
    let id = slow.requests.start(
        FLOODER,
        Start {
            argv: &["/usr/bin/yes"],
            streams: Streams::Pipes,
        },
    )?;
    let most = wait(run, &server)?;
    record.add(GROWTH, float(most.saturating_sub(before)) / float(1 << 20));
    if let Some((client, typist)) = &mut other {
        // Only now: what the other process says is kept as well, and is no growth by the slow one.
        let delays = typist.type_until(client, u32::MAX, run.sizes.slow_ns / 2)?;
        record.add_delays(delays);
        record.check(typist.tally(), typist.expected());
    }
    catch_up(&mut slow, id, record)
}

/// Waits without reading; returns the most memory that was seen.
fn wait(run: &Run<'_>, server: &Server) -> Result<u64, Failure> {
    let mut most = 0;
    let start_ns = clock::now_ns();
    while clock::since(start_ns) < run.sizes.slow_ns / 2 && most < ENOUGH_BYTES {
        thread::sleep(LOOK);
        most = most.max(server.private_bytes()?);
    }
    Ok(most)
}

/// Reads again, and looks for holes.
fn catch_up(slow: &mut Client, start: u64, record: &mut Record) -> Result<(), Failure> {
    let mut tally = Tally::default();
    while tally.bytes() < CATCH_UP_BYTES {
        match slow.next()? {
            Event::Output {
                process: FLOODER,
                seq,
                chunk,
            } => {
                tally.output(seq, chunk)?;
            }
            Event::Refused { id, .. } if id == start => return Err(Failure::Wrong("no `yes`".to_owned())),
            event => event.refusal()?,
        }
    }
    record.check_order(&tally);
    Ok(())
}
