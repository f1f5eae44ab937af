//! Work on files, on behalf of one session.
//!
//! The file system may let a thread wait for as long as it likes, so nothing here is done by the threads that serve
//! connections: it is done by those that may be blocked, a few at a time for each session.

mod burden;
mod contents;
mod copying;
mod directory;
mod error;
mod handles;
mod order;
mod removal;
mod replacement;
mod threads;
mod walking;

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use exec_protocol::WirePath;
use tokio::sync::{Semaphore, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub(crate) use contents::{metadata, read};
pub(crate) use copying::copy;
pub(crate) use directory::{canonical, create as create_directory, read as read_directory, remove};
pub(crate) use error::FileError;
pub(crate) use order::{Place, Touch};
pub(crate) use replacement::write;
pub(crate) use threads::Threads;
pub(crate) use walking::walk;

use crate::limits::{MAX_FILE_JOBS, MAX_LONG_FILE_JOBS};
use burden::{Burden, Piece};
use handles::Handles;
use order::Order;

/// The file work of one session, and the files that are open for it.
#[derive(Debug)]
pub(crate) struct Files {
    burden: Arc<Burden>,
    order: Arc<Order>,
    /// For work that is under way, or whose outcome was not taken yet.
    room: Arc<Semaphore>,
    /// As much, for work whose outcome may be as long as a message.
    long_room: Arc<Semaphore>,
    handles: Arc<Handles>,
    threads: Threads,
    tasks: TaskTracker,
    /// Those of the tasks that are this session's.
    own_tasks: TaskTracker,
}

/// What is to be known of a piece of work before it begins.
#[derive(Debug)]
pub(crate) struct Work {
    /// What it does to which places.
    pub(crate) touches: Vec<Touch>,
    /// What it is to write, in bytes.
    pub(crate) bytes: usize,
    /// Whether its outcome may be as long as a message.
    pub(crate) is_long: bool,
}

/// The path without a slash at its end and without `.`; `..` is left to the file system.
pub(crate) fn tidied(path: WirePath) -> PathBuf {
    path.into_path().components().collect()
}

/// Device and inode: the same for all names of one thing.
fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

/// None if there is nothing.
fn if_there<T>(found: io::Result<T>) -> io::Result<Option<T>> {
    match found {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        found => found.map(Some),
    }
}

impl Files {
    /// The file work of a new session. Each file that is open for it takes a place in `handles`.
    pub(crate) fn new(threads: &Threads, tasks: &TaskTracker, handles: &Arc<Semaphore>) -> Self {
        Self {
            burden: Arc::new(Burden::new()),
            order: Arc::default(),
            room: Arc::new(Semaphore::new(MAX_FILE_JOBS)),
            long_room: Arc::new(Semaphore::new(MAX_LONG_FILE_JOBS)),
            handles: Arc::new(Handles::new(handles)),
            threads: threads.clone(),
            tasks: tasks.clone(),
            own_tasks: TaskTracker::new(),
        }
    }

    /// Takes a piece of work on that is to be done. Past the bound only what makes it less is.
    pub(crate) fn take_on(&self, makes_less: bool) -> Result<Piece, FileError> {
        self.burden.take_on(makes_less)
    }

    /// Has a job done, in its turn. Its place in the order is taken before this returns. The job is told when nobody waits for
    /// its outcome any more.
    ///
    /// # Cancel safety
    ///
    /// A job that changes something is done also if nobody waits for the outcome; one that only looks is given up.
    pub(crate) fn run<T, F>(
        &self,
        mut piece: Piece,
        work: Work,
        job: F,
    ) -> impl Future<Output = Result<T, FileError>> + Send + use<T, F>
    where
        T: Send + 'static,
        F: FnOnce(&CancellationToken) -> Result<T, FileError> + Send + 'static,
    {
        piece.set_bytes(work.bytes);
        let only_looks = work.touches.iter().all(Touch::is_look);
        let turn = self.order.enter(work.touches);
        let (room, threads) = (Arc::clone(&self.room), self.threads.clone());
        let long_room = work.is_long.then(|| Arc::clone(&self.long_room));
        let given_up = CancellationToken::new();
        let interest = given_up.clone().drop_guard();
        let work = async move {
            let begun = async {
                turn.comes().await;
                let long = match long_room {
                    Some(room) => room.acquire_owned().await.ok(),
                    None => None,
                };
                (room.acquire_owned().await.ok(), long)
            };
            let places = tokio::select! {
                biased;
                places = begun => places,
                () = given_up.cancelled(), if only_looks => return Err(FileError::BrokenOff),
            };
            let (tell, told) = oneshot::channel();
            let job = move || {
                let outcome = job(&given_up);
                drop(turn);
                piece.done();
                // Nobody may want to know.
                let _ = tell.send(outcome);
            };
            threads.run(Box::new(job)).map_err(FileError::NoThread)?;
            Ok((told.await, places))
        };
        let ending = self.ending();
        let done = self.tasks.spawn(self.own_tasks.track_future(async move {
            let outcome = work.await;
            ending.come();
            outcome
        }));
        async move {
            let _interest = interest;
            let (outcome, _places) = done.await.map_err(|_| FileError::BrokenOff)??;
            outcome.unwrap_or(Err(FileError::BrokenOff))
        }
    }

    /// Until when no more work should be asked for. None if more may be.
    pub(crate) fn pause(&self) -> Option<Instant> {
        self.burden.pause()
    }

    /// Whether nothing is to be done, and nothing open.
    pub(crate) fn is_idle(&self) -> bool {
        self.burden.is_none() && self.handles.are_closed()
    }

    /// The files that are open.
    pub(crate) fn handles(&self) -> &Arc<Handles> {
        &self.handles
    }

    /// Takes no work on any more. When what was asked for is done, what is still open is closed: new contents that are not in
    /// place are lost.
    pub(crate) fn end(&self) {
        self.burden.close();
        self.own_tasks.close();
        self.ending().come();
    }

    /// Waits until all that is done, once [`end`](Self::end) was called.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub(crate) async fn settled(&self) {
        self.own_tasks.wait().await;
    }

    fn ending(&self) -> Ending {
        Ending {
            burden: Arc::clone(&self.burden),
            handles: Arc::clone(&self.handles),
            threads: self.threads.clone(),
            trackers: [self.tasks.clone(), self.own_tasks.clone()],
        }
    }
}

/// What is left to do when a session is over, behind all work that was asked for.
struct Ending {
    burden: Arc<Burden>,
    handles: Arc<Handles>,
    threads: Threads,
    trackers: [TaskTracker; 2],
}

impl Ending {
    /// Closes what is open, if the session is over and no work is left.
    fn come(&self) {
        if !self.burden.is_over() {
            return;
        }
        let Some(open) = self.handles.end() else { return };
        let tokens = self.trackers.each_ref().map(TaskTracker::token);
        // It may take its time. Without a thread for it, it has to be done here.
        let _ = self.threads.run(Box::new(move || drop((open, tokens))));
    }
}
