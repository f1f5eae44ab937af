//! What the server does to itself before it serves.

use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::limits::MAX_OPEN_FILES;

/// Takes as many descriptors as it may. Gives the soft limit that it was started with, which is for its processes: many
/// a program closes all that it could have, or cannot do with high numbers.
///
/// # Errors
///
/// When the system does not allow it.
pub(super) fn take_open_files() -> io::Result<u64> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let given = current.unwrap_or(u64::MAX);
    let wanted = maximum.unwrap_or(u64::MAX).min(MAX_OPEN_FILES);
    if wanted > given {
        let limit = Rlimit {
            current: Some(wanted),
            maximum,
        };
        setrlimit(Resource::Nofile, limit)?;
    }
    Ok(given)
}

/// Keeps this program's memory and environment from whoever runs as the same user, its own processes above all, and
/// from core dumps. Root can look all the same, so a server of root's is only kept from core dumps.
///
/// # Errors
///
/// When the system does not allow it.
pub(super) fn keep_secrets() -> io::Result<()> {
    let limit = Rlimit {
        current: Some(0),
        ..getrlimit(Resource::Core)
    };
    setrlimit(Resource::Core, limit)?;
    #[cfg(target_os = "linux")]
    if !rustix::process::geteuid().is_root() {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    }
    Ok(())
}
