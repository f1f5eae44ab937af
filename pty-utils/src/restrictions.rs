//! What a child may use at most, and what it may not do.
use std::fmt;

/// What a child may use at most, and what it may not do. The default is what this process may.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Restrictions {
    /// What the child, and each of its descendants for itself, may use.
    pub limits: Vec<Limit>,
    /// What the child and its descendants may use together.
    pub tree: TreeLimits,
    /// The permissions that its new files do not get, of the lowest nine bits. None: as for this process.
    pub umask: Option<u32>,
    /// Whether a program can give it more privileges.
    pub privileges: Privileges,
}

/// How much of something a process may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Of what.
    pub resource: Resource,
    /// How much, in the unit of the resource.
    pub value: u64,
    /// Whether the child can change it.
    pub strength: Strength,
}

/// Whether a child can change its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strength {
    /// It can raise it again, to the hard limit of this process, which is not exceeded here either.
    Soft,
    /// It cannot raise it. More than the hard limit of this process is refused, unless this process may raise that.
    Hard,
}

/// Something that a process may use so much of: a resource limit of the system (setrlimit(2)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Resource {
    /// Seconds on a processor. Whoever reaches the hard limit is killed.
    CpuSeconds,
    /// Bytes of address space, which is more than what is in memory.
    MemoryBytes,
    /// One more than the highest descriptor.
    OpenFiles,
    /// Processes and threads of the same user, wherever they are from. Root is not bound.
    Processes,
    /// Bytes of a file that is written to.
    FileBytes,
    /// Bytes of a core dump.
    CoreBytes,
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CpuSeconds => "processor time",
            Self::MemoryBytes => "address space",
            Self::OpenFiles => "open files",
            Self::Processes => "processes",
            Self::FileBytes => "the size of files",
            Self::CoreBytes => "core dumps",
        })
    }
}

/// What a child and its descendants may use together; only with [`Containment::Cgroup`](crate::Containment::Cgroup),
/// where there are the [`Controllers`] for it. None: as much as there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TreeLimits {
    /// Memory in bytes, without what is swapped out. When they need more, all of them are killed.
    pub memory_bytes: Option<u64>,
    /// Processes and threads. Further ones cannot be created.
    pub processes: Option<u64>,
}

impl TreeLimits {
    /// What it takes to keep them.
    pub fn needs(self) -> Controllers {
        Controllers {
            memory: self.memory_bytes.is_some(),
            processes: self.processes.is_some(),
        }
    }
}

/// Which limits of a tree there can be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Controllers {
    /// For [`TreeLimits::memory_bytes`].
    pub memory: bool,
    /// For [`TreeLimits::processes`].
    pub processes: bool,
}

impl Controllers {
    /// Whether these are among them.
    pub fn include(self, needed: Self) -> bool {
        self.memory >= needed.memory && self.processes >= needed.processes
    }
}

/// Whether a program can give its process more privileges than who started it has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Privileges {
    /// As for this process: mostly it can, by being set-user-ID or having capabilities.
    #[default]
    Inherited,
    /// No program can, for the child and all of its descendants, and nobody can undo that.
    NoNew,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_needs_its_own_controller_only() {
        let limits = TreeLimits {
            memory_bytes: Some(1),
            processes: None,
        };
        let (memory, processes) = (
            limits.needs(),
            Controllers {
                memory: false,
                processes: true,
            },
        );
        assert!(memory.include(memory) && !processes.include(memory));
        assert!(Controllers::default().include(TreeLimits::default().needs()));
    }
}
