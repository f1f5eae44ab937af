//! What a process costs that does nothing.

use std::thread;
use std::time::Duration;

use super::echo::CAT;
use crate::client::{Failure, Notifications, Start, Streams};
use crate::event::Event;
use crate::figure::{Better, Figure, Metric, Record, Run};
use crate::stats::float;

const MEMORY: Metric = Metric {
    name: "private memory",
    unit: "KiB",
    better: Better::Less,
};

/// Starts that are under way at a time.
const IN_FLIGHT: u32 = 32;

/// After the last start, for what a server still does then.
const SETTLE: Duration = Duration::from_millis(300);

/// The first processes make a server allocate what it then keeps.
const WARM_UP: u32 = 10;

/// See the module.
pub(crate) const IDLE: Figure = Figure {
    name: "idle",
    about: "the server's private memory for each of many `cat` with a pipe for stdin that nobody writes to",
    server,
    floors: &[],
    most_runs: 3,
};

fn server(run: &Run<'_>, record: &mut Record) -> Result<(), Failure> {
    let (server, mut client) = run.connect(Notifications::All)?;
    let mut answered = 0;
    let mut sent = 0;
    let mut before = 0;
    let all = WARM_UP + run.sizes.idle;
    while answered < all {
        let goal = if before == 0 { WARM_UP } else { all };
        while sent < goal && sent - answered < IN_FLIGHT {
            client.requests.start(
                sent,
                Start {
                    argv: CAT,
                    streams: Streams::PipedStdin,
                },
            )?;
            sent += 1;
        }
        match client.next()? {
            Event::Answer { .. } => answered += 1,
            event => event.refusal()?,
        }
        if answered == WARM_UP {
            thread::sleep(SETTLE);
            before = server.private_bytes()?.max(1);
        }
    }
    thread::sleep(SETTLE);
    let grown = server.private_bytes()?.saturating_sub(before);
    record.add(MEMORY, float(grown) / 1024.0 / float(u64::from(run.sizes.idle)));
    Ok(())
}
