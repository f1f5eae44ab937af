//! Input that is sent by `process/write`, many at a time.

use std::collections::{BTreeSet, VecDeque};
use std::io::Write as _;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use base64_simd::STANDARD;
use crc32fast::Hasher;

use super::bare;
use crate::client::{Client, Failure, Notifications, Start, Streams};
use crate::clock;
use crate::event::{self, Event};
use crate::figure::{CPU, Figure, Floor, FloorReach, FloorRun, RATE, Record, Run};
use crate::stats::{mib_per_second, seconds_per_gib};
use crate::tally::Tally;

/// Bytes in one write.
const CHUNK_BYTES: usize = 64 << 10;

/// Writes that are not answered yet.
const WINDOW: usize = 8;

/// Before a write is repeated that found stdin full.
const PAUSE: Duration = Duration::from_micros(200);

/// See the module.
pub(crate) const UPLOAD: Figure = Figure {
    name: "upload",
    about: "N bytes by process/write of 64 KiB, 8 in flight, to a command that reads them and tells their hash",
    server,
    floors: &[Floor {
        name: "bare",
        reach: FloorReach::Machine,
        measure: bare,
    }],
    most_runs: u32::MAX,
};

fn server(run: &Run<'_>, record: &mut Record) -> Result<(), Failure> {
    let bytes = run.sizes.input_bytes;
    let (server, mut client) = run.connect(Notifications::All)?;
    let count = bytes.to_string();
    let start = Start {
        argv: &[run.program, "child", "drain", &count],
        streams: Streams::PipedStdin,
    };
    let id = client.requests.start(1, start)?;
    client.answer(id)?;
    let chunk = chunk();
    let cpu = server.cpu()?;
    let start_ns = clock::now_ns();
    let mut upload = Upload {
        chunk: STANDARD.encode_to_string(&chunk),
        fresh: 0..chunks(bytes),
        again: BTreeSet::new(),
        in_flight: VecDeque::new(),
    };
    let told = upload.run(&mut client)?;
    let time_ns = clock::since(start_ns);
    record.add(RATE, mib_per_second(bytes, time_ns));
    record.add(CPU, seconds_per_gib(server.cpu()?.since(cpu), bytes));
    if told != hash(&chunk, bytes).to_string() {
        record
            .losses
            .push("the command has read other bytes than were written".to_owned());
    }
    Ok(())
}

struct Upload {
    chunk: String,
    fresh: std::ops::Range<usize>,
    again: BTreeSet<usize>,
    in_flight: VecDeque<(u64, usize)>,
}

impl Upload {
    /// Sends all and returns what the command says in the end.
    fn run(&mut self, client: &mut Client) -> Result<String, Failure> {
        let mut tally = Tally::default();
        let mut told = Vec::new();
        loop {
            self.send(client)?;
            match client.next()? {
                Event::Output { seq, chunk, .. } => told.extend_from_slice(tally.output(seq, chunk)?),
                Event::Answer { id, .. } => {
                    self.answered(id);
                }
                Event::Refused { id, message } if event::is_stdin_full(message) => {
                    let number = self.answered(id);
                    self.again.extend(number);
                }
                Event::Closed { .. } => return Ok(String::from_utf8_lossy(&told).into_owned()),
                event => event.refusal()?,
            }
        }
    }

    /// Fills the window. After a refusal everything behind it is refused too; nothing is sent before that is
    /// known.
    fn send(&mut self, client: &mut Client) -> Result<(), Failure> {
        if !self.again.is_empty() {
            if !self.in_flight.is_empty() {
                return Ok(());
            }
            thread::sleep(PAUSE);
        }
        while self.in_flight.len() < WINDOW {
            let Some(number) = self.again.pop_first().or_else(|| self.fresh.next()) else {
                return Ok(());
            };
            let id = client.requests.write_named(1, &self.chunk, number)?;
            self.in_flight.push_back((id, number));
        }
        Ok(())
    }

    /// The number of the write that the request sent.
    fn answered(&mut self, id: u64) -> Option<usize> {
        let place = self.in_flight.iter().position(|write| write.0 == id)?;
        Some(self.in_flight.remove(place)?.1)
    }
}

/// The command's stdin, written to as it is.
fn bare(run: &FloorRun<'_>, record: &mut Record) -> Result<(), Failure> {
    let bytes = run.sizes.input_bytes;
    let count = bytes.to_string();
    let mut command = bare::command(&[run.program, "child", "drain", &count]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let chunk = chunk();
    let start_ns = clock::now_ns();
    if let Some(mut stdin) = child.stdin.take() {
        for _ in 0..chunks(bytes) {
            stdin.write_all(&chunk)?;
        }
    }
    bare::finish(child)?;
    record.add(RATE, mib_per_second(bytes, clock::since(start_ns)));
    Ok(())
}

fn chunks(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(0) / CHUNK_BYTES
}

/// Bytes that are not all the same.
fn chunk() -> Vec<u8> {
    (0..=250_u8).cycle().take(CHUNK_BYTES).collect()
}

fn hash(chunk: &[u8], bytes: u64) -> u32 {
    let mut hash = Hasher::new();
    for _ in 0..chunks(bytes) {
        hash.update(chunk);
    }
    hash.finalize()
}
