//! The thread that spawns.
use crate::{
    child::Child,
    command::Command,
    containment::{Containment, SpawnerError, SpawnerOptions},
    error::SpawnError,
    restrictions::Controllers,
    step::Step,
    sys::{Started, Starter},
};
use std::{
    io,
    sync::Arc,
    thread::{self, JoinHandle},
};
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
/// The process must not wait for children that are not its own: exit statuses would be lost. An ignored `SIGCHLD`,
/// which would have the same effect, is set to its default.
///
/// Dropping the last clone also waits until everything that belongs to the containment is gone, which takes
/// milliseconds.
#[derive(Debug, Clone)]
pub struct Spawner {
    containment: Containment,
    controllers: Controllers,
    thread: Arc<Thread>,
}

impl Spawner {
    /// Starts the thread. Children are held together by their [group](Containment::Group) only.
    ///
    /// # Errors
    /// If the system has no thread or no memory left, or is older than Linux 5.4 (`ENOSYS` or `EINVAL`).
    pub fn new() -> io::Result<Self> {
        let options = SpawnerOptions {
            containment: Some(Containment::Group),
            helper: None,
        };
        Self::with_options(options).map_err(|error| match error {
            SpawnerError::Unavailable { source, .. } => io::Error::other(source),
            SpawnerError::Os(source) => source,
        })
    }

    /// Starts the thread, and the helper where the containment has one for all trees. Whether the containment
    /// works here is tried by using it, which blocks for some milliseconds.
    ///
    /// # Errors
    /// See [`SpawnerError`].
    pub fn with_options(options: SpawnerOptions) -> Result<Self, SpawnerError> {
        let SpawnerOptions { containment, helper } = options;
        let starter = Starter::new(containment, helper.as_deref())?;
        let (containment, controllers) = (starter.containment(), starter.controllers());
        let (requests, queue) = mpsc::channel(QUEUED_COMMANDS);
        let thread = thread::Builder::new()
            .name("spawner".to_owned())
            .spawn(move || serve(queue, starter))?;
        Ok(Self {
            containment,
            controllers,
            thread: Arc::new(Thread {
                requests: Some(requests),
                thread: Some(thread),
            }),
        })
    }

    /// How the descendants of each child are held together.
    pub fn containment(&self) -> Containment {
        self.containment
    }

    /// Which limits of trees there can be: those whose controllers were handed down to the control group of this process.
    pub fn controllers(&self) -> Controllers {
        self.controllers
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
        self.thread
            .requests
            .as_ref()
            .expect(SERVES)
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

/// The thread, which ends when this is dropped.
#[derive(Debug)]
struct Thread {
    /// None once it is told to end.
    requests: Option<mpsc::Sender<Request>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Thread {
    fn drop(&mut self) {
        drop(self.requests.take());
        if let Some(thread) = self.thread.take() {
            // A panic of it was told when it happened.
            let _ = thread.join();
        }
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
