//! Who descends from a process.
use super::{
    members,
    proc::{self, Life, Stat, is_gone, pid_of},
};
use crate::signal::Signal;
use rustix::process::Pid;
use std::{fs, io};

/// The children of a process, zombies included; nobody if it is gone.
///
/// # Errors
/// If it cannot be told who they are.
pub(super) fn children(parent: Pid) -> io::Result<Vec<Pid>> {
    let threads = match fs::read_dir(format!("/proc/{parent}/task")) {
        Ok(threads) => threads,
        Err(error) if is_gone(&error) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut children = Vec::new();
    for thread in threads {
        let thread = thread?.path();
        match fs::read_to_string(thread.join("children")) {
            Ok(text) => children.extend(text.split_ascii_whitespace().filter_map(pid_of)),
            Err(error) if !is_gone(&error) => return Err(error),
            // The kernel was built without this file, or the thread is gone.
            Err(_) if thread.try_exists()? => return children_by_parent(parent),
            Err(_) => {}
        }
    }
    Ok(children)
}

fn children_by_parent(parent: Pid) -> io::Result<Vec<Pid>> {
    let mut children = Vec::new();
    for pid in proc::all()? {
        if Stat::read(pid)?.is_some_and(|stat| stat.parent == parent.as_raw_nonzero().get()) {
            children.push(pid);
        }
    }
    Ok(children)
}

/// Everybody below a process, zombies included. Who is forked meanwhile may be missing.
pub(super) fn descendants(root: Pid) -> io::Result<Vec<Pid>> {
    let mut found = children(root)?;
    let mut next = 0;
    while let Some(&pid) = found.get(next) {
        found.extend(children(pid)?);
        next += 1;
    }
    Ok(found)
}

/// Sends a signal to everybody alive below a process, once. See [`members::signal`].
pub(super) fn signal(root: Pid, signal: Signal) -> io::Result<bool> {
    members::signal(descendants(root)?, |pid| is_alive_below(root, pid), signal)
}

fn is_alive_below(root: Pid, pid: Pid) -> bool {
    let root = root.as_raw_nonzero().get();
    let mut stat = Stat::of(pid).filter(|stat| stat.life == Life::Alive);
    while let Some(Stat { parent, .. }) = stat {
        if parent == root {
            return true;
        }
        // Nobody is the parent of the first process.
        stat = Pid::from_raw(parent).and_then(Stat::of);
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn children_are_found_in_both_ways() {
        let this = rustix::process::getpid();
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let pid = Pid::from_child(&child);
        assert!(children(this).unwrap().contains(&pid));
        assert!(children_by_parent(this).unwrap().contains(&pid));
        assert!(is_alive_below(this, pid) && !is_alive_below(pid, this));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!is_alive_below(this, pid));
    }
}
