//! The one task that owns a process: it spawns the child, and nobody else changes its state.

mod closing;
mod streams;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use pty_utils::{
    Child, Command, ExitStatus, Input, Leader, Leftovers, Output, Signal, SpawnError, Spawner, Terminal,
    Tree, signal_name,
};
use tokio::task::yield_now;
use tokio::time::Instant;

use super::lifecycle::{Close, Effect, Event, Lifecycle, natural_end};
use super::{Process, SignalRequest, Stop};
use crate::clock::WallClock;
use crate::deadline::until;
use crate::output::ExitFacts;
use streams::{FIRST_DESERTION, readable, writable};

/// A read after which others have their turn, in bytes. Of shorter ones the runtime counts the number.
const LONG_READ_BYTES: usize = 4 << 10;

/// How long a kill that was refused is put off.
const KILL_AGAIN: Duration = Duration::from_millis(100);

/// The exit code of a leader whose status somebody else took, which only a program that embeds the
/// server and waits for all its children can do, or somebody who killed its supervisor.
const UNKNOWN_EXIT_CODE: i32 = 255;

/// A child with its state, owned by one task from the spawn to the close.
#[derive(Debug)]
pub(crate) struct Owner {
    process: Arc<Process>,
    leader: Leader,
    tree: Tree,
    input: Option<Input>,
    /// Those that have not come to their end.
    outputs: Vec<Output>,
    terminal: Option<Terminal>,
    life: Lifecycle,
    has_exited: bool,
    /// Why output was given up that could not be read.
    failure: Option<String>,
    /// The client that asked first for the end.
    asked_by: Option<Arc<str>>,
    /// When a kill that was refused is tried again.
    kill_again_at: Option<Instant>,
    /// Since when it is read without a pause. None while it is not.
    read_since: Option<Instant>,
    /// Until when a terminal that nobody holds is not looked at.
    deserted_until: Option<Instant>,
    /// How long it is left alone the next time.
    desertion: Duration,
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
    /// Nobody is left of the tree.
    Emptied(io::Result<()>),
    /// A kill is to be tried again.
    KillAgain,
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
            tree,
            input,
            outputs,
            terminal,
        } = spawner.spawn(command).await?;
        let now = Instant::now();
        process.set_started(leader.pid(), terminal.as_ref(), WallClock::now());
        let life = Lifecycle::spawned(process.description.terms, now);
        Ok(Self {
            process,
            leader,
            tree,
            input,
            outputs,
            terminal,
            life,
            has_exited: false,
            failure: None,
            asked_by: None,
            kill_again_at: None,
            read_since: Some(now),
            deserted_until: None,
            desertion: FIRST_DESERTION,
        })
    }

    /// Carries the process to its close. Gives who outlives it.
    pub(crate) async fn run(self) -> Option<Leftovers> {
        let process = Arc::clone(&self.process);
        Self::carried(&process, self.carry()).await
    }

    async fn carry(mut self) -> Option<Leftovers> {
        // What came while the spawn was under way.
        let mut close = self.read_mail();
        let close = loop {
            if let Some(close) = close {
                break close;
            }
            // One event is gathered, then handled without waiting: the owner never stops listening.
            close = match self.next_wake().await {
                Wake::Mail => self.read_mail(),
                Wake::Exited(status) => self.take_exit(status),
                Wake::Readable(at) => {
                    let (bytes, close) = self.read_output(at);
                    if bytes >= LONG_READ_BYTES {
                        // A flood must leave the others their turn.
                        yield_now().await;
                    }
                    close
                }
                Wake::Writable => {
                    self.write_stdin();
                    None
                }
                Wake::Deadline => self.tick(),
                Wake::Room => None,
                Wake::Deserted => {
                    self.deserted_until = None;
                    None
                }
                Wake::Emptied(outcome) => {
                    if let Err(error) = outcome {
                        tracing::warn!(%error, "it is not known who is left of a process");
                        self.kill();
                    }
                    self.step(Event::Emptied)
                }
                Wake::KillAgain => {
                    self.kill();
                    None
                }
            };
        };
        self.close(close).await
    }

    /// Waits for whatever is next. Each branch is cancel safe.
    async fn next_wake(&mut self) -> Wake {
        let has_room = self.process.log.has_room();
        let may_read = (has_room || self.may_be_at_end()) && self.deserted_until.is_none();
        self.read_since = match self.read_since {
            _ if !has_room => None,
            None => Some(Instant::now()),
            since => since,
        };
        let wants_to_write = self.process.lock().stdin.next().is_some();
        tokio::select! {
            // An exit that is there already is not for a wish or a limit to claim.
            biased;
            status = self.leader.exited(), if !self.has_exited => Wake::Exited(status),
            () = self.process.mail.notified() => Wake::Mail,
            () = until(self.life.deadline()) => Wake::Deadline,
            () = writable(self.input.as_ref()), if wants_to_write => Wake::Writable,
            at = readable(&self.outputs), if may_read => Wake::Readable(at),
            () = self.process.log.room(), if !has_room => Wake::Room,
            () = until(self.deserted_until) => Wake::Deserted,
            () = until(self.kill_again_at) => Wake::KillAgain,
            outcome = self.tree.emptied(), if self.has_exited && self.life.awaits_emptiness() => Wake::Emptied(outcome),
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

    fn read_mail(&mut self) -> Option<Close> {
        // Bytes first: a signal that was sent after them must not overtake them.
        self.write_stdin();
        let (signals, usage, stop) = {
            let mut mailbox = self.process.lock();
            let signals = std::mem::take(&mut mailbox.signals);
            (signals, std::mem::take(&mut mailbox.usage), mailbox.stop.take())
        };
        // Whoever asked may have gone away.
        for SignalRequest { signal, delivered } in signals {
            let _ = delivered.send(self.send_signal(signal));
        }
        if !usage.is_empty() {
            let so_far = self.tree.usage();
            for asked in usage {
                let _ = asked.send(so_far);
            }
        }
        let Stop {
            reason,
            asked_by,
            grace,
            is_final,
            ..
        } = stop?;
        if !self.life.is_to_end() {
            self.asked_by = asked_by;
        }
        let grace = grace.unwrap_or_default();
        self.step(Event::Stop {
            reason,
            grace,
            is_final,
        })
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

    fn take_exit(&mut self, status: io::Result<ExitStatus>) -> Option<Close> {
        self.has_exited = true;
        let status = status
            .inspect_err(|error| tracing::error!(%error, "somebody else took the exit status"))
            .ok();
        let (code, signal) = match status {
            Some(ExitStatus::Code(code)) => (code, None),
            Some(status @ ExitStatus::Signal(number)) => (status.shell_code(), Some(signal_name(number))),
            None => (UNKNOWN_EXIT_CODE, None),
        };
        self.read_what_is_left();
        if self.outputs.is_empty() {
            let ended = self.life.step(Instant::now(), Event::OutputEnded);
            debug_assert_eq!(ended, Effect::Nothing, "it runs");
        }
        if let Effect::PublishExit(asked) = self.life.step(Instant::now(), Event::LeaderExited) {
            self.process.log.push_exit(ExitFacts {
                code,
                signal,
                reason: asked.unwrap_or_else(|| natural_end(status, || self.tree.ran_out_of_memory())),
                asked_by: self.asked_by.take().filter(|_| asked.is_some()),
                at_ms: WallClock::now().ms(),
            });
        }
        self.tick()
    }

    /// Looks whether a time is over, or everything.
    fn tick(&mut self) -> Option<Close> {
        let said = self.process.log.last_output();
        let mut quiet_since = self
            .read_since
            .map(|since| said.map_or(since, |said| said.max(since)));
        let has_news = |output: &Output| output.pending().is_ok_and(|bytes| bytes > 0);
        if self.outputs.iter().any(has_news) {
            // We are late, and not the process silent.
            quiet_since = Some(Instant::now());
        }
        self.step(Event::Tick { quiet_since })
    }

    fn step(&mut self, event: Event) -> Option<Close> {
        match self.life.step(Instant::now(), event) {
            Effect::SignalPolitely => {
                self.signal_tree(Signal::Terminate);
                if self.terminal.is_some() {
                    // An interactive shell ignores the one and obeys the other, once it runs.
                    self.signal_tree(Signal::Hangup);
                    self.signal_tree(Signal::Continue);
                }
            }
            Effect::Kill => self.kill(),
            Effect::Close(close) => return Some(close),
            // An exit is published where it is taken.
            Effect::Nothing | Effect::PublishExit(_) => {}
        }
        None
    }

    /// A kill may be refused for want of descriptors, which is no reason to let anybody live.
    fn kill(&mut self) {
        self.kill_again_at = None;
        if let Err(error) = self.tree.kill() {
            tracing::warn!(%error, "a process could not be killed");
            self.kill_again_at = Some(Instant::now() + KILL_AGAIN);
        }
    }

    fn signal_tree(&self, signal: Signal) {
        if let Err(error) = self.tree.signal(signal) {
            tracing::warn!(%error, ?signal, "a signal could not be sent");
        }
    }
}
