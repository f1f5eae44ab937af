//! The one task that owns a process: it spawns the child, and nobody else changes its state.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use pty_utils::{
    Child, Command, ExitStatus, Input, Leader, Output, Read, Signal, SpawnError, Spawner, Terminal,
};
use tokio::task::yield_now;
use tokio::time::Instant;

use super::lifecycle::{Effect, Event, Lifecycle};
use super::stdin::{Next, StdinQueue};
use super::sweep::sweep;
use super::{Phase, Process, SignalRequest, StopRequest};
use crate::deadline::until;

/// A read after which others have their turn, in bytes. Of shorter ones the runtime counts the number.
const LONG_READ_BYTES: usize = 4 << 10;

/// How long a terminal is left alone at first that nobody holds. Most often its leader is about to exit.
const FIRST_DESERTION: Duration = Duration::from_millis(1);

/// How long it is left alone at most.
const LONGEST_DESERTION: Duration = Duration::from_millis(100);

/// Most that is read from a terminal at its leader's exit, in bytes. A terminal cannot tell how much
/// it holds, and somebody else may go on writing to it.
const TERMINAL_DRAIN_BYTES: usize = 64 << 10;

/// The exit code of a leader whose status somebody else took, which only a program that embeds the
/// server and waits for all its children can do.
const UNKNOWN_EXIT_CODE: i32 = 255;

/// A child with its state, owned by one task from the spawn to the close.
#[derive(Debug)]
pub(crate) struct Owner {
    process: Arc<Process>,
    leader: Leader,
    input: Option<Input>,
    /// Those that have not come to their end.
    outputs: Vec<Output>,
    terminal: Option<Terminal>,
    life: Lifecycle,
    has_exited: bool,
    /// Until when a terminal that nobody holds is not looked at.
    deserted_until: Option<Instant>,
    /// How long it is left alone the next time.
    desertion: Duration,
    /// When whoever is left is killed, because the client's session is over.
    sweep_at: Option<Instant>,
}

/// Why the owner woke up.
#[derive(Debug)]
enum Wake {
    Mail,
    Exited(io::Result<ExitStatus>),
    /// This output has something to read, or came to its end.
    Readable(usize),
    Writable,
    Deadline,
    /// There may be room for output again.
    Room,
    /// Somebody may hold the terminal again.
    Deserted,
}

impl Owner {
    /// Spawns the child of `process`.
    pub(crate) async fn spawn(
        process: Arc<Process>,
        command: Command,
        spawner: &Spawner,
    ) -> Result<Self, SpawnError> {
        let Child {
            leader,
            input,
            outputs,
            terminal,
            tree: _,
        } = spawner.spawn(command).await?;
        process.lock().terminal.clone_from(&terminal);
        process.phase.send_replace(Phase::Open);
        let life = Lifecycle::SPAWNED;
        Ok(Self {
            process,
            leader,
            input,
            outputs,
            terminal,
            life,
            has_exited: false,
            deserted_until: None,
            desertion: FIRST_DESERTION,
            sweep_at: None,
        })
    }

    /// Carries the process to its close.
    pub(crate) async fn run(mut self) {
        // What came while the spawn was under way.
        self.read_mail();
        while self.life != Lifecycle::Closed {
            // One event is gathered, then handled without waiting: the owner never stops listening.
            match self.next_wake().await {
                Wake::Mail => self.read_mail(),
                Wake::Exited(status) => self.take_exit(status),
                Wake::Readable(at) => {
                    if self.read_output(at) >= LONG_READ_BYTES {
                        // A flood must leave the others their turn.
                        yield_now().await;
                    }
                }
                Wake::Writable => self.write_stdin(),
                Wake::Deadline => self.step(Event::Tick),
                Wake::Room => {}
                Wake::Deserted => self.deserted_until = None,
            }
        }
        let sweep_at = self.sweep_at;
        let (process, leader) = self.let_go();
        if let Some(at) = sweep_at {
            process.log.push_closed();
            sweep(&process, &leader, at).await;
            leader.reap();
        } else {
            // Whoever hears of the close finds no zombie.
            leader.reap();
            process.log.push_closed();
        }
    }

    /// Waits for whatever is next. Each branch is cancel safe.
    async fn next_wake(&self) -> Wake {
        let has_room = self.process.log.has_room();
        let may_read = (has_room || self.may_be_at_end()) && self.deserted_until.is_none();
        let wants_to_write = self.process.lock().stdin.next().is_some();
        tokio::select! {
            () = self.process.mail.notified() => Wake::Mail,
            status = self.leader.exited(), if !self.has_exited => Wake::Exited(status),
            at = readable(&self.outputs), if may_read => Wake::Readable(at),
            () = writable(self.input.as_ref()), if wants_to_write => Wake::Writable,
            () = until(self.life.deadline()) => Wake::Deadline,
            () = self.process.log.room(), if !has_room => Wake::Room,
            () = until(self.deserted_until) => Wake::Deserted,
        }
    }

    /// Whether nothing but the end of output may be left to read, for which there need be no room.
    fn may_be_at_end(&self) -> bool {
        self.has_exited
            && self
                .outputs
                .iter()
                .all(|output| matches!(output.pending(), Ok(0)))
    }

    fn read_mail(&mut self) {
        // Bytes first: a signal that was sent after them must not overtake them.
        self.write_stdin();
        let (signals, stop) = {
            let mut mailbox = self.process.lock();
            (std::mem::take(&mut mailbox.signals), mailbox.stop.take())
        };
        for SignalRequest { signal, delivered } in signals {
            // Whoever asked may have gone away.
            let _ = delivered.send(self.send_signal(signal));
        }
        if let Some(StopRequest { grace, is_final }) = stop {
            if is_final {
                let at = Instant::now() + grace;
                self.sweep_at = Some(self.sweep_at.map_or(at, |earlier| earlier.min(at)));
            }
            self.step(Event::Stop { grace, is_final });
        }
    }

    fn send_signal(&self, signal: Signal) -> bool {
        let sent = match &self.terminal {
            Some(terminal) => terminal.signal_foreground(signal),
            None => self.leader.signal_group(signal),
        };
        sent.unwrap_or_else(|error| {
            tracing::warn!(%error, ?signal, "a signal could not be sent");
            false
        })
    }

    fn write_stdin(&mut self) {
        let mut mailbox = self.process.lock();
        let stdin = &mut mailbox.stdin;
        let Some(input) = &self.input else { return };
        while let Some(next) = stdin.next() {
            let written = match next {
                Next::Bytes(bytes) => {
                    let written = input.try_write(bytes);
                    written.map(|bytes| bytes.map(|bytes| stdin.advance(bytes)))
                }
                Next::EndOfFile => write_end_of_file(stdin, input, self.terminal.as_ref()),
            };
            match written {
                Ok(Some(())) => {}
                Ok(None) => return,
                Err(_) => {
                    // The pipe was to be closed, or nobody holds its other end.
                    stdin.close();
                    self.input = None;
                    return;
                }
            }
        }
    }

    /// Reads what is there, and says how much that was, in bytes.
    fn read_output(&mut self, at: usize) -> usize {
        let output = &self.outputs[at];
        let log = &self.process.log;
        match log.push_read(stream(output), usize::MAX, |buffer| output.try_read(buffer)) {
            Ok(Read::Bytes(bytes)) => {
                self.desertion = FIRST_DESERTION;
                return bytes;
            }
            Ok(Read::WouldBlock) => {}
            // Nobody holds the terminal now, but its leader may open it again. The system does not tell when: a
            // terminal that was hung up once counts as readable ever after.
            Ok(Read::EndOfFile) if self.terminal.is_some() && !self.has_exited => {
                self.deserted_until = Some(Instant::now() + self.desertion);
                self.desertion = LONGEST_DESERTION.min(2 * self.desertion);
            }
            Ok(Read::EndOfFile) => self.end_output(at),
            Err(error) => {
                tracing::warn!(%error, "output cannot be read");
                self.end_output(at);
            }
        }
        0
    }

    fn end_output(&mut self, at: usize) {
        self.outputs.remove(at);
        if self.outputs.is_empty() {
            self.step(Event::OutputEnded);
        }
    }

    fn take_exit(&mut self, status: io::Result<ExitStatus>) {
        self.has_exited = true;
        let exit_code = match status {
            Ok(status) => status.shell_code(),
            Err(error) => {
                tracing::error!(%error, "somebody else took the exit status");
                UNKNOWN_EXIT_CODE
            }
        };
        self.read_what_is_left();
        if self.outputs.is_empty() {
            self.step(Event::OutputEnded);
        }
        match self.life.step(Instant::now(), Event::LeaderExited) {
            Effect::PublishExit | Effect::PublishExitAndClosed => self.process.log.push_exit(exit_code),
            Effect::Nothing | Effect::SignalPolitely | Effect::Kill | Effect::PublishClosed => {}
        }
    }

    /// Publishes what the leader had written before it ended, whether or not there is room for it:
    /// that is at most what a pipe holds.
    fn read_what_is_left(&mut self) {
        let process = &self.process;
        self.outputs.retain(|output| {
            let mut left = match output.stream() {
                pty_utils::Stream::Pty => TERMINAL_DRAIN_BYTES,
                pty_utils::Stream::Stdout | pty_utils::Stream::Stderr => output.pending().unwrap_or(0),
            };
            while left > 0 {
                let read = |buffer: &mut [u8]| output.read_now(buffer);
                match process.log.push_read(stream(output), left, read) {
                    Ok(Read::Bytes(bytes)) => left -= bytes,
                    Ok(Read::WouldBlock) => return true,
                    Ok(Read::EndOfFile) | Err(_) => return false,
                }
            }
            true
        });
    }

    fn step(&mut self, event: Event) {
        match self.life.step(Instant::now(), event) {
            Effect::SignalPolitely => {
                self.signal_group(Signal::Terminate);
                if self.terminal.is_some() {
                    // An interactive shell ignores the one and obeys the other, once it runs.
                    self.signal_group(Signal::Hangup);
                    self.signal_group(Signal::Continue);
                }
            }
            Effect::Kill => self.kill(),
            // The close is published when everything is let go of.
            Effect::Nothing | Effect::PublishClosed | Effect::PublishExit | Effect::PublishExitAndClosed => {}
        }
    }

    /// Kills the group, and who else is in its session: the jobs of a shell are groups of their own.
    fn kill(&self) {
        self.signal_group(Signal::Kill);
        if let Err(error) = self.leader.signal_followers(Signal::Kill) {
            tracing::warn!(%error, "the session of a process could not be killed");
        }
    }

    fn signal_group(&self, signal: Signal) {
        if let Err(error) = self.leader.signal_group(signal) {
            tracing::warn!(%error, ?signal, "a signal could not be sent");
        }
    }

    /// Lets go of all that the child had but its pid.
    fn let_go(self) -> (Arc<Process>, Leader) {
        let Self {
            process,
            leader,
            input,
            outputs,
            terminal,
            ..
        } = self;
        drop((input, outputs, terminal));
        {
            let mut mailbox = process.lock();
            mailbox.stdin.close();
            mailbox.terminal = None;
            mailbox.signals.clear();
            process.phase.send_replace(Phase::Closed);
        }
        (process, leader)
    }
}

/// Waits until one of the outputs has something to read, and says which.
async fn readable(outputs: &[Output]) -> usize {
    // What made waiting fail makes reading fail too, which is where it is dealt with.
    match outputs {
        [] => std::future::pending().await,
        [only] => {
            let _ = only.readable().await;
            0
        }
        [first, second, ..] => tokio::select! {
            _ = first.readable() => 0,
            _ = second.readable() => 1,
        },
    }
}

async fn writable(input: Option<&Input>) {
    match input {
        Some(input) => {
            // What made waiting fail makes writing fail too.
            let _ = input.writable().await;
        }
        None => std::future::pending().await,
    }
}

/// Types the end of file on a terminal. A pipe has no such character: it is to be closed, and the
/// error is the one that a closed pipe gives. None if the terminal takes nothing now.
fn write_end_of_file(
    stdin: &mut StdinQueue,
    input: &Input,
    terminal: Option<&Terminal>,
) -> io::Result<Option<()>> {
    // Without canonical mode there is no character that means the end, and nothing to type.
    if let Some(char) = terminal.ok_or(io::ErrorKind::BrokenPipe)?.end_of_file_char()? {
        if stdin.is_in_mid_line() {
            // The first one hands the line on, and only the second is the end.
            if input.try_write(&[char])?.is_none() {
                return Ok(None);
            }
            stdin.hand_line_on();
        }
        if input.try_write(&[char])?.is_none() {
            return Ok(None);
        }
    }
    stdin.pass_end();
    Ok(Some(()))
}

fn stream(output: &Output) -> exec_protocol::process::Stream {
    match output.stream() {
        pty_utils::Stream::Stdout => exec_protocol::process::Stream::Stdout,
        pty_utils::Stream::Stderr => exec_protocol::process::Stream::Stderr,
        pty_utils::Stream::Pty => exec_protocol::process::Stream::Pty,
    }
}
