//! One process: what everybody may hold of it. Its owner task has the rest.

mod caretaker;
mod command;
mod description;
mod lifecycle;
mod owner;
mod progress;
mod record;
mod retention;
mod stdin;
mod stop;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use exec_protocol::process::{Containment, OnDisconnect, StartResult};
use exec_protocol::{Group, ProcessId, StartKey, Uid, WriteId};
use pty_utils::{Signal, Terminal, Usage};
use tokio::sync::{Notify, oneshot, watch};
use tokio::time::Instant;

pub(crate) use caretaker::look_after;
pub(crate) use command::{CommandError, command, terminal_size};
pub(crate) use description::{Description, time};
pub(crate) use owner::Owner;
pub(crate) use progress::Progress;
pub(crate) use retention::Release;
pub(crate) use stdin::{Accepted, StdinKind, StdinRefusal};
pub(crate) use stop::Stop;

use crate::clock::WallClock;
use crate::output::OutputLog;
use stdin::StdinQueue;

/// What a process without a sandbox runs in.
const NO_SANDBOX: &str = "none";

/// One process, from the moment its id was taken until it is forgotten.
///
/// Requests are left in its mailbox, in their order of arrival, whether the child has been spawned
/// or not; the owner task carries them out.
#[derive(Debug)]
pub(crate) struct Process {
    description: Description,
    stdin: StdinKind,
    containment: Containment,
    /// When its start was asked for: requests begin in order, while several are spawned within a millisecond.
    asked_at: Instant,
    log: Arc<OutputLog>,
    /// There once the child was spawned.
    started: OnceLock<Started>,
    /// Held only for the length of a memory operation, never across an await.
    mailbox: Mutex<Mailbox>,
    /// For the owner: there is something in the mailbox.
    mail: Notify,
    /// For who keeps the process once it is closed: it is not to be kept any longer.
    release: Notify,
    phase: watch::Sender<Phase>,
}

/// What is known of a child from its spawn on.
#[derive(Debug, Clone, Copy)]
struct Started {
    pid: u32,
    at_ms: u64,
}

/// How far a process has come, as far as requests must know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The spawn is under way.
    Starting,
    /// The child was spawned, and is not closed.
    Open,
    /// Its output is over; what is left is to be told.
    Closing,
    /// No output will follow; somebody outlives it.
    Outlived,
    /// No output will follow, and nobody is left.
    Closed,
    /// The spawn failed: there is no such process.
    Gone,
}

/// Why a terminal did not get its size.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ResizeError {
    /// The process runs on pipes.
    #[error("the process has no terminal")]
    NoTerminal,
    /// The operating system refused.
    #[error("the terminal did not take the size")]
    Os(#[from] std::io::Error),
}

/// What is left for the owner to carry out.
#[derive(Debug)]
struct Mailbox {
    stdin: StdinQueue,
    /// Bounded by the requests in flight: each belongs to one that waits for its answer.
    signals: VecDeque<SignalRequest>,
    /// Bounded as the signals are.
    usage: VecDeque<oneshot::Sender<Usage>>,
    stop: Option<Stop>,
    /// The child's terminal, while there is one.
    terminal: Option<Terminal>,
    /// The terminal's size, the last that is known.
    size: Option<pty_utils::Size>,
    release: Option<Release>,
}

#[derive(Debug)]
struct SignalRequest {
    signal: Signal,
    delivered: oneshot::Sender<bool>,
}

impl Process {
    /// A process whose spawn is under way.
    pub(crate) fn starting(
        description: Description,
        stdin: StdinKind,
        containment: Containment,
        log: OutputLog,
    ) -> Arc<Self> {
        let mailbox = Mailbox {
            stdin: StdinQueue::new(stdin),
            signals: VecDeque::new(),
            usage: VecDeque::new(),
            stop: None,
            terminal: None,
            size: None,
            release: None,
        };
        Arc::new(Self {
            description,
            stdin,
            containment,
            asked_at: Instant::now(),
            log: Arc::new(log),
            started: OnceLock::new(),
            mailbox: Mutex::new(mailbox),
            mail: Notify::new(),
            release: Notify::new(),
            phase: watch::Sender::new(Phase::Starting),
        })
    }

    pub(crate) fn id(&self) -> &ProcessId {
        &self.description.process_id
    }

    pub(crate) fn uid(&self) -> &Uid {
        &self.description.uid
    }

    /// The leader's pid; 0 if there is none yet.
    fn pid(&self) -> u32 {
        self.started.get().map_or(0, |started| started.pid)
    }

    pub(crate) fn start_key(&self) -> Option<&StartKey> {
        self.description.start_key.as_ref()
    }

    pub(crate) fn group(&self) -> Option<&Group> {
        self.description.group.as_ref()
    }

    /// By what processes stand in the order of their starts.
    pub(crate) fn asked_at(&self) -> Instant {
        self.asked_at
    }

    pub(crate) fn on_disconnect(&self) -> OnDisconnect {
        self.description.on_disconnect
    }

    pub(crate) fn log(&self) -> &Arc<OutputLog> {
        &self.log
    }

    /// What its start is answered. None if it has none yet, or will have none.
    pub(crate) fn start_result(&self) -> Option<StartResult> {
        let Started { pid, at_ms } = *self.started.get()?;
        Some(StartResult {
            process_id: self.id().clone(),
            sandbox_type: NO_SANDBOX.to_owned(),
            uid: Some(self.uid().clone()),
            pid: Some(pid),
            started_at_ms: Some(at_ms),
        })
    }

    /// Waits until the spawn is over, and says how far the process is then.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub(crate) async fn started(&self) -> Phase {
        self.phase_when(|phase| phase != Phase::Starting).await
    }

    /// Waits until nobody is left of it.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub(crate) async fn ended(&self) {
        self.phase_when(|phase| matches!(phase, Phase::Closed | Phase::Gone))
            .await;
    }

    async fn phase_when(&self, is_it: impl Fn(Phase) -> bool) -> Phase {
        let mut phase = self.phase.subscribe();
        let reached = phase.wait_for(|phase| is_it(*phase)).await;
        // The sender lives as long as `self`.
        reached.map_or(Phase::Gone, |phase| *phase)
    }

    /// Whether no output will follow.
    pub(crate) fn is_closed(&self) -> bool {
        self.log.is_closed()
    }

    /// Leaves bytes for stdin, and an end of file behind them if `eof`. Written in order of arrival.
    ///
    /// # Errors
    ///
    /// A [`StdinRefusal`]; nothing was taken then.
    pub(crate) fn write(&self, id: Option<WriteId>, bytes: &[u8], eof: bool) -> Result<(), StdinRefusal> {
        self.lock().stdin.write(id, bytes, eof)?;
        self.mail.notify_one();
        Ok(())
    }

    /// Leaves as many bytes for stdin as there is room for, the first of which belongs at `offset`, and an end of
    /// file behind them if `eof` and all were taken.
    ///
    /// # Errors
    ///
    /// A [`StdinRefusal`]; nothing was taken then.
    pub(crate) fn write_at(
        &self,
        id: Option<WriteId>,
        offset: u64,
        bytes: &[u8],
        eof: bool,
    ) -> Result<Accepted, StdinRefusal> {
        let accepted = self.lock().stdin.write_at(id, offset, bytes, eof)?;
        self.mail.notify_one();
        Ok(accepted)
    }

    /// Leaves an end of file behind what was written so far. False if there is no stdin to end, or a
    /// terminal that is not in canonical mode, where no character means the end.
    ///
    /// # Errors
    ///
    /// [`StdinRefusal::Full`] if it would overtake a write that was refused, or has no room.
    pub(crate) fn end_stdin(&self) -> Result<bool, StdinRefusal> {
        let mut mailbox = self.lock();
        if let Some(terminal) = &mailbox.terminal
            && !matches!(terminal.end_of_file_char(), Ok(Some(_)))
        {
            return Ok(false);
        }
        let ended = mailbox.stdin.end();
        drop(mailbox);
        self.mail.notify_one();
        ended
    }

    /// Leaves a signal for the process. The answer is whether there was something to get it; none
    /// comes if there is no such process any more.
    pub(crate) fn signal(&self, signal: Signal) -> oneshot::Receiver<bool> {
        let (delivered, answer) = oneshot::channel();
        // Looked at under the lock that the close takes: a later signal would never be answered.
        let mut mailbox = self.lock();
        match *self.phase.borrow() {
            Phase::Starting | Phase::Open => mailbox.signals.push_back(SignalRequest { signal, delivered }),
            Phase::Closing | Phase::Outlived | Phase::Closed | Phase::Gone => drop(delivered),
        }
        drop(mailbox);
        self.mail.notify_one();
        answer
    }

    /// Gives the terminal a new size. Once the process is closed nothing is left to get it.
    ///
    /// # Errors
    ///
    /// [`ResizeError`] on a process without a terminal, or when the operating system refuses.
    pub(crate) fn resize(&self, size: pty_utils::Size) -> Result<(), ResizeError> {
        if self.stdin != StdinKind::Terminal {
            return Err(ResizeError::NoTerminal);
        }
        let mut mailbox = self.lock();
        if let Some(terminal) = &mailbox.terminal {
            terminal.resize(size)?;
            mailbox.size = Some(size);
        }
        Ok(())
    }

    /// Asks how much it has computed so far. No answer comes once it is closed: then it was told.
    pub(crate) fn usage(&self) -> oneshot::Receiver<Usage> {
        let (usage, answer) = oneshot::channel();
        let mut mailbox = self.lock();
        // Looked at under the lock that the close takes.
        if matches!(*self.phase.borrow(), Phase::Starting | Phase::Open) {
            mailbox.usage.push_back(usage);
        }
        drop(mailbox);
        self.mail.notify_one();
        answer
    }

    /// Asks the process to end. A second wish can only bring the kill forward.
    pub(crate) fn stop(&self, stop: &Stop) {
        let mut stop = stop.within(self.description.terms.grace);
        let mut mailbox = self.lock();
        // Until it is closed, everybody is meant, whoever then has to see to it.
        stop.includes_outliving |= !self.is_closed();
        if stop.is_final {
            mailbox.release.get_or_insert(Release::SessionOver);
        }
        mailbox.stop = Some(match mailbox.stop.take() {
            Some(earlier) => earlier.and(&stop),
            None => stop,
        });
        drop(mailbox);
        self.mail.notify_one();
        self.release.notify_one();
    }

    /// The spawn has failed: there is no such process.
    pub(crate) fn vanish(&self) {
        let mut mailbox = self.lock();
        self.phase.send_replace(Phase::Gone);
        mailbox.signals.clear();
        mailbox.usage.clear();
    }

    /// The child was spawned.
    fn set_started(&self, pid: u32, terminal: Option<&Terminal>, now: WallClock) {
        let mut mailbox = self.lock();
        mailbox.terminal = terminal.cloned();
        mailbox.size = terminal.and_then(|terminal| terminal.size().ok());
        let started = Started { pid, at_ms: now.ms() };
        // Each process is spawned once.
        let _ = self.started.set(started);
        self.phase.send_replace(Phase::Open);
    }

    fn lock(&self) -> MutexGuard<'_, Mailbox> {
        self.mailbox.lock().expect("no holder of this lock can panic")
    }
}
