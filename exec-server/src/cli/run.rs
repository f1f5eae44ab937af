//! `exec-server run`: one command through an embedded server.

mod console;

use std::io;
use std::path::absolute;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use exec_client::{Client, Event, Process, ProcessControl, Transport};
use exec_protocol::process::{EnvPolicy, SignalName, StartParams, Stream};
use exec_protocol::{ProcessId, WirePath};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Failure;
use super::args::RunArgs;
use crate::Server;
use crate::deadline::until;
use crate::limits::{KILLED_DRAIN, TERMINATE_GRACE};
use crate::transport::{Connection, MemoryPeer};
use console::Console;

/// The name of the only process, which nobody sees.
const PROCESS_ID: &str = "run";

/// How much of our stdin is forwarded at a time, in bytes.
const STDIN_BYTES: usize = 64 << 10;

/// The exit code of a program that nobody wants to hear any more: 128 and the number of SIGPIPE.
const BROKEN_PIPE: u8 = 141;

/// The exit code of a command that was terminated and whose end was not waited for: 128 and the
/// number of SIGTERM.
const TERMINATED: u8 = 143;

/// Runs the command to its end. The exit code is the command's.
pub(super) async fn run(args: RunArgs) -> Result<ExitCode, Failure> {
    let server = Server::new(super::config())?;
    let (connection, MemoryPeer { outgoing, incoming }) = Connection::memory();
    let tasks = TaskTracker::new();
    tasks.spawn({
        let server = server.clone();
        async move { server.serve(connection).await }
    });
    let client = Client::connect(Transport::memory(outgoing, incoming), "exec-server run").await?;
    let outcome = converse(&client, args, &tasks).await;
    client.close().await;
    if outcome.is_err() {
        server.kill();
    }
    server.shutdown().await;
    outcome
}

async fn converse(client: &Client, args: RunArgs, tasks: &TaskTracker) -> Result<ExitCode, Failure> {
    let console = Console::new(args.tty)?;
    let process = client
        .start(&start_params(args, &console)?)
        .await
        .map_err(refusal)?;
    let progress = Arc::new(Progress::default());
    tasks.spawn(forward_signals(
        process.control(),
        console.is_terminal(),
        Arc::clone(&progress),
    )?);
    tasks.spawn(forward_stdin(process.control()));
    match write_output(process, console.is_terminal(), &progress).await {
        Ok(code) => Ok(ExitCode::from(code)),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ExitCode::from(BROKEN_PIPE)),
        Err(error) => Err(error.into()),
    }
}

fn start_params(args: RunArgs, console: &Console) -> Result<StartParams, Failure> {
    let process_id = ProcessId::new(PROCESS_ID)?;
    let mut params = StartParams::new(process_id, args.argv);
    params.cwd = args
        .cwd
        .map(absolute)
        .transpose()?
        .map(WirePath::new)
        .transpose()?;
    params.env = args.env.into_iter().collect();
    params.env_policy = Some(EnvPolicy {
        ignore_default_excludes: true,
        ..EnvPolicy::default()
    });
    params.tty = args.tty;
    params.pipe_stdin = true;
    params.size = console.size();
    Ok(params)
}

/// A refused start as people want to read it: what the server says, without that a server said it.
fn refusal(error: exec_client::CallError) -> Failure {
    match error {
        exec_client::CallError::Rpc(error) => error.message.into(),
        error => error.into(),
    }
}

/// Writes output as it comes, up to the close. The exit code, as far as ours can hold it.
async fn write_output(mut process: Process, is_terminal: bool, progress: &Progress) -> io::Result<u8> {
    let (mut stdout, mut stderr) = (tokio::io::stdout(), tokio::io::stderr());
    let mut leave_at = progress.leave_at.subscribe();
    let mut code = None;
    loop {
        let deadline = *leave_at.borrow_and_update();
        let event = tokio::select! {
            event = process.next() => event,
            () = until(deadline) => return Ok(code.unwrap_or(TERMINATED)),
            // The sender lives as long as `progress`.
            _ = leave_at.changed() => continue,
        };
        let Some(event) = event else { break };
        match event {
            Event::Output {
                stream: Stream::Stdout | Stream::Pty,
                bytes,
                ..
            } => {
                stdout.write_all(&bytes).await?;
                stdout.flush().await?;
            }
            Event::Output {
                stream: Stream::Stderr,
                bytes,
                ..
            } => {
                stderr.write_all(&bytes).await?;
                stderr.flush().await?;
            }
            Event::Exited { exit_code, .. } => {
                progress.has_exited.cancel();
                code = Some(exit_code.to_le_bytes()[0]);
                if is_terminal {
                    // Its keys have nobody to go to any more, Ctrl-C included: whoever still holds the
                    // terminal is not waited for.
                    progress.leave_within(KILLED_DRAIN);
                }
            }
            Event::Closed { .. } => {}
            Event::Gap { from_seq, to_seq, .. } => {
                return Err(io::Error::other(format!(
                    "output from {from_seq} to {to_seq} was lost"
                )));
            }
            Event::Disconnected => return Err(io::Error::other("the server is gone")),
        }
    }
    code.ok_or_else(|| io::Error::other("the command's end was not told"))
}

async fn forward_stdin(control: ProcessControl) {
    let mut stdin = tokio::io::stdin();
    let mut buffer = vec![0; STDIN_BYTES];
    loop {
        match stdin.read(&mut buffer).await {
            Ok(0) | Err(_) => break,
            Ok(bytes) => {
                if let Err(error) = control.write(buffer[..bytes].to_vec()).await {
                    tracing::debug!(%error, "stdin is not forwarded any more");
                    return;
                }
            }
        }
    }
    if let Err(error) = control.close_stdin().await {
        tracing::debug!(%error, "stdin could not be closed");
    }
}

/// Passes on what is meant for the command. Ctrl-C is: on a terminal of its own it is a key that
/// the command's terminal turns into the signal.
fn forward_signals(
    control: ProcessControl,
    is_terminal: bool,
    progress: Arc<Progress>,
) -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let mut window = signal(SignalKind::window_change())?;
    Ok(async move {
        loop {
            let passed = tokio::select! {
                Some(()) = interrupt.recv() => Passed::Interrupt,
                Some(()) = terminate.recv() => Passed::Terminate,
                Some(()) = hangup.recv() => Passed::Terminate,
                Some(()) = window.recv(), if is_terminal => Passed::Window,
                else => return,
            };
            let outcome = match passed {
                // The command is over; what holds its output is not waited for.
                Passed::Interrupt | Passed::Terminate if progress.has_exited.is_cancelled() => {
                    progress.leave_within(Duration::ZERO);
                    Ok(())
                }
                Passed::Interrupt => control.signal(SignalName::Interrupt).await.map(drop),
                Passed::Terminate => {
                    let is_second = progress.leave_at.borrow().is_some();
                    let wait = if is_second {
                        Duration::ZERO
                    } else {
                        TERMINATE_GRACE + KILLED_DRAIN
                    };
                    progress.leave_within(wait);
                    control.terminate().await.map(drop)
                }
                Passed::Window => match console::window_size() {
                    Some(size) => control.resize(size).await,
                    None => Ok(()),
                },
            };
            if let Err(error) = outcome {
                tracing::debug!(%error, "a signal was not passed on");
            }
        }
    })
}

/// How far the command has come, and how long it is waited for.
#[derive(Default)]
struct Progress {
    has_exited: CancellationToken,
    /// When we leave, whether or not somebody still holds the output. None: not before its end.
    leave_at: watch::Sender<Option<Instant>>,
}

impl Progress {
    /// Leaves at the latest after this time.
    fn leave_within(&self, wait: Duration) {
        let at = Instant::now() + wait;
        self.leave_at
            .send_modify(|leave_at| *leave_at = Some(leave_at.map_or(at, |earlier| earlier.min(at))));
    }
}

/// A signal to us that is meant for the command.
enum Passed {
    Interrupt,
    Terminate,
    Window,
}
