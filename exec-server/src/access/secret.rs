//! Something that nobody else may know.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use rustix::process::geteuid;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::limits::{MAX_SECRET_FILE_BYTES, MIN_SECRET_BYTES};

/// The bits of a file's mode that let the group or others read, change or run it.
const OPEN_TO_OTHERS: u32 = 0o077;

/// Something that nobody else may know: not printed, wiped from memory when it is dropped, compared in constant time.
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

/// Why there is no secret to be had. Holds nothing of it.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file cannot be opened or read.
    #[error("the secret in {} cannot be read", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is a directory, a pipe or a device.
    #[error("{} is not a regular file; write the secret into one, or pass it by a descriptor", path.display())]
    NotAFile {
        /// Which one.
        path: PathBuf,
    },
    /// Its owner could change what it says.
    #[error("{} belongs to user {owner}, who could change it; only this user or root may own a file with a secret", path.display())]
    ForeignOwner {
        /// Which file.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
    },
    /// Others have a right to it.
    #[error("others may use {} (mode {mode:04o}), so it is no secret; `chmod 600` keeps them out", path.display())]
    OpenToOthers {
        /// Which file.
        path: PathBuf,
        /// Who may do what, as `chmod` has it.
        mode: u32,
    },
    /// There is nothing in it.
    #[error("the secret in {} is empty", path.display())]
    Empty {
        /// Which file.
        path: PathBuf,
    },
    /// It can be guessed.
    #[error("the secret in {} has {bytes} bytes, and fewer than {MIN_SECRET_BYTES} can be guessed; `openssl rand -hex 32` makes a good one", path.display())]
    TooShort {
        /// Which file.
        path: PathBuf,
        /// Its length.
        bytes: usize,
    },
    /// It is something else.
    #[error("{} has more than {MAX_SECRET_FILE_BYTES} bytes, which is no secret but something else", path.display())]
    TooLong {
        /// Which file.
        path: PathBuf,
    },
}

impl Secret {
    /// What stands in this file, without the white space at its end if it is text.
    ///
    /// The file may be reached by symbolic links; what is checked is the one that was opened.
    ///
    /// # Errors
    ///
    /// A [`SecretError`], also if anybody but this user and root could have read or changed it.
    pub fn from_file(path: &Path) -> Result<Self, SecretError> {
        let io = |source| SecretError::Io {
            path: path.to_owned(),
            source,
        };
        let file = OpenOptions::new()
            .read(true)
            // Opening a pipe would wait for somebody who writes.
            .custom_flags((OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed())
            .open(path)
            .map_err(io)?;
        let metadata = file.metadata().map_err(io)?;
        let (owner, mode) = (metadata.uid(), metadata.mode() & 0o7777);
        let path_buf = || path.to_owned();
        if !metadata.is_file() {
            return Err(SecretError::NotAFile { path: path_buf() });
        }
        if owner != 0 && owner != geteuid().as_raw() {
            let path = path_buf();
            return Err(SecretError::ForeignOwner { path, owner });
        }
        if mode & OPEN_TO_OTHERS != 0 {
            let path = path_buf();
            return Err(SecretError::OpenToOthers { path, mode });
        }
        Self::read(file, path)
    }

    /// What comes out of a descriptor that was handed over, up to its end, as from a file. `name` is what errors call it.
    ///
    /// Whoever hands a descriptor over has opened it, so nothing is asked of what is behind it.
    ///
    /// # Errors
    ///
    /// A [`SecretError`] about its length, or that it cannot be read.
    pub fn from_descriptor(descriptor: File, name: &Path) -> Result<Self, SecretError> {
        Self::read(descriptor, name)
    }

    fn read(from: impl Read, path: &Path) -> Result<Self, SecretError> {
        let path = path.to_owned();
        let limit = MAX_SECRET_FILE_BYTES + 1;
        // Whole from the beginning: a vector that grows leaves copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(limit));
        if let Err(source) = from.take(limit as u64).read_to_end(&mut bytes) {
            return Err(SecretError::Io { path, source });
        }
        if bytes.len() == limit {
            return Err(SecretError::TooLong { path });
        }
        // Random bytes may end in one that looks like a space; editors only add one to text.
        if std::str::from_utf8(&bytes).is_ok() {
            let length = bytes.trim_ascii_end().len();
            bytes.truncate(length);
        }
        match bytes.len() {
            0 => Err(SecretError::Empty { path }),
            bytes if bytes < MIN_SECRET_BYTES => Err(SecretError::TooShort { path, bytes }),
            _ => Ok(Self(bytes)),
        }
    }

    #[cfg(any(fuzzing, test))]
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self(bytes.to_vec().into())
    }

    pub(super) fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Secret {}

#[cfg(test)]
mod tests;
