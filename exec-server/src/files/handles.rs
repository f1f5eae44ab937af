//! Files that are open for a session.

use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use exec_protocol::fs::OpenMode;
use exec_protocol::{HandleId, envelope};

use super::replacement::Replacement;
use super::{FileError, contents};
use crate::limits::MAX_FILE_HANDLES;

/// The open files of one session, by the client's names.
///
/// All but [`declare`](Self::declare) and [`withdraw`](Self::withdraw) is called by work in its turn, so what was asked for
/// earlier of the same name is done.
#[derive(Debug, Default)]
pub(crate) struct Handles {
    /// Held only for the length of a memory operation, never across an await.
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    open: HashMap<HandleId, Arc<Handle>>,
    /// Where new contents will be put, of those that are open for them or are to be.
    declared: HashMap<HandleId, Arc<Path>>,
    is_closed: bool,
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
    /// Takes note of where new contents will be put.
    pub(crate) fn declare(&self, id: &HandleId, path: &Path) {
        let mut state = self.lock();
        let declared = state.declared.entry(id.clone());
        declared.or_insert_with(|| Arc::from(path));
    }

    /// Where the new contents will be put that the close of this handle completes. None if there are none.
    pub(crate) fn withdraw(&self, id: &HandleId) -> Option<Arc<Path>> {
        self.lock().declared.remove(id)
    }

    /// Opens a file.
    pub(crate) fn open(&self, id: &HandleId, path: &Path, mode: OpenMode) -> Result<(), FileError> {
        let opened = self.admit(id).and_then(|()| {
            let handle = match mode {
                OpenMode::Read => Handle::Reading(contents::open(path)?.0),
                OpenMode::Replace => {
                    Handle::Writing(Mutex::new(Writing::Whole(Replacement::begin(path, None)?)))
                }
            };
            self.insert(id, handle)
        });
        if opened.is_err() {
            let mut state = self.lock();
            if !state.open.contains_key(id) {
                state.declared.remove(id);
            }
        }
        opened
    }

    /// Whether another one may be opened: a look before the file is touched.
    fn admit(&self, id: &HandleId) -> Result<(), FileError> {
        self.lock().admit(id)
    }

    fn insert(&self, id: &HandleId, handle: Handle) -> Result<(), FileError> {
        let mut state = self.lock();
        // Others may have been opened meanwhile, or the session ended.
        state.admit(id)?;
        state.open.insert(id.clone(), Arc::new(handle));
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
        let handle = self.get(id)?;
        let Handle::Reading(file) = &*handle else {
            return Err(FileError::WrongMode("writing"));
        };
        let block = contents::read_at(file, offset, length)?;
        envelope::write_block(out, &block, block.len() < length);
        Ok(())
    }

    /// Writes a part of new contents. If it cannot be written, they are spoiled.
    pub(crate) fn write(&self, id: &HandleId, offset: u64, block: &[u8]) -> Result<(), FileError> {
        let handle = self.get(id)?;
        let Handle::Writing(writing) = &*handle else {
            return Err(FileError::WrongMode("reading"));
        };
        let mut writing = lock(writing);
        let Writing::Whole(replacement) = &*writing else {
            return Err(FileError::Spoiled);
        };
        let written = replacement.file().write_all_at(block, offset);
        if written.is_err() {
            *writing = Writing::Spoiled;
        }
        Ok(written?)
    }

    /// Closes a file. New contents are put in place, if they are whole. A handle that is not open is as good as closed.
    pub(crate) fn close(&self, id: &HandleId) -> Result<(), FileError> {
        let Some(handle) = self.lock().open.remove(id) else {
            return Ok(());
        };
        let Handle::Writing(writing) = &*handle else {
            return Ok(());
        };
        let writing = std::mem::replace(&mut *lock(writing), Writing::Spoiled);
        match writing {
            Writing::Whole(replacement) => replacement.commit(),
            Writing::Spoiled => Err(FileError::Spoiled),
        }
    }

    /// Opens nothing from now on, and gives what is open. None if nothing is.
    pub(super) fn end(&self) -> Option<impl Send + use<>> {
        let mut state = self.lock();
        state.is_closed = true;
        state.declared.clear();
        let open = std::mem::take(&mut state.open);
        (!open.is_empty()).then_some(open)
    }

    fn get(&self, id: &HandleId) -> Result<Arc<Handle>, FileError> {
        self.lock().open.get(id).cloned().ok_or(FileError::UnknownHandle)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
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
