//! The thread that spawns.
use crate::{
    child::Child,
    command::Command,
    error::SpawnError,
    step::Step,
    sys::{Started, Starter},
};
use std::{io, thread};
use tokio::sync::{mpsc, oneshot};

/// How many commands may wait for the thread. A spawn takes about 0.1 ms, so more would only hide that the
/// host is too slow; further callers wait for a place.
const QUEUED_COMMANDS: usize = 64;

/// Starts children, all of them from one thread of its own. Clones share the thread.
///
/// One thread, because a leader dies with the *thread* that created it, not only with the process, and
/// because the creation of a child suspends the thread until the program runs. It follows that dropping the
/// last clone, which ends the thread, kills every leader that still runs: keep one for as long as children
/// shall live.
///
/// The process must not ignore `SIGCHLD` and must not wait for children that are not its own: exit statuses
/// would be lost.
#[derive(Debug, Clone)]
pub struct Spawner {
    requests: mpsc::Sender<Request>,
}

impl Spawner {
    /// Starts the thread.
    ///
    /// # Errors
    /// If the system has no thread or no memory left, or is older than Linux 5.4 (`ENOSYS` or `EINVAL`).
    pub fn new() -> io::Result<Self> {
        let starter = Starter::new()?;
        let (requests, queue) = mpsc::channel(QUEUED_COMMANDS);
        thread::Builder::new()
            .name("spawner".to_owned())
            .spawn(move || serve(queue, starter))?;
        Ok(Self { requests })
    }

    /// Starts a child. It runs when this returns; the child is the leader of a session and a group of its
    /// own, has no descriptors but its standard streams, and every signal has its default effect and is
    /// unblocked. It is killed when this process dies, however it dies, unless it is a program that becomes
    /// another user (set-user-ID).
    ///
    /// # Errors
    /// One variant per cause, see [`SpawnError`]; no child and no descriptor is left behind.
    ///
    /// # Cancel safety
    /// Cancel safe: if the child came to be nevertheless, it is killed and reaped.
    ///
    /// # Panics
    /// Outside of a tokio runtime with I/O enabled.
    pub async fn spawn(&self, command: Command) -> Result<Child, SpawnError> {
        const SERVES: &str = "the thread serves until the last spawner is dropped, and this one is not";
        let (reply, answer) = oneshot::channel();
        self.requests
            .send(Request { command, reply })
            .await
            .expect(SERVES);
        let started = answer.await.expect(SERVES)?;
        let parts = started.register().map_err(|source| SpawnError::Os {
            step: Step::Register,
            source,
        })?;
        Ok(Child::new(parts))
    }
}

/// A command and where its result goes. The result kills the child if nobody takes it out.
#[derive(Debug)]
struct Request {
    command: Command,
    reply: oneshot::Sender<Result<Started, SpawnError>>,
}

fn serve(mut queue: mpsc::Receiver<Request>, mut starter: Starter) {
    while let Some(Request { command, reply }) = queue.blocking_recv() {
        // Whoever asked may have given up, while it waited in the queue or since: then the result is dropped,
        // which kills the child.
        if !reply.is_closed() {
            drop(reply.send(starter.start(&command)));
        }
    }
}
