//! What the operating system tells of other processes.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

use crate::clock::{self, SECOND_NS};

/// How long leftovers may take to go by themselves.
const TIDY_NS: u64 = SECOND_NS / 2;

/// How long leftovers may take to be gone after they were killed.
const GONE_NS: u64 = 3 * SECOND_NS;

/// Processor time that a process has used, without its children.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cpu {
    /// The sum over its threads of today, exact to the nanosecond.
    threads_ns: u64,
    /// With threads that have ended, in ticks of 10 ms.
    total_ns: u64,
}

impl Cpu {
    /// Of a process that runs.
    pub(crate) fn of(pid: u32) -> io::Result<Self> {
        let mut threads_ns = 0;
        for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
            // A thread may end between the listing and the reading.
            let text = fs::read_to_string(thread?.path().join("schedstat")).unwrap_or_default();
            threads_ns += text
                .split(' ')
                .next()
                .and_then(|run| run.parse::<u64>().ok())
                .unwrap_or(0);
        }
        let stat = Stat::of(pid).ok_or(io::ErrorKind::NotFound)?;
        Ok(Self {
            threads_ns,
            total_ns: stat.cpu_ns,
        })
    }

    /// What was used since `earlier`, in nanoseconds.
    ///
    /// The threads' sum misses those that have ended; then the ticks, less the one or two that they may be
    /// wrong, are more.
    pub(crate) fn since(self, earlier: Self) -> u64 {
        let by_ticks = self
            .total_ns
            .saturating_sub(earlier.total_ns)
            .saturating_sub(2 * tick_ns());
        self.threads_ns.saturating_sub(earlier.threads_ns).max(by_ticks)
    }
}

/// Memory in bytes that would be free without the process: nothing that it shares. Of a process that lets nobody look,
/// what is not from a file.
pub(crate) fn private_bytes(pid: u32) -> io::Result<u64> {
    let (text, names) = match fs::read_to_string(format!("/proc/{pid}/smaps_rollup")) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            (fs::read_to_string(format!("/proc/{pid}/status"))?, "RssAnon")
        }
        read => (read?, "Private_"),
    };
    let kib = |line: &str| {
        line.split_whitespace()
            .nth(1)
            .and_then(|number| number.parse::<u64>().ok())
    };
    let private = text.lines().filter(|line| line.starts_with(names));
    Ok(private.filter_map(kib).sum::<u64>() << 10)
}

/// Length in bytes of the program that a process runs.
pub(crate) fn program_bytes(pid: u32) -> io::Result<u64> {
    let program = match fs::metadata(format!("/proc/{pid}/exe")) {
        // It lets nobody look, and its name is public.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            let words = fs::read(format!("/proc/{pid}/cmdline"))?;
            let name = words.split(|&byte| byte == 0).next().unwrap_or_default();
            fs::metadata(OsStr::from_bytes(name))
        }
        found => found,
    };
    Ok(program?.len())
}

/// Kills every descendant of this process.
pub(crate) fn kill_descendants() {
    for pid in descendants() {
        // It may be gone by now.
        let _ = kill_process(pid, Signal::KILL);
    }
}

/// Waits until every descendant is gone, those that were inherited included, and kills those that do not go.
///
/// Nobody may hold a `Child` that it has not waited for.
pub(crate) fn sweep() {
    let start_ns = clock::now_ns();
    loop {
        let left = descendants();
        if left.is_empty() || clock::since(start_ns) > GONE_NS {
            return;
        }
        for pid in left {
            // A server that was killed may have helpers that tidy up behind it.
            if clock::since(start_ns) > TIDY_NS {
                let _ = kill_process(pid, Signal::KILL);
            }
            let _ = waitpid(Some(pid), WaitOptions::NOHANG);
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}

/// Processor time of this process and of all its children that were waited for, with theirs.
pub(crate) fn family_cpu_ns() -> u64 {
    Stat::of(std::process::id()).map_or(0, |stat| stat.cpu_ns + stat.children_ns)
}

struct Stat {
    parent: u32,
    cpu_ns: u64,
    children_ns: u64,
}

impl Stat {
    fn of(pid: u32) -> Option<Self> {
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name in front may hold anything, brackets and blanks too.
        let fields: Vec<&str> = text.get(text.rfind(')')? + 2..)?.split(' ').collect();
        let number = |field: usize| fields.get(field)?.parse::<u64>().ok();
        let parent = u32::try_from(number(1)?).ok()?;
        let cpu_ns = (number(11)? + number(12)?) * tick_ns();
        Some(Self {
            parent,
            cpu_ns,
            children_ns: (number(13)? + number(14)?) * tick_ns(),
        })
    }
}

/// What the system counts processor time in.
pub(crate) fn tick_ns() -> u64 {
    SECOND_NS / rustix::param::clock_ticks_per_second().max(1)
}

fn descendants() -> Vec<Pid> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let all: Vec<(u32, u32)> = entries
        .filter_map(|entry| pid_of(&entry.ok()?.path()))
        .filter_map(|pid| Some((pid, Stat::of(pid)?.parent)))
        .collect();
    let mut family = vec![std::process::id()];
    let mut next = 0;
    while let Some(&parent) = family.get(next) {
        family.extend(all.iter().filter(|child| child.1 == parent).map(|child| child.0));
        next += 1;
    }
    family
        .iter()
        .skip(1)
        .filter_map(|&pid| Pid::from_raw(i32::try_from(pid).ok()?))
        .collect()
}

fn pid_of(path: &Path) -> Option<u32> {
    path.file_name()?.to_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_used_time_and_memory() {
        let pid = std::process::id();
        let before = Cpu::of(pid).unwrap();
        let start_ns = clock::now_ns();
        while clock::since(start_ns) < 20_000_000 {}
        assert!(Cpu::of(pid).unwrap().since(before) >= 1_000_000);
        assert!(private_bytes(pid).unwrap() > 0);
        assert!(program_bytes(pid).unwrap() > 0);
    }
}
