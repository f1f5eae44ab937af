//! Who descends from a process.
use super::{
    members,
    proc::{self, Life, Stat, pid_of},
};
use crate::signal::Signal;
use rustix::process::Pid;
use std::{fs, io};

/// The children of a process, zombies included; nobody if it is gone.
pub(super) fn children(parent: Pid) -> io::Result<Vec<Pid>> {
    let Ok(threads) = fs::read_dir(format!("/proc/{parent}/task")) else {
        return Ok(Vec::new());
    };
    let mut children = Vec::new();
    for thread in threads.flatten() {
        match fs::read_to_string(thread.path().join("children")) {
            Ok(text) => children.extend(text.split_ascii_whitespace().filter_map(pid_of)),
            // The thread is gone, or the kernel was built without this file.
            Err(_) if !thread.path().exists() => {}
            Err(_) => return children_by_parent(parent),
        }
    }
    Ok(children)
}

fn children_by_parent(parent: Pid) -> io::Result<Vec<Pid>> {
    let is_child =
        |pid: &Pid| Stat::of(*pid).is_some_and(|stat| stat.parent == parent.as_raw_nonzero().get());
    Ok(proc::all()?.filter(is_child).collect())
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
