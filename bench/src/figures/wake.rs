//! How soon a waiting `process/read` is answered.

use super::echo::{self, CAT, X};
use crate::client::{Client, Failure, Notifications, Start, Streams};
use crate::clock;
use crate::event::{self, Event};
use crate::figure::{Figure, Floor, FloorReach, Record, Run};
use crate::stats::Delays;

/// How long the read may wait: a server that does not take the write before it has answered the read shows as
/// this.
const WAIT_MS: u32 = 1000;

/// See the module.
pub(crate) const WAKE: Figure = Figure {
    name: "wake",
    about: "a process/read waits; a byte by process/write to cat on pipes, until the read's answer has it; 1,000,000 \
            µs means that the write had to wait for the read",
    server,
    floors: &[Floor {
        name: "bare pipe echo",
        reach: FloorReach::Machine,
        measure: echo::bare_pipes,
    }],
    most_runs: u32::MAX,
};

fn server(run: &Run<'_>, record: &mut Record) -> Result<(), Failure> {
    let (_server, mut client) = run.connect(Notifications::None)?;
    let start = Start {
        argv: CAT,
        streams: Streams::PipedStdin,
    };
    let id = client.requests.start(1, start)?;
    client.answer(id)?;
    let mut cursor = 0;
    let mut delays = Delays::default();
    // The first one waits for cat to start.
    one(&mut client, &mut cursor)?;
    let start_ns = clock::now_ns();
    for _ in 0..run.sizes.echoes {
        delays.push(one(&mut client, &mut cursor)?);
        if clock::since(start_ns) > run.sizes.loop_ns {
            break;
        }
    }
    record.add_delays(delays);
    Ok(())
}

fn one(client: &mut Client, cursor: &mut u64) -> Result<u64, Failure> {
    let mut read = client.requests.read(1, *cursor, WAIT_MS)?;
    let start_ns = clock::now_ns();
    let write = client.requests.write(1, X)?;
    let (mut delay_ns, mut is_written) = (None, false);
    loop {
        let answered = match client.next()? {
            Event::Answer { id, message } if id == read => Some(contents(message)?),
            Event::Answer { id, .. } if id == write => {
                is_written = true;
                None
            }
            event => {
                event.refusal()?;
                None
            }
        };
        match answered {
            Some((next_seq, true)) => {
                *cursor = next_seq.saturating_sub(1);
                delay_ns = Some(clock::since(start_ns));
            }
            Some((_, false)) => read = client.requests.read(1, *cursor, WAIT_MS)?,
            None => {}
        }
        if let (Some(delay_ns), true) = (delay_ns, is_written) {
            return Ok(delay_ns);
        }
    }
}

/// `nextSeq`, and whether there is a chunk.
fn contents(message: &[u8]) -> Result<(u64, bool), Failure> {
    let after = |name: &[u8]| {
        let found = memchr::memmem::find(message, name).map(|found| &message[found + name.len()..]);
        found.ok_or_else(|| Failure::Wrong("the answer to a read lacks a member".to_owned()))
    };
    let (next_seq, _) = event::number(after(b"\"nextSeq\":")?).unwrap_or((0, b""));
    Ok((next_seq, !after(b"\"chunks\":[")?.starts_with(b"]")))
}
