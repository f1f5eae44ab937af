//! From the spawn of the server to the answer to `initialize`.

use std::io::{Read as _, Write as _};
use std::process::Stdio;
use std::time::Duration;

use super::bare;
use crate::client::{Failure, Notifications};
use crate::clock;
use crate::figure::{Better, Figure, Floor, FloorReach, FloorRun, Metric, Record, Run};
use crate::stats::{Summary, float};

const TIME: Metric = Metric {
    name: "time",
    unit: "ms",
    better: Better::Less,
};
const MEMORY: Metric = Metric {
    name: "private memory",
    unit: "MiB",
    better: Better::Less,
};
const BINARY: Metric = Metric {
    name: "binary",
    unit: "MB",
    better: Better::Less,
};

/// What a server does after its first answer is not part of what it keeps.
const SETTLE: Duration = Duration::from_millis(100);

/// See the module.
pub(crate) const STARTUP: Figure = Figure {
    name: "startup",
    about: "from the spawn of the server to its answer to initialize; its private memory then; its binary",
    server,
    floors: &[Floor {
        name: "bare cat",
        reach: FloorReach::Machine,
        measure: cat,
    }],
    most_runs: u32::MAX,
};

fn server(run: &Run<'_>, record: &mut Record) -> Result<(), Failure> {
    let mut times = Vec::new();
    let mut last = None;
    for _ in 0..run.sizes.startups {
        // Its end is not to be part of the next one's beginning.
        drop(last.take());
        let start_ns = clock::now_ns();
        last = Some(run.connect(Notifications::All)?);
        times.push(float(clock::since(start_ns)) / 1e6);
    }
    add_median(record, &times);
    if let Some((server, _client)) = last {
        std::thread::sleep(SETTLE);
        record.add(MEMORY, float(server.private_bytes()?) / float(1 << 20));
        record.add(BINARY, float(server.program_bytes()?) / 1e6);
    }
    Ok(())
}

/// The spawn of `cat` to its first echo: a program on pipes cannot answer sooner.
fn cat(run: &FloorRun<'_>, record: &mut Record) -> Result<(), Failure> {
    let mut times = Vec::new();
    for _ in 0..run.sizes.startups {
        let start_ns = clock::now_ns();
        let mut child = bare::command(&["/bin/cat"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (mut stdin, mut stdout) = child
            .stdin
            .take()
            .zip(child.stdout.take())
            .ok_or(Failure::HungUp)?;
        stdin.write_all(b"x")?;
        stdout.read_exact(&mut [0])?;
        times.push(float(clock::since(start_ns)) / 1e6);
        bare::end(child)?;
    }
    add_median(record, &times);
    Ok(())
}

fn add_median(record: &mut Record, times: &[f64]) {
    if let Some(summary) = Summary::of(times) {
        record.add(TIME, summary.median);
    }
}
