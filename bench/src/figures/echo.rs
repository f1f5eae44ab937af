//! From `process/write` of one byte to the notification that echoes it.

use std::io::{Read, Write};
use std::process::Stdio;

use crc32fast::Hasher;

use super::bare;
use crate::client::{Client, Failure, Notifications, Start, Streams};
use crate::clock;
use crate::event::Event;
use crate::figure::{Figure, Floor, FloorReach, FloorRun, Record, Run};
use crate::stats::Delays;
use crate::tally::{Expected, Tally};

/// The command that is typed to.
pub(super) const CAT: &[&str] = &["/bin/cat"];

/// `x`, in base64.
pub(super) const X: &str = "eA==";

/// A newline, in base64.
const NEWLINE: &str = "Cg==";

/// What is typed before a newline. A terminal takes no more than 4,095 characters into one line.
const LINE: u32 = 200;

/// Rounds before those that count: the command has to start, and caches to fill.
const WARM_UP: u32 = 20;

/// The process that floods.
const FLOODER: u32 = 99;

/// By a terminal.
pub(crate) const TERMINAL: Figure = Figure {
    name: "echo-pty",
    about: "a byte by process/write to cat on a terminal, until the terminal's echo of it is here",
    server: |run, record| server(run, Streams::Terminal, record),
    floors: &[Floor {
        name: "bare",
        reach: FloorReach::Machine,
        measure: bare_terminal,
    }],
    most_runs: u32::MAX,
};

/// By a command on pipes.
pub(crate) const PIPES: Figure = Figure {
    name: "echo-pipe",
    about: "the same with cat on pipes, which has to read and to write it",
    server: |run, record| server(run, Streams::PipedStdin, record),
    floors: &[Floor {
        name: "bare",
        reach: FloorReach::Machine,
        measure: bare_pipes,
    }],
    most_runs: u32::MAX,
};

/// By a terminal, beside a command that writes as fast as it can.
pub(crate) const FLOOD: Figure = Figure {
    name: "echo-flood",
    about: "echo-pty while `yes` floods the same connection",
    server: flood,
    floors: &[],
    most_runs: u32::MAX,
};

fn server(run: &Run<'_>, streams: Streams, record: &mut Record) -> Result<(), Failure> {
    let (_server, mut client) = run.connect(Notifications::All)?;
    let mut typist = Typist::start(&mut client, streams)?;
    let delays = typist.type_until(&mut client, run.sizes.echoes, run.sizes.loop_ns)?;
    record.add_delays(delays);
    record.check(&typist.tally, typist.expected());
    Ok(())
}

fn flood(run: &Run<'_>, record: &mut Record) -> Result<(), Failure> {
    let (_server, mut client) = run.connect(Notifications::All)?;
    let mut typist = Typist::start(&mut client, Streams::Terminal)?;
    client.requests.start(
        FLOODER,
        Start {
            argv: &["/usr/bin/yes"],
            streams: Streams::Pipes,
        },
    )?;
    typist.type_until(&mut client, WARM_UP, run.sizes.loop_ns)?;
    let delays = typist.type_until(&mut client, run.sizes.echoes, run.sizes.loop_ns)?;
    record.add_delays(delays);
    record.check(&typist.tally, typist.expected());
    record.check_order(&typist.others);
    Ok(())
}

/// Types to a `cat` and compares what comes back.
#[derive(Debug)]
pub(super) struct Typist {
    streams: Streams,
    typed: u32,
    awaited: u64,
    hash: Hasher,
    tally: Tally,
    others: Tally,
}

impl Typist {
    const PROCESS: u32 = 1;

    /// Starts the `cat`, and waits until it echoes.
    pub(super) fn start(client: &mut Client, streams: Streams) -> Result<Self, Failure> {
        client
            .requests
            .start(Self::PROCESS, Start { argv: CAT, streams })?;
        let mut typist = Self {
            streams,
            typed: 0,
            awaited: 0,
            hash: Hasher::new(),
            tally: Tally::default(),
            others: Tally::default(),
        };
        for _ in 0..WARM_UP {
            typist.round(client)?;
        }
        Ok(typist)
    }

    /// Types so often, or so long.
    pub(super) fn type_until(
        &mut self,
        client: &mut Client,
        rounds: u32,
        most_ns: u64,
    ) -> Result<Delays, Failure> {
        let mut delays = Delays::default();
        let start_ns = clock::now_ns();
        for _ in 0..rounds {
            delays.push(self.round(client)?);
            if clock::since(start_ns) > most_ns {
                break;
            }
        }
        Ok(delays)
    }

    /// What `cat` and its terminal have to have written.
    pub(super) fn expected(&self) -> Expected {
        Expected {
            bytes: self.awaited,
            hash: self.hash.clone().finalize(),
        }
    }

    /// What they have written.
    pub(super) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Types one character; the time until it is back, in nanoseconds.
    pub(super) fn round(&mut self, client: &mut Client) -> Result<u64, Failure> {
        let start_ns = clock::now_ns();
        client.requests.write(Self::PROCESS, X)?;
        self.await_echo(client, b"x")?;
        let delay_ns = clock::since(start_ns);
        self.typed += 1;
        if self.streams == Streams::Terminal && self.typed.is_multiple_of(LINE) {
            // The terminal echoes the newline, and then cat writes the line.
            client.requests.write(Self::PROCESS, NEWLINE)?;
            let line = format!("\r\n{}\r\n", "x".repeat(LINE as usize));
            self.await_echo(client, line.as_bytes())?;
        }
        Ok(delay_ns)
    }

    fn await_echo(&mut self, client: &mut Client, echo: &[u8]) -> Result<(), Failure> {
        self.hash.update(echo);
        self.awaited += echo.len() as u64;
        while self.tally.bytes() < self.awaited {
            match client.next()? {
                Event::Output {
                    process: Self::PROCESS,
                    seq,
                    chunk,
                } => {
                    self.tally.output(seq, chunk)?;
                }
                Event::Output { seq, .. } => self.others.number(seq),
                Event::Closed { .. } | Event::Exited { .. } => return Err(Failure::HungUp),
                event => event.refusal()?,
            }
        }
        Ok(())
    }
}

fn bare_terminal(run: &FloorRun<'_>, record: &mut Record) -> Result<(), Failure> {
    let (child, terminal) = bare::on_terminal(CAT)?;
    let delays = bare_rounds(run, &terminal, &terminal, Streams::Terminal)?;
    record.add_delays(delays);
    Ok(bare::end(child)?)
}

/// The echo of a bare `cat` on pipes.
pub(super) fn bare_pipes(run: &FloorRun<'_>, record: &mut Record) -> Result<(), Failure> {
    let mut child = bare::command(CAT)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let (stdin, stdout) = child
        .stdin
        .take()
        .zip(child.stdout.take())
        .ok_or(Failure::HungUp)?;
    let delays = bare_rounds(run, stdin, stdout, Streams::PipedStdin)?;
    record.add_delays(delays);
    Ok(bare::end(child)?)
}

fn bare_rounds(
    run: &FloorRun<'_>,
    mut to: impl Write,
    mut from: impl Read,
    streams: Streams,
) -> Result<Delays, Failure> {
    let mut delays = Delays::default();
    for round in 1..=WARM_UP + run.sizes.echoes {
        let start_ns = clock::now_ns();
        to.write_all(b"x")?;
        from.read_exact(&mut [0])?;
        if round > WARM_UP {
            delays.push(clock::since(start_ns));
        }
        if streams == Streams::Terminal && round.is_multiple_of(LINE) {
            to.write_all(b"\n")?;
            from.read_exact(&mut [0; LINE as usize + 4])?;
        }
    }
    Ok(delays)
}
