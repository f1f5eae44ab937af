//! Files that are open for a session.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use exec_protocol::{HandleId, envelope};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::replacement::Replacement;
use super::{FileError, contents};
use crate::limits::MAX_FILE_HANDLES;

/// The open files of one session, by the client's names.
///
/// All but what is declared and withdrawn is asked by work in its turn, so what was asked for earlier of the same name is done.
#[derive(Debug)]
pub(crate) struct Handles {
    /// Held only for the length of a memory operation, never across an await.
    state: Mutex<State>,
    /// Room for open files, of all sessions.
    room: Arc<Semaphore>,
}

#[derive(Debug, Default)]
struct State {
    open: HashMap<HandleId, Arc<Opened>>,
    /// Where new contents will be put, of those that are open for them or are to be.
    declared: HashMap<HandleId, Vec<Arc<Path>>>,
    /// Those of them of which a block was refused, whenever it would have been its turn.
    spoiled: HashSet<HandleId>,
    is_closed: bool,
}

/// Where new contents will be put. Dropped before they were begun, it is forgotten.
#[derive(Debug)]
pub(crate) struct Declaration {
    among: Arc<Handles>,
    id: HandleId,
    path: Arc<Path>,
    is_begun: bool,
}

/// A block that is to be written. Dropped before its turn, it spoils what it is to be a part of.
#[derive(Debug)]
pub(crate) struct Block {
    among: Arc<Handles>,
    id: HandleId,
    has_come: bool,
}

/// A file that is open, and its place among those of all sessions.
#[derive(Debug)]
struct Opened {
    handle: Handle,
    _place: OwnedSemaphorePermit,
}

/// A file that is open.
#[derive(Debug)]
enum Handle {
    Reading(File),
    /// Held while it is written to, by threads that may wait for it.
    Writing(Mutex<Writing>),
}

#[derive(Debug)]
enum Writing {
    Whole(Replacement),
    /// A block could not be written: these contents take nobody's place.
    Spoiled,
}

impl Handles {
    /// None are open. Each will take a place in `room`.
    pub(crate) fn new(room: &Arc<Semaphore>) -> Self {
        Self {
            state: Mutex::default(),
            room: Arc::clone(room),
        }
    }

    /// Takes note of where new contents will be put.
    pub(crate) fn declare(self: &Arc<Self>, id: &HandleId, path: &Path) -> Declaration {
        let path: Arc<Path> = Arc::from(path);
        let mut state = self.lock();
        let declared = state.declared.entry(id.clone()).or_default();
        declared.push(Arc::clone(&path));
        drop(state);
        Declaration {
            among: Arc::clone(self),
            id: id.clone(),
            path,
            is_begun: false,
        }
    }

    /// Where the new contents may be put that the close of this handle completes.
    pub(crate) fn withdraw(&self, id: &HandleId) -> Vec<Arc<Path>> {
        self.lock().declared.remove(id).unwrap_or_default()
    }

    /// Opens a file for reading.
    pub(crate) fn open(&self, id: &HandleId, path: &Path) -> Result<(), FileError> {
        let place = self.admit(id)?;
        self.insert(id, Handle::Reading(contents::open(path)?.0), place)
    }

    /// A block that is to be written.
    pub(crate) fn block(self: &Arc<Self>, id: HandleId) -> Block {
        Block {
            among: Arc::clone(self),
            id,
            has_come: false,
        }
    }

    /// A place for another one, if it may be opened: a look before the file is touched.
    fn admit(&self, id: &HandleId) -> Result<OwnedSemaphorePermit, FileError> {
        self.lock().admit(id)?;
        let place = Arc::clone(&self.room).try_acquire_owned();
        place.map_err(|_| FileError::TooManyHandlesInAll)
    }

    fn insert(&self, id: &HandleId, handle: Handle, place: OwnedSemaphorePermit) -> Result<(), FileError> {
        let mut state = self.lock();
        // Others may have been opened meanwhile, or the session ended.
        state.admit(id)?;
        let opened = Opened {
            handle,
            _place: place,
        };
        state.open.insert(id.clone(), Arc::new(opened));
        Ok(())
    }

    /// Reads a part of a file, fewer bytes than asked for only where it ends, and appends the result to `out`.
    pub(crate) fn read(
        &self,
        id: &HandleId,
        offset: u64,
        length: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), FileError> {
        let opened = self.get(id)?;
        let Handle::Reading(file) = &opened.handle else {
            return Err(FileError::WrongMode("writing"));
        };
        let block = contents::read_at(file, offset, length)?;
        envelope::write_block(out, &block, block.len() < length);
        Ok(())
    }

    fn write(&self, id: &HandleId, offset: u64, block: &[u8]) -> Result<(), FileError> {
        let opened = self.get(id)?;
        let Handle::Writing(writing) = &opened.handle else {
            return Err(FileError::WrongMode("reading"));
        };
        let writing = lock(writing);
        let Writing::Whole(replacement) = &*writing else {
            return Err(FileError::Spoiled);
        };
        Ok(replacement.file().write_all_at(block, offset)?)
    }

    /// A block of what is open is missing.
    fn spoil(&self, id: &HandleId) {
        if let Ok(opened) = self.get(id)
            && let Handle::Writing(writing) = &opened.handle
        {
            *lock(writing) = Writing::Spoiled;
        }
    }

    /// A block will be missing, of what is open or is to be.
    fn spoil_ahead(&self, id: &HandleId) {
        self.spoil(id);
        let mut state = self.lock();
        if state.declared.contains_key(id) {
            state.spoiled.insert(id.clone());
        }
    }

    /// Closes a file. New contents are put in place, if they are whole. A handle that is not open is as good as closed.
    pub(crate) fn close(&self, id: &HandleId) -> Result<(), FileError> {
        let mut state = self.lock();
        let is_spoiled = state.spoiled.remove(id);
        let Some(opened) = state.open.remove(id) else {
            return Ok(());
        };
        drop(state);
        let Handle::Writing(writing) = &opened.handle else {
            return Ok(());
        };
        let writing = std::mem::replace(&mut *lock(writing), Writing::Spoiled);
        match writing {
            Writing::Whole(replacement) if !is_spoiled => replacement.commit(),
            Writing::Whole(_) | Writing::Spoiled => Err(FileError::Spoiled),
        }
    }

    /// Whether nothing is open.
    pub(super) fn are_closed(&self) -> bool {
        self.lock().open.is_empty()
    }

    /// Opens nothing from now on, and gives what is open. None if nothing is.
    pub(super) fn end(&self) -> Option<impl Send + use<>> {
        let mut state = self.lock();
        state.is_closed = true;
        state.declared.clear();
        state.spoiled.clear();
        let open = std::mem::take(&mut state.open);
        (!open.is_empty()).then_some(open)
    }

    fn get(&self, id: &HandleId) -> Result<Arc<Opened>, FileError> {
        self.lock().open.get(id).cloned().ok_or(FileError::UnknownHandle)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl Declaration {
    /// Opens the file for its new contents.
    pub(crate) fn open(mut self, path: &Path) -> Result<(), FileError> {
        let place = self.among.admit(&self.id)?;
        let writing = Writing::Whole(Replacement::begin(path, None)?);
        self.among
            .insert(&self.id, Handle::Writing(Mutex::new(writing)), place)?;
        self.is_begun = true;
        Ok(())
    }
}

impl Drop for Declaration {
    fn drop(&mut self) {
        if self.is_begun {
            return;
        }
        let mut state = self.among.lock();
        if let Some(declared) = state.declared.get_mut(&self.id) {
            declared.retain(|path| !Arc::ptr_eq(path, &self.path));
            if declared.is_empty() {
                state.declared.remove(&self.id);
                state.spoiled.remove(&self.id);
            }
        }
    }
}

impl Block {
    /// Writes it.
    pub(crate) fn write(mut self, offset: u64, bytes: &[u8]) -> Result<(), FileError> {
        self.has_come = true;
        let written = self.among.write(&self.id, offset, bytes);
        written.inspect_err(|_| self.among.spoil(&self.id))
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        if !self.has_come {
            self.among.spoil_ahead(&self.id);
        }
    }
}

impl State {
    fn admit(&self, id: &HandleId) -> Result<(), FileError> {
        if self.is_closed {
            Err(FileError::SessionEnded)
        } else if self.open.contains_key(id) {
            Err(FileError::HandleTaken)
        } else if self.open.len() >= MAX_FILE_HANDLES {
            Err(FileError::TooManyHandles)
        } else {
            Ok(())
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no holder of this lock can panic")
}
