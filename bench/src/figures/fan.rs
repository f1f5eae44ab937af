//! Many processes that each say something now and then.

use std::collections::HashMap;
use std::io::Read as _;
use std::process::Stdio;

use super::bare;
use crate::child::{STAMP_BYTES, parse_stamp};
use crate::client::{Failure, Notifications, Start, Streams};
use crate::clock::{self, SECOND_NS};
use crate::event::Event;
use crate::figure::{Better, Figure, Floor, FloorReach, FloorRun, Metric, P50, P99, Record, Run};
use crate::stats::{Delays, float};
use crate::tally::Tally;

/// From one line of a process to its next.
const INTERVAL_MS: &str = "10";

/// Lines of each process: more than it gets to write, so that none ends before it is killed.
const LINES: &str = "100000";

/// Before the lines count: the processes have to start, and to come to rest.
const SETTLE_NS: u64 = SECOND_NS / 2;

const CPU: Metric = Metric {
    name: "cpu",
    unit: "µs/line",
    better: Better::Less,
};
const LINE_RATE: Metric = Metric {
    name: "lines",
    unit: "1/s",
    better: Better::More,
};

/// See the module.
pub(crate) const FAN: Figure = Figure {
    name: "fan",
    about: "processes that write a line with the time every 10 ms; from that time to the receipt; bare: all of \
            them write to one pipe",
    server,
    floors: &[Floor {
        name: "bare",
        reach: FloorReach::Machine,
        measure: one_pipe,
    }],
    most_runs: 3,
};

/// The lines of one process.
#[derive(Debug, Default)]
struct Lines {
    tally: Tally,
    /// The part of a line whose rest has not come.
    part: Vec<u8>,
    next: u64,
    is_out_of_order: bool,
}

fn server(run: &Run<'_>, record: &mut Record) -> Result<(), Failure> {
    let (server, mut client) = run.connect(Notifications::All)?;
    let argv = [run.program, "child", "stamps", INTERVAL_MS, LINES];
    for process in 0..run.sizes.fan {
        client.requests.start(
            process,
            Start {
                argv: &argv,
                streams: Streams::Pipes,
            },
        )?;
    }
    let mut all: HashMap<u32, Lines> = HashMap::new();
    let mut window = Window::new(run.sizes.fan_ns);
    let mut unanswered = run.sizes.fan;
    let mut cpu = None;
    loop {
        match client.next()? {
            Event::Output { process, seq, chunk } => {
                let now_ns = clock::now_ns();
                all.entry(process)
                    .or_default()
                    .take(seq, chunk, |stamp_ns| window.line(stamp_ns, now_ns))?;
            }
            Event::Answer { .. } => {
                unanswered -= 1;
                if unanswered == 0 {
                    window.open_soon();
                }
            }
            event => event.refusal()?,
        }
        if cpu.is_none() && window.is_open() {
            cpu = Some(server.cpu()?);
        }
        if window.is_over() {
            break;
        }
    }
    if let Some(cpu) = cpu {
        let lines = float(window.delays.len().max(1) as u64);
        record.add(CPU, float(server.cpu()?.since(cpu)) / 1e3 / lines);
    }
    for lines in all.values() {
        record.check_order(&lines.tally);
    }
    if all.values().any(|lines| lines.is_out_of_order) {
        record
            .losses
            .push("lines of a process are missing or out of order".to_owned());
    }
    window.record(record);
    Ok(())
}

impl Lines {
    fn take(&mut self, seq: u64, chunk: &[u8], mut stamp: impl FnMut(u64)) -> Result<(), Failure> {
        self.part.extend_from_slice(self.tally.output(seq, chunk)?);
        let whole = self.part.len() / STAMP_BYTES * STAMP_BYTES;
        for line in self.part[..whole].chunks(STAMP_BYTES) {
            let (number, time_ns) = parse_stamp(line).unwrap_or((u64::MAX, 0));
            self.is_out_of_order |= number != self.next;
            self.next = number.wrapping_add(1);
            stamp(time_ns);
        }
        self.part.drain(..whole);
        Ok(())
    }
}

/// The time in which lines count.
struct Window {
    delays: Delays,
    length_ns: u64,
    opens_ns: u64,
    first_ns: Option<u64>,
    last_ns: u64,
}

impl Window {
    fn new(length_ns: u64) -> Self {
        Self {
            delays: Delays::default(),
            length_ns,
            opens_ns: u64::MAX,
            first_ns: None,
            last_ns: 0,
        }
    }

    fn open_soon(&mut self) {
        self.opens_ns = clock::now_ns() + SETTLE_NS;
    }

    fn line(&mut self, stamp_ns: u64, now_ns: u64) {
        self.last_ns = now_ns;
        if now_ns >= self.opens_ns {
            self.first_ns.get_or_insert(now_ns);
            self.delays.push(now_ns.saturating_sub(stamp_ns));
        }
    }

    fn is_open(&self) -> bool {
        self.first_ns.is_some()
    }

    fn is_over(&self) -> bool {
        self.first_ns
            .is_some_and(|first_ns| self.last_ns > first_ns + self.length_ns)
    }

    fn record(self, record: &mut Record) {
        let seconds = float(self.length_ns) / 1e9;
        record.add(LINE_RATE, float(self.delays.len() as u64) / seconds);
        if let Some((p50, p99)) = self.delays.p50_p99_us() {
            record.add(P50, p50);
            record.add(P99, p99);
        }
    }
}

/// All of them write to one pipe, which is read by one thread. A line is shorter than what a pipe takes in
/// one piece.
fn one_pipe(run: &FloorRun<'_>, record: &mut Record) -> Result<(), Failure> {
    let (mut reader, writer) = std::io::pipe()?;
    let argv = [run.program, "child", "stamps", INTERVAL_MS, LINES];
    let mut children = Vec::new();
    for _ in 0..run.sizes.fan {
        let stdout = Stdio::from(writer.try_clone()?);
        children.push(bare::command(&argv).stdin(Stdio::null()).stdout(stdout).spawn()?);
    }
    drop(writer);
    let mut window = Window::new(run.sizes.fan_ns);
    window.open_soon();
    let mut room = vec![0; STAMP_BYTES * 1024];
    let mut filled = 0;
    while !window.is_over() {
        let count = reader.read(&mut room[filled..])?;
        if count == 0 {
            return Err(Failure::HungUp);
        }
        filled += count;
        let now_ns = clock::now_ns();
        let whole = filled / STAMP_BYTES * STAMP_BYTES;
        for line in room[..whole].chunks(STAMP_BYTES) {
            window.line(parse_stamp(line).unwrap_or_default().1, now_ns);
        }
        room.copy_within(whole..filled, 0);
        filled -= whole;
    }
    for child in children {
        bare::end(child)?;
    }
    window.record(record);
    Ok(())
}
