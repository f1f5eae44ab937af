//! How far a child's descendants are held together.
use crate::sys;
use std::{error, fmt, io, path::PathBuf};

/// How far a child's descendants are held together, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Containment {
    /// Each child has a control group (cgroup v2) of its own, which holds whoever is forked in it, in whichever
    /// session, and tells and kills them at once.
    ///
    /// Out of it comes who may write to the `cgroup.procs` of another group: root, and a user to whom the groups
    /// above were handed over. When this process is killed, its keeper ends the groups. Another keeper takes the
    /// place of one that was killed when the next child is started; if both die before that, the groups are
    /// ended by the next spawner that is made in the same control group and namespace of pids, unless the pid of
    /// this process was given to somebody else.
    Cgroup,
    /// Each child has a small process above it that inherits its orphans (a subreaper), and so knows all of
    /// them, in whichever session.
    ///
    /// They are free when somebody kills that process, who may be one of them. The leader dies with it, its exit
    /// says so ([`SIGKILL`](crate::ExitStatus::Signal)), and what can be reached from then on is the leader's
    /// session: until it is reaped, which is soon, and from Linux 6.9 on until its group is empty. Whoever is in
    /// a session of their own has left. Stopping that process delays the end of the tree only until somebody
    /// asks for it, or this process is gone; but dropping the [`Spawner`](crate::Spawner) does not wake it.
    Supervisor,
    /// The process group and the kernel's session of the leader. Whoever begins a session of their own
    /// (`setsid`, a daemon) has left. When this process is killed, the leader dies, and nobody else.
    Group,
}

impl Containment {
    /// The name for configuration files and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cgroup => "cgroup",
            Self::Supervisor => "supervisor",
            Self::Group => "group",
        }
    }
}

impl fmt::Display for Containment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a [`Spawner`](crate::Spawner) can be told. The default is the strongest containment there is without a
/// helper.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SpawnerOptions {
    /// None: the strongest there is: cgroup, else supervisor (if there is a helper), else group.
    pub containment: Option<Containment>,
    /// The program that ends trees when this one is killed: one whose `main` calls
    /// [`helper::run_if_asked`](crate::helper::run_if_asked) first. `/proc/self/exe` is this program.
    ///
    /// A supervisor cannot do without. In cgroup mode, without one only the leaders die when this process is
    /// killed; what they have started lives on until another spawner is made beside it.
    pub helper: Option<PathBuf>,
}

/// Why a spawner could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SpawnerError {
    /// This machine does not have the containment that was asked for, or the helper cannot be run. A helper
    /// that cannot be run is an error even where something weaker would do without it. One that runs and is no
    /// helper may be noticed by the first spawn only.
    #[error("containment by {containment} is unavailable")]
    Unavailable {
        /// What was tried.
        containment: Containment,
        /// What is missing.
        source: Box<dyn error::Error + Send + Sync>,
    },
    /// The system has no thread or no memory left, or is older than Linux 5.4 (`ENOSYS` or `EINVAL`).
    #[error("the spawner could not be made")]
    Os(#[from] io::Error),
}

/// Moves this program to a control group below its own, if it is alone in that. False if it is not, or need not.
///
/// The kernel hands the memory controller down only through a group without members, or the root of the hierarchy: [limits
/// of trees](crate::TreeLimits) take this where a service manager or a container has handed a group over. To be called
/// before the first [`Spawner`](crate::Spawner) and by a program that speaks for all of its group, so by no library.
/// The move waits for the kernel, some 10 ms.
///
/// # Errors
///
/// What the system refuses. Everything is as before then.
pub fn make_room_for_limits() -> io::Result<bool> {
    sys::make_room()
}
