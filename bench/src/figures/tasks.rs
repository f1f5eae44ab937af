//! Background work, beside processes of the same server in the same run: what it costs that it is kept.

use std::io;
use std::process::Command;

use tempfile::TempDir;

use crate::client::{Client, Failure, Notifications, Start, Streams};
use crate::clock;
use crate::command_line::CommandLine;
use crate::figure::{Better, CPU, Figure, Metric, RATE, Record, Run};
use crate::server::Server;
use crate::stats::{Delays, mib_per_second, seconds_per_gib};
use crate::wire::Wire;

/// The option by which a server is told where it keeps tasks. One that does not offer it is not measured.
const STATE_DIR: &str = "--state-dir";

const START_P50: Metric = Metric {
    name: "start p50",
    unit: "µs",
    better: Better::Less,
};

const UNKEPT_RATE: Metric = Metric {
    name: "unkept rate",
    unit: "MiB/s",
    better: Better::More,
};

const UNKEPT_CPU: Metric = Metric {
    name: "unkept cpu",
    unit: "s/GiB",
    better: Better::Less,
};

/// See the module.
pub(crate) const SUBMIT: Figure = Figure {
    name: "task-submit",
    about: "/bin/true by task/submit, until its answer; beside it by process/start",
    server: submit,
    floors: &[],
    most_runs: u32::MAX,
};

/// See the module.
pub(crate) const OUTPUT: Figure = Figure {
    name: "task-output",
    about: "the output of a task, until it is on disk; beside it that of a process, which nobody reads",
    server: output,
    floors: &[],
    most_runs: u32::MAX,
};

/// A server with a place for tasks, which goes when this is dropped. None if it has none.
fn connect(run: &Run<'_>) -> Result<Option<(Server, Client, TempDir)>, Failure> {
    if !offers_tasks(run.command)? {
        return Ok(None);
    }
    let directory = tempfile::tempdir()?;
    let mut command = run.command.command(run.wire.address());
    command.arg(STATE_DIR).arg(directory.path());
    let mut server = match run.wire {
        Wire::Stdio => Server::spawn_stdio(command)?,
        Wire::Websocket => Server::spawn_websocket(command)?,
    };
    let client = server.client(Notifications::None)?;
    Ok(Some((server, client, directory)))
}

fn offers_tasks(command: &CommandLine) -> io::Result<bool> {
    let help = Command::new(command.program()).arg("--help").output()?;
    Ok(memchr::memmem::find(&help.stdout, STATE_DIR.as_bytes()).is_some())
}

fn submit(run: &Run<'_>, record: &mut Record) -> Result<(), Failure> {
    let Some((_server, mut client, _directory)) = connect(run)? else {
        return Ok(());
    };
    let (mut submits, mut starts) = (Delays::default(), Delays::default());
    for number in 0..run.sizes.spawns {
        let argv: &[&str] = &["/bin/true"];
        let start_ns = clock::now_ns();
        let id = client.requests.submit(number, argv)?;
        client.answer(id)?;
        submits.push(clock::since(start_ns));
        let id = client.requests.wait_for_task(number)?;
        client.answer(id)?;
        let streams = Streams::Pipes;
        let start_ns = clock::now_ns();
        let id = client.requests.start(number, Start { argv, streams })?;
        client.answer(id)?;
        starts.push(clock::since(start_ns));
        let id = client.requests.wait_for_close(number)?;
        client.answer(id)?;
    }
    record.add_delays(submits);
    if let Some((p50, _)) = starts.p50_p99_us() {
        record.add(START_P50, p50);
    }
    Ok(())
}

fn output(run: &Run<'_>, record: &mut Record) -> Result<(), Failure> {
    let Some((server, mut client, _directory)) = connect(run)? else {
        return Ok(());
    };
    let bytes = run.sizes.output_bytes;
    let argv: &[&str] = &["/usr/bin/head", "-c", &bytes.to_string(), "/dev/zero"];
    let cpu = server.cpu()?;
    let start_ns = clock::now_ns();
    let id = client.requests.start_unread(0, argv)?;
    client.answer(id)?;
    let id = client.requests.wait_for_close(0)?;
    client.answer(id)?;
    record.add(UNKEPT_RATE, mib_per_second(bytes, clock::since(start_ns)));
    record.add(UNKEPT_CPU, seconds_per_gib(server.cpu()?.since(cpu), bytes));
    let cpu = server.cpu()?;
    let start_ns = clock::now_ns();
    let id = client.requests.submit(0, argv)?;
    client.answer(id)?;
    let id = client.requests.wait_for_task(0)?;
    client.answer(id)?;
    record.add(RATE, mib_per_second(bytes, clock::since(start_ns)));
    record.add(CPU, seconds_per_gib(server.cpu()?.since(cpu), bytes));
    Ok(())
}
