//! What the machine has.

use std::fs;
use std::path::{Path, PathBuf};

/// What is taken for the machine's memory where it is not asked for, in bytes.
#[cfg(not(target_os = "linux"))]
const ASSUMED_BYTES: u64 = 8 << 30;

/// Where the hierarchy of control groups is, in its second version.
const CGROUPS: &str = "/sys/fs/cgroup";

/// Memory that this program may use, in bytes: the machine's, or less if a control group says so.
pub(crate) fn memory_bytes() -> usize {
    let allowed = control_group()
        .iter()
        .flat_map(|group| group.ancestors())
        .filter_map(memory_max)
        .min();
    let bytes = installed_bytes().min(allowed.unwrap_or(u64::MAX));
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

#[cfg(target_os = "linux")]
fn installed_bytes() -> u64 {
    let machine = rustix::system::sysinfo();
    u64::from(machine.mem_unit) * machine.totalram
}

#[cfg(not(target_os = "linux"))]
fn installed_bytes() -> u64 {
    ASSUMED_BYTES
}

/// This program's control group.
fn control_group() -> Option<PathBuf> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let group = groups.lines().find_map(|line| line.strip_prefix("0::/"))?;
    Some(Path::new(CGROUPS).join(group))
}

/// What a group may use, in bytes; None if it says nothing, or that there is no maximum.
fn memory_max(group: &Path) -> Option<u64> {
    let text = fs::read_to_string(group.join("memory.max")).ok()?;
    text.trim().parse().ok()
}
