//! Output that is pushed as it comes.

use std::io::Read as _;
use std::process::Command;

use super::bare;
use crate::child;
use crate::client::{Client, Failure, Notifications, Start, Streams};
use crate::clock;
use crate::event::Event;
use crate::figure::{CPU, Figure, Floor, FloorReach, FloorRun, RATE, Record, Run};
use crate::proc::Cpu;
use crate::server::Server;
use crate::stats::{mib_per_second, seconds_per_gib};
use crate::tally::{Expected, Tally};
use crate::wire::Wire;

/// What the child writes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Content {
    /// `head -c BYTES /dev/zero`.
    Zeros,
    /// Lines of 64 characters.
    Lines,
}

/// Zeros.
pub(crate) const ZEROS: Figure = Figure {
    name: "push-zeros",
    about: "head -c N /dev/zero, from process/start to process/closed; loop: a blocking read, encode and write loop",
    server: |run, record| server(run, Content::Zeros, record),
    floors: &[
        Floor {
            name: "bare read",
            reach: FloorReach::Machine,
            measure: |run, record| read(run, Content::Zeros, record),
        },
        Floor {
            name: "loop",
            reach: FloorReach::EachWire,
            measure: |run, record| blocking_loop(run, Content::Zeros, record),
        },
    ],
    most_runs: u32::MAX,
};

/// Text.
pub(crate) const LINES: Figure = Figure {
    name: "push-lines",
    about: "the same with lines of text",
    server: |run, record| server(run, Content::Lines, record),
    floors: &[
        Floor {
            name: "bare read",
            reach: FloorReach::Machine,
            measure: |run, record| read(run, Content::Lines, record),
        },
        Floor {
            name: "loop",
            reach: FloorReach::EachWire,
            measure: |run, record| blocking_loop(run, Content::Lines, record),
        },
    ],
    most_runs: u32::MAX,
};

impl Content {
    /// The command that writes it.
    pub(super) fn argv(self, program: &str, bytes: u64) -> Vec<String> {
        let words: &[&str] = match self {
            Self::Zeros => &["/usr/bin/head", "-c", "{}", "/dev/zero"],
            Self::Lines => &[program, "child", "lines", "{}"],
        };
        words
            .iter()
            .map(|word| word.replace("{}", &bytes.to_string()))
            .collect()
    }

    /// What has to come.
    pub(super) fn expected(self, bytes: u64) -> Expected {
        match self {
            Self::Zeros => child::expected_zeros(bytes),
            Self::Lines => child::expected_lines(bytes),
        }
    }
}

fn server(run: &Run<'_>, content: Content, record: &mut Record) -> Result<(), Failure> {
    let (server, mut client) = run.connect(Notifications::All)?;
    let argv = content.argv(run.program, run.sizes.output_bytes);
    let argv: Vec<&str> = argv.iter().map(String::as_str).collect();
    let expected = content.expected(run.sizes.output_bytes);
    let cpu = server.cpu()?;
    let start_ns = clock::now_ns();
    client.requests.start(
        1,
        Start {
            argv: &argv,
            streams: Streams::Pipes,
        },
    )?;
    let tally = receive(&mut client)?;
    let time_ns = clock::since(start_ns);
    finish(record, &tally, expected, time_ns, server.cpu()?.since(cpu));
    Ok(())
}

fn blocking_loop(run: &FloorRun<'_>, content: Content, record: &mut Record) -> Result<(), Failure> {
    let mut command = Command::new(run.program);
    command
        .args(["loop", run.wire.name()])
        .args(content.argv(run.program, run.sizes.output_bytes));
    let mut server = match run.wire {
        Wire::Stdio => Server::spawn_stdio(command)?,
        Wire::Websocket => Server::spawn_websocket(command)?,
    };
    let mut client = Client::raw(server.connect()?);
    let expected = content.expected(run.sizes.output_bytes);
    let cpu = server.cpu()?;
    let start_ns = clock::now_ns();
    client.requests.go()?;
    let tally = receive(&mut client)?;
    let time_ns = clock::since(start_ns);
    finish(record, &tally, expected, time_ns, server.cpu()?.since(cpu));
    Ok(())
}

fn receive(client: &mut Client) -> Result<Tally, Failure> {
    let mut tally = Tally::default();
    loop {
        match client.next()? {
            Event::Output { seq, chunk, .. } => {
                tally.output(seq, chunk)?;
            }
            Event::Exited { seq, .. } => tally.number(seq),
            Event::Closed { seq, .. } => {
                tally.number(seq);
                return Ok(tally);
            }
            event => event.refusal()?,
        }
    }
}

fn finish(record: &mut Record, tally: &Tally, expected: Expected, time_ns: u64, cpu_ns: u64) {
    record.add(RATE, mib_per_second(tally.bytes(), time_ns));
    record.add(CPU, seconds_per_gib(cpu_ns, tally.bytes()));
    record.check(tally, expected);
}

/// Reads the pipe and throws away what comes.
fn read(run: &FloorRun<'_>, content: Content, record: &mut Record) -> Result<(), Failure> {
    let argv = content.argv(run.program, run.sizes.output_bytes);
    let argv: Vec<&str> = argv.iter().map(String::as_str).collect();
    let cpu = Cpu::of(std::process::id())?;
    let start_ns = clock::now_ns();
    let mut child = bare::on_pipes(&argv)?;
    let mut room = vec![0; 64 << 10];
    let mut bytes = 0;
    if let Some(stdout) = &mut child.stdout {
        loop {
            match stdout.read(&mut room)? {
                0 => break,
                count => bytes += count as u64,
            }
        }
    }
    bare::finish(child)?;
    let time_ns = clock::since(start_ns);
    record.add(RATE, mib_per_second(bytes, time_ns));
    record.add(
        CPU,
        seconds_per_gib(Cpu::of(std::process::id())?.since(cpu), bytes),
    );
    Ok(())
}
