//! The names of spawners' groups: whose they are, and whether that one lives. Pure but for two questions.
use crate::sys::linux::proc::pid_of;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    process::{Pid, PidfdFlags, pidfd_open},
};
use std::{
    fmt, fs, io,
    os::unix::fs::MetadataExt,
    sync::atomic::{AtomicU64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

const PREFIX: &str = "exec-server-";
const NO_TIME: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 0,
};

/// Tells the spawners of one process apart.
static SPAWNERS: AtomicU64 = AtomicU64::new(0);

/// What a spawner's group is called. No other ever has the same name, so that one who removes what is dead cannot
/// hit what somebody has made meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Name {
    pid: Pid,
    number: u64,
    /// Where the pid has a meaning: the inode number of the namespace of pids.
    namespace: u64,
    /// When it was made, in nanoseconds: no two processes have one pid at one time.
    time: u64,
}

impl Name {
    /// A name for a group of this process.
    ///
    /// # Errors
    /// When `/proc` cannot be read.
    pub(super) fn new() -> io::Result<Self> {
        let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok(Self {
            pid: rustix::process::getpid(),
            number: SPAWNERS.fetch_add(1, Ordering::Relaxed),
            namespace: fs::metadata("/proc/self/ns/pid")?.ino(),
            time: u64::try_from(time.as_nanos()).unwrap_or_default(),
        })
    }

    /// None if it is no name of ours.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut fields = text.strip_prefix(PREFIX)?.split('-');
        let pid = pid_of(fields.next()?)?;
        let [number, namespace, time] = [(); 3].map(|()| fields.next()?.parse().ok());
        let name = Self {
            pid,
            number: number?,
            namespace: namespace?,
            time: time?,
        };
        fields.next().is_none().then_some(name)
    }

    /// Whether the process that `self` is the name of is known to `other`'s, and is gone. One whose pid was given
    /// to somebody else passes for alive.
    pub(super) fn is_dead_to(&self, other: &Self) -> bool {
        self.namespace == other.namespace && is_gone(self.pid)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            pid,
            number,
            namespace,
            time,
        } = self;
        write!(f, "{PREFIX}{pid}-{number}-{namespace}-{time}")
    }
}

/// Whether nothing of it runs; a zombie is what its parent makes of it.
fn is_gone(pid: Pid) -> bool {
    match pidfd_open(pid, PidfdFlags::empty()) {
        Ok(pidfd) => {
            let mut fds = [PollFd::new(&pidfd, PollFlags::IN)];
            // A zombie whose other threads still run is not readable.
            poll(&mut fds, Some(&NO_TIME)).is_ok_and(|ready| ready > 0)
        }
        Err(errno) => errno == Errno::SRCH,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn a_name_is_read_as_it_was_written() {
        let (first, second) = (Name::new().unwrap(), Name::new().unwrap());
        assert_ne!(first, second);
        assert_eq!(Name::parse(&first.to_string()), Some(first));
        let others = [
            "exec-server-1-0",
            "exec-server-0-0-1-1",
            "exec-server-1-0-1-1-1",
            "exec-server-1-0-1-",
            "other-1-0-1-1",
            "",
        ];
        for other in others {
            assert_eq!(Name::parse(other), None, "{other}");
        }
    }

    #[test]
    fn only_who_is_known_and_gone_is_dead() {
        let ours = Name::new().unwrap();
        assert!(!ours.is_dead_to(&ours));
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let childs = Name {
            pid: Pid::from_child(&child),
            ..ours
        };
        assert!(!childs.is_dead_to(&ours));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(childs.is_dead_to(&ours));
        let strangers = Name {
            namespace: ours.namespace + 1,
            ..childs
        };
        assert!(!strangers.is_dead_to(&ours));
    }
}
