//! The directory of a control group.
use crate::sys::linux::proc::pid_of;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::Pid,
};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

/// How long it is waited for a death before the next look.
const LOOK: Duration = Duration::from_millis(20);
/// The pause before something is tried again that nobody tells of.
const RETRY: Duration = Duration::from_millis(1);

/// A group's directory, by its path: no descriptor is held for it. What is gone has no members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sys::linux) struct Directory(PathBuf);

impl Directory {
    pub(in crate::sys::linux) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Kills everybody in it and below, also who is forked meanwhile.
    pub(in crate::sys::linux) fn kill(&self) -> io::Result<()> {
        ignore_gone(self.write_kill())
    }

    /// # Errors
    /// Before Linux 5.14, which has no such file.
    pub(super) fn write_kill(&self) -> io::Result<()> {
        self.write("cgroup.kill", "1")
    }

    /// Writes one of its files, which the kernel has made.
    pub(super) fn write(&self, name: &str, text: &str) -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).open(self.0.join(name))?;
        file.write_all(text.as_bytes())
    }

    /// The text of one of its files.
    pub(super) fn read(&self, name: &str) -> io::Result<String> {
        fs::read_to_string(self.0.join(name))
    }

    /// Removes it with what is below. False if somebody lives in it.
    pub(in crate::sys::linux) fn remove(&self) -> io::Result<bool> {
        match fs::remove_dir(&self.0) {
            Ok(()) => return Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
            Err(error) if is_busy(&error) => {}
            Err(error) => return Err(error),
        }
        let mut is_empty = !self.is_populated()?;
        if is_empty {
            // A child may have made groups of its own inside.
            for below in self.below()? {
                // One that cannot be removed keeps this one, and none of the others.
                is_empty &= below.remove().unwrap_or(false);
            }
        }
        if !is_empty {
            return Ok(false);
        }
        match fs::remove_dir(&self.0) {
            Err(error) if is_busy(&error) => Ok(false),
            removed => ignore_gone(removed).map(|()| true),
        }
    }

    /// Removes it, and waits for those who are dying at most so long. False if somebody lives on.
    ///
    /// # Errors
    /// The last one, if each try failed.
    pub(in crate::sys::linux) fn remove_within(&self, patience: Duration) -> io::Result<bool> {
        let mut left = patience;
        loop {
            match self.remove() {
                Ok(true) => return Ok(true),
                removed if left.is_zero() => return removed,
                // Also when it failed: others may be removing the same, and something may be in short supply.
                Ok(false) | Err(_) => self.wait_for_a_death(LOOK.min(left)),
            }
            left = left.saturating_sub(LOOK);
        }
    }

    /// Waits until the last one is gone, at most so long.
    fn wait_for_a_death(&self, patience: Duration) {
        let Ok(Some(events)) = self.events() else {
            return thread::sleep(RETRY.min(patience));
        };
        // What changes after this look wakes the wait. Who is not counted is gone in a moment.
        if is_populated(&events).unwrap_or(false) {
            let mut fds = [PollFd::new(&events, PollFlags::PRI)];
            let patience = Timespec::try_from(patience).unwrap_or_default();
            // Waking early means one look more.
            let _ = poll(&mut fds, Some(&patience));
        } else {
            thread::sleep(RETRY.min(patience));
        }
    }

    /// The file that tells when the last one is gone; none if the group is gone itself.
    pub(super) fn events(&self) -> io::Result<Option<File>> {
        match File::open(self.0.join("cgroup.events")) {
            Ok(file) => Ok(Some(file)),
            Err(error) if is_gone(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn is_populated(&self) -> io::Result<bool> {
        self.events()?.map_or(Ok(false), |events| is_populated(&events))
    }

    /// Everybody alive in it and below.
    pub(super) fn members(&self) -> io::Result<Vec<Pid>> {
        let mut members = Vec::new();
        self.add_members(&mut members)?;
        Ok(members)
    }

    fn add_members(&self, members: &mut Vec<Pid>) -> io::Result<()> {
        match fs::read_to_string(self.0.join("cgroup.procs")) {
            Ok(pids) => members.extend(pids.lines().filter_map(pid_of)),
            // A threaded group has its processes listed above.
            Err(error) if is_gone(&error) || error.raw_os_error() == Some(libc::EOPNOTSUPP) => {}
            Err(error) => return Err(error),
        }
        for below in self.below()? {
            below.add_members(members)?;
        }
        Ok(())
    }

    fn below(&self) -> io::Result<Vec<Self>> {
        let entries = match fs::read_dir(&self.0) {
            Ok(entries) => entries,
            Err(error) if is_gone(&error) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let directories = entries.filter_map(|entry| {
            let entry = entry.ok()?;
            entry.file_type().ok()?.is_dir().then(|| Self(entry.path()))
        });
        Ok(directories.collect())
    }
}

/// Whether somebody lives in the group whose `cgroup.events` this is, or below. Whoever waits for the file is
/// woken by changes since this.
pub(super) fn is_populated(events: &File) -> io::Result<bool> {
    /// The file has two short lines.
    const BYTES: usize = 128;
    let mut text = [0; BYTES];
    match events.read_at(&mut text, 0) {
        Ok(count) => Ok(text[..count]
            .split(|&byte| byte == b'\n')
            .any(|line| line == b"populated 1")),
        Err(error) if is_gone(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

fn ignore_gone(result: io::Result<()>) -> io::Result<()> {
    result.or_else(|error| if is_gone(&error) { Ok(()) } else { Err(error) })
}

/// A file of a group that is gone says `ENODEV` if it was open already.
fn is_gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(libc::ENODEV)
}

fn is_busy(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EBUSY | libc::ENOTEMPTY))
}
