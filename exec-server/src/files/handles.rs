//! Files that are open for a session.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use exec_protocol::fs::OpenMode;
use exec_protocol::{HandleId, envelope};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::replacement::Replacement;
use super::{FileError, contents};
use crate::limits::MAX_FILE_HANDLES;

/// The open files of one session, by the client's names.
#[derive(Debug)]
pub(super) struct Handles {
    /// For files that are open, or to be opened.
    places: Arc<Semaphore>,
    /// Held only for the length of a memory operation, never across an await.
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    handles: HashMap<HandleId, Arc<Handle>>,
    is_closed: bool,
}

/// A file that is to be opened, or is open.
#[derive(Debug)]
pub(crate) struct Handle {
    pub(crate) path: PathBuf,
    pub(crate) mode: OpenMode,
    _place: OwnedSemaphorePermit,
    /// None before it was opened and after it was closed. Held while the file is opened or written to, by threads that may
    /// wait for it.
    opened: Mutex<Option<Opened>>,
}

/// The name of a file that is to be opened. Dropped without having been, it gives the name back.
#[derive(Debug)]
pub(crate) struct Reservation {
    among: Arc<Handles>,
    id: HandleId,
    handle: Arc<Handle>,
    is_open: bool,
}

#[derive(Debug)]
enum Opened {
    Reading(Arc<File>),
    Writing(Replacement),
}

impl Default for Handles {
    fn default() -> Self {
        Self {
            places: Arc::new(Semaphore::new(MAX_FILE_HANDLES)),
            state: Mutex::default(),
        }
    }
}

impl Handles {
    /// Takes the name, so that nobody else can.
    pub(super) fn reserve(
        self: &Arc<Self>,
        id: &HandleId,
        path: &Path,
        mode: OpenMode,
    ) -> Result<Reservation, FileError> {
        let mut state = self.lock();
        if state.is_closed {
            return Err(FileError::SessionEnded);
        }
        match state.handles.entry(id.clone()) {
            Entry::Occupied(_) => Err(FileError::HandleTaken),
            Entry::Vacant(vacant) => {
                let place = Arc::clone(&self.places).try_acquire_owned();
                let handle = Arc::new(Handle {
                    path: path.to_owned(),
                    mode,
                    _place: place.map_err(|_| FileError::TooManyHandles)?,
                    opened: Mutex::default(),
                });
                vacant.insert(Arc::clone(&handle));
                Ok(Reservation {
                    among: Arc::clone(self),
                    id: id.clone(),
                    handle,
                    is_open: false,
                })
            }
        }
    }

    pub(super) fn get(&self, id: &HandleId) -> Result<Arc<Handle>, FileError> {
        self.lock()
            .handles
            .get(id)
            .cloned()
            .ok_or(FileError::UnknownHandle)
    }

    /// Gives the name back, at once: who asks for it next gets it, and waits until the file is closed.
    pub(super) fn take(&self, id: &HandleId) -> Option<Arc<Handle>> {
        self.lock().handles.remove(id)
    }

    /// Gives the name back, if it still stands for this handle.
    fn remove(&self, id: &HandleId, handle: &Arc<Handle>) {
        let mut state = self.lock();
        if state
            .handles
            .get(id)
            .is_some_and(|known| Arc::ptr_eq(known, handle))
        {
            state.handles.remove(id);
        }
    }

    /// Opens nothing from now on, and gives what is open.
    pub(super) fn close(&self) -> Vec<Arc<Handle>> {
        let mut state = self.lock();
        state.is_closed = true;
        state.handles.drain().map(|(_, handle)| handle).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of this lock can panic")
    }
}

impl Reservation {
    /// Opens the file.
    pub(crate) fn open(mut self) -> Result<(), FileError> {
        self.handle.open()?;
        self.is_open = true;
        Ok(())
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if !self.is_open {
            self.among.remove(&self.id, &self.handle);
        }
    }
}

impl Handle {
    fn open(&self) -> Result<(), FileError> {
        let opened = match self.mode {
            OpenMode::Read => Opened::Reading(Arc::new(contents::open(&self.path)?.0)),
            OpenMode::Replace => Opened::Writing(Replacement::begin(&self.path, None)?),
        };
        *self.lock() = Some(opened);
        Ok(())
    }

    /// Reads a part of the file, fewer bytes than asked for only where it ends, and appends the result to `out`.
    pub(crate) fn read(&self, offset: u64, length: usize, out: &mut Vec<u8>) -> Result<(), FileError> {
        let file = match &*self.lock() {
            Some(Opened::Reading(file)) => Arc::clone(file),
            Some(Opened::Writing(_)) => return Err(FileError::WrongMode("writing")),
            None => return Err(FileError::UnknownHandle),
        };
        let block = contents::read_at(&file, offset, length)?;
        envelope::write_block(out, &block, block.len() < length);
        Ok(())
    }

    /// Writes a part of the new contents.
    pub(crate) fn write(&self, offset: u64, block: &[u8]) -> Result<(), FileError> {
        match &*self.lock() {
            Some(Opened::Writing(replacement)) => Ok(replacement.file().write_all_at(block, offset)?),
            Some(Opened::Reading(_)) => Err(FileError::WrongMode("reading")),
            None => Err(FileError::UnknownHandle),
        }
    }

    /// Closes the file. New contents are put in place.
    pub(crate) fn close(&self) -> Result<(), FileError> {
        let opened = self.lock().take();
        match opened {
            Some(Opened::Writing(replacement)) => replacement.commit(),
            Some(Opened::Reading(_)) | None => Ok(()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Opened>> {
        self.opened.lock().expect("no holder of this lock can panic")
    }
}
