//! How far a child's descendants are held together.
use std::{error, fmt, io, path::PathBuf};

/// How far a child's descendants are held together, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Containment {
    /// Each child has a control group (cgroup v2) of its own, which nobody leaves by forking.
    Cgroup,
    /// Each child has a small process above it that inherits its orphans (a subreaper), and so knows all of
    /// them. Ending that process by force sets them free.
    Supervisor,
    /// The process group and the kernel's session of the leader. Whoever begins a session of their own
    /// (`setsid`, a daemon) has left.
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
    /// killed; what they have started lives on.
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
