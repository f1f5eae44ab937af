//! Where the logs of a task are.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use super::header::Header;

/// What the name of a raw log ends in.
const RAW: &str = "log";

/// What the name of an index ends in.
const INDEX: &str = "index";

/// The two files of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogFiles {
    directory: PathBuf,
    raw: PathBuf,
    index: PathBuf,
}

impl LogFiles {
    /// Those of this attempt, in the task's own directory.
    pub(crate) fn new(directory: &Path, attempt: u32) -> Self {
        Self {
            directory: directory.to_owned(),
            raw: directory.join(format!("{attempt}.{RAW}")),
            index: directory.join(format!("{attempt}.{INDEX}")),
        }
    }

    /// The raw log: the bytes as they were written.
    #[cfg(test)]
    pub(crate) fn raw(&self) -> &Path {
        &self.raw
    }

    /// Makes them, and the directory if there is none, for their owner only.
    ///
    /// # Errors
    ///
    /// If one of them is there already, and what the system says.
    pub(super) fn create(&self) -> io::Result<(File, File)> {
        match DirBuilder::new().mode(0o700).create(&self.directory) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let create = |path: &Path| {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create_new(true).mode(0o600);
            options.open(path)
        };
        Ok((create(&self.raw)?, create(&self.index)?))
    }

    /// Opens them to read.
    ///
    /// # Errors
    ///
    /// If one of them is not there or no regular file, and what the system says.
    pub(super) fn open(&self) -> io::Result<(File, File)> {
        let mut options = OpenOptions::new();
        options.read(true);
        Ok((open(&self.raw, &mut options)?, open(&self.index, &mut options)?))
    }

    /// Opens them to be put in order. An index is made if there is none.
    ///
    /// # Errors
    ///
    /// If there is no raw log, or one of them is no regular file, and what the system says.
    pub(super) fn open_to_repair(&self) -> io::Result<(File, File)> {
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        let raw = open(&self.raw, &mut options)?;
        let index = open(&self.index, options.create(true).mode(0o600))?;
        Ok((raw, index))
    }
}

/// What the logs in a task's directory hold, in bytes, as a quota counts it: 0 if there is no directory.
///
/// # Errors
///
/// What the system says.
pub(crate) fn held(directory: &Path) -> io::Result<u64> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        entries => entries?,
    };
    let mut held: u64 = 0;
    for entry in entries {
        let path = entry?.path();
        if path.extension() == Some(OsStr::new(RAW)) {
            held = held.saturating_add(held_by(&path)?);
        }
    }
    Ok(held)
}

/// Removes a task's directory with all that is in it. Returns what is to be given back to the quota, in bytes; 0 if there
/// is no directory.
///
/// # Errors
///
/// What the system says.
pub(crate) fn remove(directory: &Path) -> io::Result<u64> {
    let held = held(directory)?;
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(held),
    }
}

fn held_by(raw: &Path) -> io::Result<u64> {
    let raw_bytes = fs::symlink_metadata(raw)?.len();
    match open(&raw.with_extension(INDEX), OpenOptions::new().read(true)) {
        Ok(index) => {
            let first = Header::read(&index)?.unwrap_or_default().first;
            Ok(first.held(raw_bytes, index.metadata()?.len()))
        }
        // Without an index the log was never begun, or somebody has taken it.
        Err(_) => Ok(raw_bytes),
    }
}

/// Opens a regular file. A symlink is none, and what else somebody may have put there is not waited for.
fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY)
        .bits()
        .cast_signed();
    let file = options.custom_flags(flags).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    Ok(file)
}
