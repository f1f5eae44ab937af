//! Why file work failed.

use std::io;
use std::path::{Path, PathBuf};

use crate::limits::{MAX_FILE_BYTES, MAX_FILE_HANDLES, MAX_FILE_HANDLES_IN_ALL};

/// Why file work failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    /// There is nothing at the path.
    #[error("{0}")]
    NotFound(io::Error),
    /// Something else than a regular file is there.
    #[error("{} is no regular file", .0.display())]
    NotAFile(PathBuf),
    /// Something else than a directory is there.
    #[error("{} is no directory", .0.display())]
    NotADirectory(PathBuf),
    /// Something is where it was to be made.
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    /// A directory that is to go is not empty.
    #[error("{} is a directory that is not empty, and `recursive` is false", .0.display())]
    NotEmpty(PathBuf),
    /// A directory was to be copied as if it were a file.
    #[error("{} is a directory, and `recursive` is false", .0.display())]
    IsADirectory(PathBuf),
    /// A directory was to be copied to where it would be part of itself.
    #[error("a directory cannot be copied into itself")]
    IntoItself,
    /// It has no name of its own.
    #[error("the root directory is not removed, and nothing by a path that ends in `..`")]
    NoName,
    /// It does not fit into a message.
    #[error(
        "a file of more than {MAX_FILE_BYTES} bytes does not fit into a message; it is read and written in parts by `fs/open` \
         with `fs/readBlock` and `fs/writeBlock`"
    )]
    TooLarge,
    /// Its entries do not fit into a message.
    #[error("the directory has more entries than fit into a message; `fs/walk` gives as many as do")]
    TooManyEntries,
    /// The name is taken.
    #[error("a handle of that name is open")]
    HandleTaken,
    /// There are as many as there may be.
    #[error("the session has {MAX_FILE_HANDLES} open handles already")]
    TooManyHandles,
    /// All sessions together have as many as they may.
    #[error("all sessions together have {MAX_FILE_HANDLES_IN_ALL} open handles already")]
    TooManyHandlesInAll,
    /// No handle of that name is open.
    #[error("no handle of that name is open")]
    UnknownHandle,
    /// It was opened for something else.
    #[error("the handle was opened for {0}")]
    WrongMode(&'static str),
    /// As much is asked for as may be, and nothing of it gets done.
    #[error("too much work on files is not done yet")]
    TooMuchWork,
    /// The system has no thread to do it.
    #[error("there is no thread for it: {0}")]
    NoThread(io::Error),
    /// There is nowhere to put new contents before they are in place.
    #[error("the new contents cannot be kept until they are in place: {0}")]
    NotStaged(io::Error),
    /// Some of the new contents are missing.
    #[error("a block could not be written, so the file is left as it was")]
    Spoiled,
    /// The session's life is over.
    #[error("the session has ended")]
    SessionEnded,
    /// Something that the operating system said.
    #[error("{0}")]
    Io(io::Error),
    /// It was not done, or not to its end.
    #[error("the work on the file was broken off")]
    BrokenOff,
}

impl FileError {
    /// What was said when something was to be made at the path.
    pub(super) fn of_making(error: io::Error, path: &Path) -> Self {
        match error.kind() {
            io::ErrorKind::AlreadyExists => Self::Exists(path.to_owned()),
            _ => error.into(),
        }
    }
}

impl From<io::Error> for FileError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // The latter if something on the way is no directory.
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Self::NotFound(error),
            _ => Self::Io(error),
        }
    }
}
