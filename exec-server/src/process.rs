//! One process: what everybody may hold of it. Its owner task has the rest.

mod command;
mod lifecycle;
mod owner;
mod stdin;
mod sweep;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use exec_protocol::{ProcessId, WriteId};
use pty_utils::{Signal, Terminal};
use tokio::sync::{Notify, oneshot, watch};
use tokio::time::Instant;

pub(crate) use command::{CommandError, command, terminal_size};
pub(crate) use owner::Owner;
pub(crate) use stdin::{StdinKind, StdinRefusal};

use crate::deadline::until;
use crate::output::OutputLog;
use stdin::StdinQueue;

/// One process, from the moment its id was taken until it is forgotten.
///
/// Requests are left in its mailbox, in their order of arrival, whether the child has been spawned
/// or not; the owner task carries them out.
#[derive(Debug)]
pub(crate) struct Process {
    id: ProcessId,
    stdin: StdinKind,
    log: Arc<OutputLog>,
    /// Held only for the length of a memory operation, never across an await.
    mailbox: Mutex<Mailbox>,
    /// For the owner: there is something in the mailbox.
    mail: Notify,
    phase: watch::Sender<Phase>,
}

/// How far a process has come, as far as requests must know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The spawn is under way.
    Starting,
    /// The child was spawned, and is not closed.
    Open,
    /// No output will follow; it is kept for a while.
    Closed,
    /// The spawn failed, or the process was forgotten: there is no such process.
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
    stop: Option<StopRequest>,
    /// The child's terminal, while there is one.
    terminal: Option<Terminal>,
    is_forgotten: bool,
}

#[derive(Debug)]
struct SignalRequest {
    signal: Signal,
    delivered: oneshot::Sender<bool>,
}

#[derive(Debug, Clone, Copy)]
struct StopRequest {
    grace: Duration,
    is_final: bool,
}

impl Process {
    /// A process whose spawn is under way.
    pub(crate) fn starting(id: ProcessId, stdin: StdinKind, log: OutputLog) -> Arc<Self> {
        let mailbox = Mailbox {
            stdin: StdinQueue::new(stdin),
            signals: VecDeque::new(),
            stop: None,
            terminal: None,
            is_forgotten: false,
        };
        Arc::new(Self {
            log: Arc::new(log),
            id,
            stdin,
            mailbox: Mutex::new(mailbox),
            mail: Notify::new(),
            phase: watch::Sender::new(Phase::Starting),
        })
    }

    pub(crate) fn id(&self) -> &ProcessId {
        &self.id
    }

    pub(crate) fn log(&self) -> &Arc<OutputLog> {
        &self.log
    }

    /// Waits until the spawn is over, and says how far the process is then.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub(crate) async fn started(&self) -> Phase {
        let mut phase = self.phase.subscribe();
        let started = phase.wait_for(|phase| *phase != Phase::Starting).await;
        // The sender lives as long as `self`.
        started.map_or(Phase::Gone, |phase| *phase)
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
            Phase::Closed | Phase::Gone => drop(delivered),
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
        match &self.lock().terminal {
            Some(terminal) => Ok(terminal.resize(size)?),
            None => Ok(()),
        }
    }

    /// Asks the process to end, and has it killed after `grace`.
    pub(crate) fn terminate(&self, grace: Duration) {
        self.ask_to_stop(StopRequest {
            grace,
            is_final: false,
        });
    }

    /// The session is over: ends the process, and with it its record.
    pub(crate) fn end_with_session(&self, grace: Duration) {
        self.ask_to_stop(StopRequest {
            grace,
            is_final: true,
        });
    }

    fn ask_to_stop(&self, request: StopRequest) {
        let mut mailbox = self.lock();
        mailbox.stop = Some(match mailbox.stop {
            Some(earlier) => StopRequest {
                grace: earlier.grace.min(request.grace),
                is_final: earlier.is_final || request.is_final,
            },
            None => request,
        });
        mailbox.is_forgotten |= request.is_final;
        drop(mailbox);
        self.mail.notify_one();
    }

    /// Gives up an ended process before its time.
    pub(crate) fn forget(&self) {
        self.lock().is_forgotten = true;
        self.mail.notify_one();
    }

    /// Waits until the process may be forgotten: `retain_ended` after a client was told of its close,
    /// not counting the time in which its session has no connection; or when somebody gives it up, or needs its memory.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: the time would be counted anew.
    pub(crate) async fn outlived(&self, retain_ended: Duration) {
        let mut deadline = None;
        while !self.lock().is_forgotten {
            tokio::select! {
                // A connection that comes back has the whole time to read.
                () = self.log.retention_runs(deadline.is_none()) => {
                    deadline = match deadline {
                        None => Some(Instant::now() + retain_ended),
                        Some(_) => None,
                    };
                }
                () = self.mail.notified() => {}
                () = self.log.discarded() => return,
                () = until(deadline) => return,
            }
        }
    }

    /// There is no such process any more, or there never was.
    pub(crate) fn vanish(&self) {
        let mut mailbox = self.lock();
        self.phase.send_replace(Phase::Gone);
        mailbox.signals.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Mailbox> {
        self.mailbox.lock().expect("no holder of this lock can panic")
    }
}
