//! Threads that the disk may hold up.

use std::io;
use std::sync::Arc;
use std::thread;

use tokio::runtime::Handle;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

use crate::error::TaskError;

/// Work that waits for a thread. Whoever has more waits with it.
const WAITING: usize = 64;

/// Looks at logs that are taken at the same time. Each may read a whole log.
const READERS: usize = 4;

/// What a thread does.
type Job = Box<dyn FnOnce() + Send>;

/// One thread, which does what it is given in its order.
#[derive(Debug, Clone)]
pub(crate) struct Worker {
    jobs: mpsc::Sender<Job>,
}

impl Worker {
    /// Starts the thread. It ends with the last handle.
    ///
    /// # Errors
    ///
    /// When the system has no thread to give.
    pub(crate) fn start(name: &str) -> io::Result<Self> {
        let (jobs, mut waiting) = mpsc::channel::<Job>(WAITING);
        thread::Builder::new().name(name.to_owned()).spawn(move || {
            while let Some(job) = waiting.blocking_recv() {
                job();
            }
        })?;
        Ok(Self { jobs })
    }

    /// Does `work` when those before it are done, and tells nobody. False if too many are before it.
    pub(crate) fn try_begin(&self, work: impl FnOnce() + Send + 'static) -> bool {
        self.jobs.try_send(Box::new(work)).is_ok()
    }

    /// Does `work` when those before it are done.
    ///
    /// # Errors
    ///
    /// [`TaskError::ShuttingDown`] if the thread has ended.
    ///
    /// # Cancel safety
    ///
    /// The work is done or not; what it gives is lost.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, TaskError> {
        let (sender, outcome) = oneshot::channel();
        let job: Job = Box::new(move || {
            // Whoever asked may have gone away.
            let _ = sender.send(work());
        });
        self.jobs.send(job).await.map_err(|_| TaskError::ShuttingDown)?;
        outcome.await.map_err(|_| TaskError::ShuttingDown)
    }
}

/// Threads for looks at logs, a few at a time.
#[derive(Debug, Clone)]
pub(crate) struct Readers {
    room: Arc<Semaphore>,
    runtime: Handle,
    errands: TaskTracker,
}

impl Readers {
    /// Threads that are waited for on this runtime, in tasks that are tracked there.
    pub(crate) fn new(runtime: &Handle, errands: &TaskTracker) -> Self {
        Self {
            room: Arc::new(Semaphore::new(READERS)),
            runtime: runtime.clone(),
            errands: errands.clone(),
        }
    }

    /// Begins nothing from now on.
    pub(crate) fn close(&self) {
        self.room.close();
    }

    /// Does `work` on a thread of its own, when there is room for one.
    ///
    /// # Errors
    ///
    /// When the system has no thread to give.
    ///
    /// # Cancel safety
    ///
    /// Once begun it is carried out; what it gives is lost.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, TaskError> {
        let (sender, outcome) = oneshot::channel();
        let room = Arc::clone(&self.room);
        // Room that comes free is given to who is next, looked at or not: who asks may not be polled for as long as a client does
        // not read, and would keep it from all others.
        let beginning = async move {
            let room = room.acquire_owned().await.map_err(|_| TaskError::ShuttingDown)?;
            let job = move || {
                let done = work();
                drop(room);
                // Whoever asked may have gone away.
                let _ = sender.send(done);
            };
            thread::Builder::new()
                .name("exec-tasks-read".to_owned())
                .spawn(job)
                .map_err(TaskError::Os)?;
            Ok::<_, TaskError>(())
        };
        let beginning = self.errands.spawn_on(beginning, &self.runtime);
        let begun = AbortOnDropHandle::new(beginning).await;
        begun.map_err(|_| TaskError::ShuttingDown)??;
        outcome.await.map_err(|_| TaskError::ShuttingDown)
    }
}
