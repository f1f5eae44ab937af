//! One process: what everybody may hold of it. Its owner task has the rest.

mod caretaker;
mod command;
mod description;
mod lifecycle;
mod owner;
mod progress;
mod record;
mod requests;
mod restrictions;
mod retention;
mod stdin;
mod stop;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use exec_protocol::process::{Containment, OnDisconnect, StartResult};
use exec_protocol::{Group, ProcessId, StartKey, Uid};
use pty_utils::{Signal, Terminal, Usage};
use tokio::sync::{Notify, oneshot, watch};
use tokio::time::Instant;

pub(crate) use caretaker::look_after;
pub(crate) use command::{CommandError, SandboxUnsupported, command, terminal_size};
pub(crate) use description::{Description, time};
pub(crate) use owner::Owner;
pub(crate) use progress::Progress;
pub(crate) use requests::ResizeError;
pub(crate) use restrictions::HouseRules;
pub(crate) use retention::Release;
pub(crate) use stdin::{Accepted, StdinKind, StdinRefusal};
pub(crate) use stop::Stop;

use crate::access::Identity;
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

    /// Who may reach it from another session, where one may. None: anybody.
    pub(crate) fn owner(&self) -> Option<&Identity> {
        self.description.owner.as_ref()
    }

    pub(crate) fn uid(&self) -> &Uid {
        &self.description.uid
    }

    /// The leader's pid; 0 if there is none yet.
    pub(crate) fn pid(&self) -> u32 {
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

    /// What nobody has begun to carry out.
    #[cfg(test)]
    pub(crate) fn wish(&self) -> Option<Stop> {
        self.lock().stop.clone()
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

#[cfg(test)]
pub(crate) mod tests;
