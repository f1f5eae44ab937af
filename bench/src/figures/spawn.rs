//! `/bin/true`, from `process/start` to `process/closed`.

use std::collections::{HashMap, VecDeque};
use std::thread;

use super::bare;
use crate::client::{Client, Failure, Notifications, Start, Streams};
use crate::clock;
use crate::event::Event;
use crate::figure::{Better, Figure, Floor, FloorReach, FloorRun, Metric, Record, Run};
use crate::stats::{Delays, float};

const TRUE: &[&str] = &["/bin/true"];

/// How many commands are under way at a time.
const IN_FLIGHT: u32 = 32;

const PER_SECOND: Metric = Metric {
    name: "rate",
    unit: "1/s",
    better: Better::More,
};

/// One after the other, on pipes.
pub(crate) const PIPES: Figure = Figure {
    name: "spawn-pipes",
    about: "/bin/true on pipes, one after the other, from process/start to process/closed",
    server: |run, record| sequential(run, Streams::Pipes, record),
    floors: &[Floor {
        name: "bare",
        reach: FloorReach::Machine,
        measure: bare_pipes,
    }],
    most_runs: u32::MAX,
};

/// One after the other, on terminals.
pub(crate) const TERMINAL: Figure = Figure {
    name: "spawn-pty",
    about: "the same on a terminal; the bare one has a terminal too, the other only pipes",
    server: |run, record| sequential(run, Streams::Terminal, record),
    floors: &[
        Floor {
            name: "bare",
            reach: FloorReach::Machine,
            measure: bare_terminal,
        },
        Floor {
            name: "bare pipes",
            reach: FloorReach::Machine,
            measure: bare_pipes,
        },
    ],
    most_runs: u32::MAX,
};

/// 32 at a time.
pub(crate) const BURST: Figure = Figure {
    name: "spawn-burst",
    about: "/bin/true on pipes, 32 in flight; bare: from one thread, and 16 from each of two",
    server: burst,
    floors: &[
        Floor {
            name: "bare",
            reach: FloorReach::Machine,
            measure: |run, record| bare_burst(run, 1, record),
        },
        Floor {
            name: "bare 2x16",
            reach: FloorReach::Machine,
            measure: |run, record| bare_burst(run, 2, record),
        },
    ],
    most_runs: u32::MAX,
};

fn sequential(run: &Run<'_>, streams: Streams, record: &mut Record) -> Result<(), Failure> {
    let (_server, mut client) = run.connect(Notifications::All)?;
    let mut delays = Delays::default();
    let start_ns = clock::now_ns();
    for process in 0..run.sizes.spawns {
        delays.push(one(&mut client, process, streams)?);
        if clock::since(start_ns) > run.sizes.loop_ns {
            break;
        }
    }
    record.add_delays(delays);
    Ok(())
}

fn one(client: &mut Client, process: u32, streams: Streams) -> Result<u64, Failure> {
    let start_ns = clock::now_ns();
    client.requests.start(process, Start { argv: TRUE, streams })?;
    let mut closed_ns = None;
    let mut is_answered = false;
    loop {
        match client.next()? {
            Event::Closed { process: found, .. } if found == process => {
                closed_ns = Some(clock::since(start_ns));
            }
            Event::Answer { .. } => is_answered = true,
            event => event.refusal()?,
        }
        if let (Some(closed_ns), true) = (closed_ns, is_answered) {
            return Ok(closed_ns);
        }
    }
}

fn burst(run: &Run<'_>, record: &mut Record) -> Result<(), Failure> {
    let (_server, mut client) = run.connect(Notifications::All)?;
    let start = Start {
        argv: TRUE,
        streams: Streams::Pipes,
    };
    let begin_ns = clock::now_ns();
    let mut started_ns = HashMap::new();
    let mut delays = Delays::default();
    let (mut next, mut closed) = (0, 0);
    while closed < run.sizes.burst {
        while next < run.sizes.burst && next - closed < IN_FLIGHT {
            started_ns.insert(next, clock::now_ns());
            client.requests.start(next, start)?;
            next += 1;
        }
        match client.next()? {
            Event::Closed { process, .. } => {
                closed += 1;
                delays.push(started_ns.remove(&process).map_or(0, clock::since));
            }
            event => event.refusal()?,
        }
        if clock::since(begin_ns) > run.sizes.loop_ns {
            break;
        }
    }
    record.add(
        PER_SECOND,
        float(u64::from(closed)) / (float(clock::since(begin_ns)) / 1e9),
    );
    record.add_delays(delays);
    Ok(())
}

fn bare_pipes(run: &FloorRun<'_>, record: &mut Record) -> Result<(), Failure> {
    let mut delays = Delays::default();
    for _ in 0..run.sizes.spawns {
        let start_ns = clock::now_ns();
        bare::finish(bare::on_pipes(TRUE)?)?;
        delays.push(clock::since(start_ns));
    }
    record.add_delays(delays);
    Ok(())
}

fn bare_terminal(run: &FloorRun<'_>, record: &mut Record) -> Result<(), Failure> {
    let mut delays = Delays::default();
    for _ in 0..run.sizes.spawns {
        let start_ns = clock::now_ns();
        let (child, terminal) = bare::on_terminal(TRUE)?;
        bare::finish_terminal(child, terminal)?;
        delays.push(clock::since(start_ns));
    }
    record.add_delays(delays);
    Ok(())
}

fn bare_burst(run: &FloorRun<'_>, threads: u32, record: &mut Record) -> Result<(), Failure> {
    let start_ns = clock::now_ns();
    let workers: Vec<_> = (0..threads)
        .map(|_| {
            let (count, in_flight) = (run.sizes.burst / threads, IN_FLIGHT / threads);
            thread::spawn(move || bare_window(count, in_flight))
        })
        .collect();
    for worker in workers {
        worker
            .join()
            .map_err(|_| Failure::Wrong("a thread of the floor panicked".to_owned()))??;
    }
    let rate = float(u64::from(run.sizes.burst)) / (float(clock::since(start_ns)) / 1e9);
    record.add(PER_SECOND, rate);
    Ok(())
}

/// Keeps `in_flight` commands under way and waits for the oldest.
fn bare_window(count: u32, in_flight: u32) -> Result<(), Failure> {
    let mut running = VecDeque::new();
    for started in 0..count {
        running.push_back(bare::on_pipes(TRUE)?);
        if started + 1 >= in_flight {
            running.pop_front().map_or(Ok(()), bare::finish)?;
        }
    }
    Ok(running.into_iter().try_for_each(bare::finish)?)
}
