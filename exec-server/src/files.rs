//! Work on files, on behalf of one session.
//!
//! The file system may let a thread wait for as long as it likes, so nothing here is done by the threads that serve
//! connections: it is done by those that may be blocked, a few at a time for each session.

mod contents;
mod copying;
mod directory;
mod error;
mod handles;
mod interest;
mod order;
mod replacement;
mod walking;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use exec_protocol::fs::OpenMode;
use exec_protocol::{HandleId, WirePath};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio_util::task::TaskTracker;

pub(crate) use contents::{metadata, read};
pub(crate) use copying::copy;
pub(crate) use directory::{canonical, create as create_directory, read as read_directory, remove};
pub(crate) use error::FileError;
pub(crate) use handles::Handle;
pub(crate) use interest::Interest;
pub(crate) use order::{Place, Touch};
pub(crate) use replacement::write;
pub(crate) use walking::walk;

use crate::limits::MAX_FILE_JOBS;
use handles::Handles;
use order::Order;

/// The file work of one session, and the files that are open for it.
#[derive(Debug)]
pub(crate) struct Files {
    order: Arc<Order>,
    /// For work that is under way, or whose outcome was not taken yet.
    room: Arc<Semaphore>,
    handles: Handles,
    is_over: AtomicBool,
    tasks: TaskTracker,
}

/// The path without a slash at its end and without `.`; `..` is left to the file system.
pub(crate) fn tidied(path: WirePath) -> PathBuf {
    path.into_path().components().collect()
}

impl Files {
    pub(crate) fn new(tasks: &TaskTracker) -> Self {
        Self {
            order: Arc::default(),
            room: Arc::new(Semaphore::new(MAX_FILE_JOBS)),
            handles: Handles::default(),
            is_over: AtomicBool::new(false),
            tasks: tasks.clone(),
        }
    }

    /// Has a job done, in its turn. Its place in the order is taken before this returns.
    ///
    /// # Cancel safety
    ///
    /// A job that changes something is done also if nobody waits for the outcome; one that only looks is given up.
    pub(crate) fn run<T, F>(
        &self,
        touches: Vec<Touch>,
        job: F,
    ) -> impl Future<Output = Result<T, FileError>> + Send + use<T, F>
    where
        T: Send + 'static,
        F: FnOnce(&Interest) -> Result<T, FileError> + Send + 'static,
    {
        let is_over = self.is_over.load(Relaxed);
        let only_looks = touches.iter().all(Touch::is_look);
        let turn = self.order.enter(touches);
        let room = Arc::clone(&self.room);
        let (interested, interest) = Interest::new();
        let done = self.tasks.spawn(async move {
            if is_over {
                return Err(FileError::SessionEnded);
            }
            turn.comes().await;
            let place = room.acquire_owned().await.map_err(|_| FileError::BrokenOff)?;
            if only_looks && interest.is_lost() {
                return Err(FileError::BrokenOff);
            }
            let outcome = spawn_blocking(move || {
                let outcome = job(&interest);
                drop(turn);
                outcome
            });
            Ok((outcome.await, place))
        });
        async move {
            let _interested = interested;
            let (outcome, _place) = done.await.map_err(|_| FileError::BrokenOff)??;
            outcome.unwrap_or(Err(FileError::BrokenOff))
        }
    }

    /// Takes a name for a file that is to be opened.
    pub(crate) fn reserve(
        &self,
        id: &HandleId,
        path: &Path,
        mode: OpenMode,
    ) -> Result<Arc<Handle>, FileError> {
        self.handles.reserve(id, path, mode)
    }

    /// The handle of this name, which may still have to be opened.
    pub(crate) fn handle(&self, id: &HandleId) -> Result<Arc<Handle>, FileError> {
        self.handles.get(id)
    }

    /// Opens the file of a handle. If that fails, its name is given back.
    pub(crate) fn open(&self, id: &HandleId, handle: &Arc<Handle>) -> Result<(), FileError> {
        let opened = handle.open();
        if opened.is_err() {
            self.handles.remove(id, handle);
        }
        opened
    }

    /// Gives the name of a handle back, whose file is to be closed. None if there is none of this name.
    pub(crate) fn take(&self, id: &HandleId) -> Option<Arc<Handle>> {
        self.handles.take(id)
    }

    /// Nothing is begun any more, and what is open is closed: new contents that are not in place are lost.
    pub(crate) fn end(&self) {
        self.is_over.store(true, Relaxed);
        let open = self.handles.close();
        if !open.is_empty() {
            self.tasks.spawn_blocking(move || drop(open));
        }
    }
}
