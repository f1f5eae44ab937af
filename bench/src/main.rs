//! `exec-bench`: measures servers that speak the core wire, beside each other and beside what the machine can do.
//!
//! A number alone tells more about the machine than about a server, so every figure is a comparison. In one
//! run of this program all servers and all floors take turns, in an order that rotates: run 1 of each, then
//! run 2 of each. Each run starts a server of its own and kills it afterwards with everything that it left
//! behind. Of the runs the median counts, told with the least, the quartiles and the most.
//!
//! - **A floor** is the same work without a server: a command that is started and waited for, a pipe that is
//!   read, a terminal that is typed to. For pushed output there is also the loop: this program again, which
//!   reads the child's pipe, encodes and writes, in one thread; what it sends is received by the same client
//!   code.
//! - **The client** is one thread with blocking I/O. Its own cost is in every latency and every rate, and the
//!   same for all.
//! - **Output is checked**: counted, hashed and compared with what the child has written, and its numbers may
//!   have no hole. What is missing is told as a loss, beside the figure that it makes worthless.
//! - **Processor time and memory** are those of the server's own process, as the system counts them: run time
//!   of its threads, and memory that it shares with nobody.
//! - **Others on the machine** are noticed: their share of a core stands beside the figure, and with
//!   `--patience-seconds` a run is put off, or done again, until they are quiet.
//! - **Nothing can hang**: when the time of a run is up, everything is killed that it has started, and the
//!   next one begins.
//!
//! `exec-bench --help` lists the figures.

mod blocking_loop;
mod child;
mod cli;
mod client;
mod clock;
mod command_line;
mod event;
mod figure;
mod figures;
mod json;
mod machine;
mod proc;
mod report;
mod schedule;
mod server;
mod sizes;
mod stats;
mod tally;
mod watchdog;
mod wire;

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser as _;
use rustix::process::{Resource, Rlimit, getpid, getrlimit, set_child_subreaper, setrlimit};

use cli::{Cli, Mode};
use clock::SECOND_NS;
use figure::Figure;
use figures::FIGURES;
use schedule::{Kind, Outcome, Plan};
use sizes::Sizes;

/// Runs of each figure: the fewest that have quartiles.
const RUNS: u32 = 5;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match &cli.mode {
        Some(Mode::Child(mode)) => child::run(*mode).map(|()| ExitCode::SUCCESS),
        Some(Mode::Loop(mode)) => blocking_loop::run(mode).map(|()| ExitCode::SUCCESS),
        None => bench(&cli),
    };
    result.unwrap_or_else(|error| {
        // There is nowhere else to tell it.
        let _ = writeln!(io::stderr(), "exec-bench: {error}");
        ExitCode::FAILURE
    })
}

fn bench(cli: &Cli) -> io::Result<ExitCode> {
    let servers = cli.servers();
    let wires = cli.wires();
    let program = std::env::current_exe()?;
    let program = program
        .to_str()
        .ok_or_else(|| io::Error::other("the path of this program is not UTF-8"))?;
    let plan = Plan {
        servers: &servers,
        wires: &wires,
        sizes: sizes(cli),
        runs: cli.runs.unwrap_or(if cli.quick { 1 } else { RUNS }),
        deadline: Duration::from_secs(cli.deadline_seconds),
        patience: Duration::from_secs(cli.patience_seconds),
        program,
    };
    prepare()?;
    let mut outcomes = Vec::new();
    for figure in FIGURES.iter().filter(|figure| is_wanted(cli, figure)) {
        let outcome = schedule::measure(&plan, figure);
        report::write(&mut io::stdout().lock(), &outcome)?;
        outcomes.push(outcome);
    }
    if let Some(path) = &cli.json {
        json::write(path, &outcomes)?;
    }
    Ok(if cli.strict && outcomes.iter().any(is_faulty) {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn sizes(cli: &Cli) -> Sizes {
    let mut sizes = if cli.quick { Sizes::QUICK } else { Sizes::FULL };
    if let Some(mib) = cli.output_mib {
        sizes.output_bytes = mib << 20;
    }
    if let Some(seconds) = cli.slow_reader_seconds {
        sizes.slow_ns = seconds * SECOND_NS;
    }
    sizes
}

fn is_wanted(cli: &Cli, figure: &Figure) -> bool {
    cli.only.is_empty() || cli.only.iter().any(|only| figure.name.starts_with(only.as_str()))
}

fn is_faulty(outcome: &Outcome) -> bool {
    outcome
        .faults
        .iter()
        .any(|fault| fault.subject.kind == Kind::Server)
}

/// Inherits what a killed server leaves behind, to end it, and gives everybody all the descriptors there are: a
/// thousand processes need more than the usual 1,024.
fn prepare() -> io::Result<()> {
    set_child_subreaper(Some(getpid()))?;
    let files = getrlimit(Resource::Nofile);
    setrlimit(
        Resource::Nofile,
        Rlimit {
            current: files.maximum,
            maximum: files.maximum,
        },
    )?;
    Ok(())
}
