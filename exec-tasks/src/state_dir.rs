//! Where tasks are kept: a directory that one server has at a time.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use exec_protocol::task::TaskId;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};
use tokio::time::Instant;

/// Nobody but its user may look into it: output and environments hold secrets.
const PRIVATE: u32 = 0o700;

/// How long a directory is waited for whose server has died: a thread of it may still be writing to a slow disk.
const DEAD_HOLDER: Duration = Duration::from_secs(15);

/// Between two tries.
const BETWEEN_TRIES: Duration = Duration::from_millis(5);

/// Most that is read from a lock to say who has it, in bytes.
const HOLDER_BYTES: u64 = 64;

/// A directory in which tasks are kept, locked for this server. Dropping it lets others have it.
#[derive(Debug)]
pub(crate) struct StateDir {
    path: PathBuf,
    /// Locked as long as it is open; the system lets go of it with this program.
    _lock: File,
}

/// Why a directory cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum StateDirError {
    /// Another server has it.
    #[error("the state directory {} is in use by another server{}", path.display(), of(*holder))]
    InUse {
        /// Which one.
        path: PathBuf,
        /// Its pid, if it can be told.
        holder: Option<u32>,
    },
    /// The system does not let us.
    #[error("the state directory {} cannot be used", path.display())]
    Io {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

fn of(holder: Option<u32>) -> String {
    holder.map_or_else(String::new, |pid| format!(" (pid {pid})"))
}

impl StateDir {
    /// Takes a directory for this server, and makes it if it is not there.
    ///
    /// # Errors
    ///
    /// A [`StateDirError`]; nothing in it was changed then.
    pub(crate) fn open(path: &Path) -> Result<Self, StateDirError> {
        let io = |source| StateDirError::Io {
            path: path.to_owned(),
            source,
        };
        DirBuilder::new()
            .recursive(true)
            .mode(PRIVATE)
            .create(path)
            .map_err(io)?;
        let mut lock = private_file(&path.join("lock")).map_err(io)?;
        take(&mut lock, path)?;
        // One that was there before may be open to others.
        fs::set_permissions(path, fs::Permissions::from_mode(PRIVATE)).map_err(io)?;
        // SQLite would let others read it, if they came so far.
        private_file(&database(path)).map_err(io)?;
        DirBuilder::new()
            .recursive(true)
            .mode(PRIVATE)
            .create(logs(path))
            .map_err(io)?;
        lock.set_len(0).map_err(io)?;
        // For people; the lock holds without it, also where the disk is full.
        let _ = writeln!(lock, "{}", std::process::id());
        Ok(Self {
            path: path.to_owned(),
            _lock: lock,
        })
    }

    /// The file of the records.
    pub(crate) fn database(&self) -> PathBuf {
        database(&self.path)
    }

    /// The directory of all logs.
    pub(crate) fn logs(&self) -> PathBuf {
        logs(&self.path)
    }
}

/// Locks the directory, waiting for one that has died: until each of its children has become another program, or has died too,
/// they hold what it held.
fn take(lock: &mut File, path: &Path) -> Result<(), StateDirError> {
    let deadline = Instant::now() + DEAD_HOLDER;
    loop {
        match flock(&*lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(()),
            Err(Errno::WOULDBLOCK) => {}
            Err(error) => {
                return Err(StateDirError::Io {
                    path: path.to_owned(),
                    source: error.into(),
                });
            }
        }
        let holder = holder(lock);
        if holder.is_none_or(is_alive) || Instant::now() >= deadline {
            return Err(StateDirError::InUse {
                path: path.to_owned(),
                holder,
            });
        }
        thread::sleep(BETWEEN_TRIES);
    }
}

/// Whether a process runs. One that was killed is dead although a thread of it may still wait for the disk, and hold its files.
fn is_alive(pid: u32) -> bool {
    if let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat"))
        && let Some((_, state)) = stat.rsplit_once(") ")
    {
        return !state.starts_with(['Z', 'X']);
    }
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    pid.is_some_and(|pid| test_kill_process(pid) != Err(Errno::SRCH))
}

/// The file of the records in a directory.
pub(crate) fn database(state_dir: &Path) -> PathBuf {
    state_dir.join("tasks.db")
}

fn logs(state_dir: &Path) -> PathBuf {
    state_dir.join("logs")
}

/// Opens a file that is its user's alone, and makes it if it is not there.
fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    options.mode(0o600).open(path)
}

/// The directory of a task's logs among those of all.
pub(crate) fn logs_of(logs: &Path, task: &TaskId) -> PathBuf {
    logs.join(task.as_str())
}

fn holder(lock: &mut File) -> Option<u32> {
    let mut text = String::new();
    lock.rewind().ok()?;
    lock.take(HOLDER_BYTES).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_server_has_it_at_a_time() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a/b");
        let first = StateDir::open(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, PRIVATE);
        let error = StateDir::open(&path).unwrap_err();
        let said = format!(
            "the state directory {} is in use by another server (pid {})",
            path.display(),
            std::process::id()
        );
        assert_eq!(error.to_string(), said);
        drop(first);
        StateDir::open(&path).unwrap();
    }

    #[test]
    fn one_that_others_could_look_into_is_closed_to_them() {
        let directory = tempfile::tempdir().unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let _dir = StateDir::open(directory.path()).unwrap();
        let mode = fs::metadata(directory.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, PRIVATE);
    }

    #[test]
    fn what_is_no_directory_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = StateDir::open(file.path()).unwrap_err();
        assert!(matches!(error, StateDirError::Io { .. }), "{error:?}");
    }

    #[test]
    fn who_was_killed_is_dead_before_anybody_has_reaped_it() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let deadline = Instant::now() + Duration::from_secs(30);
        while is_alive(child.id()) {
            assert!(Instant::now() < deadline, "a zombie counts as alive");
            thread::yield_now();
        }
        assert!(is_alive(std::process::id()));
        child.wait().unwrap();
    }
}
