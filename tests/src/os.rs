//! What the operating system knows of processes.

use std::collections::HashSet;
use std::fs;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::wait;

/// One process, told from a later one that got the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OsProcess {
    /// Its number.
    pub pid: u32,
    /// When it was started, in clock ticks since the machine was.
    started: u64,
}

/// What `/proc/PID/stat` says.
struct Stat {
    process: OsProcess,
    state: char,
    parent: u32,
}

impl OsProcess {
    /// The process that has this number now; None if there is none.
    pub fn with_pid(pid: u32) -> Option<Self> {
        Some(stat(pid)?.process)
    }

    /// Whether it exists and has not ended. Somebody may still have to reap it.
    pub fn is_running(self) -> bool {
        stat(self.pid).is_some_and(|stat| stat.process == self && stat.state != 'Z')
    }

    /// Whether there is anything left of it, be it a zombie.
    pub fn exists(self) -> bool {
        stat(self.pid).is_some_and(|stat| stat.process == self)
    }

    /// What `/proc/PID/status` says under this name, in KiB; None if it has ended.
    pub fn status_kib(self, name: &str) -> Option<u64> {
        let text = fs::read_to_string(format!("/proc/{}/status", self.pid)).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim_start_matches(':')
            .trim_end_matches("kB")
            .trim()
            .parse()
            .ok()
    }

    /// Memory that it shares with no file and nobody else, in KiB.
    ///
    /// # Panics
    ///
    /// If it has ended.
    pub fn anonymous_kib(self) -> u64 {
        self.status_kib("RssAnon").expect("it runs")
    }

    /// The name of the program that it runs; None if it has ended.
    pub fn name(self) -> Option<String> {
        let name = fs::read_to_string(format!("/proc/{}/comm", self.pid)).ok()?;
        Some(name.trim_end().to_owned())
    }

    /// How long its threads have run on a processor so far, those not counted that have ended; None if it has ended itself.
    pub fn processor_time(self) -> Option<Duration> {
        let threads = fs::read_dir(format!("/proc/{}/task", self.pid)).ok()?;
        // One may have ended by now.
        let times = threads.flatten().filter_map(|thread| {
            let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
            text.split(' ').next()?.parse::<u64>().ok()
        });
        Some(Duration::from_nanos(times.sum()))
    }

    /// How many files it has open; None if it has ended, or does not let us look, as the server of an ordinary user does
    /// not.
    pub fn open_files(self) -> Option<usize> {
        Some(fs::read_dir(format!("/proc/{}/fd", self.pid)).ok()?.count())
    }

    /// Its children, theirs, and so on; zombies too.
    pub fn descendants(self) -> Vec<Self> {
        let all: Vec<Stat> = every_pid().filter_map(stat).collect();
        let mut family = HashSet::from([self.pid]);
        loop {
            let before = family.len();
            family.extend(
                all.iter()
                    .filter(|stat| family.contains(&stat.parent))
                    .map(|stat| stat.process.pid)
                    .collect::<Vec<_>>(),
            );
            if family.len() == before {
                break;
            }
        }
        family.remove(&self.pid);
        all.iter()
            .map(|stat| stat.process)
            .filter(|process| family.contains(&process.pid))
            .collect()
    }

    /// Sends it a signal, if it still exists.
    pub fn signal(self, signal: Signal) {
        if self.exists() {
            let pid = i32::try_from(self.pid)
                .ok()
                .and_then(Pid::from_raw)
                .expect("a pid is positive");
            // It may have ended just now, and then there is nobody to get it.
            let _ = kill_process(pid, signal);
        }
    }

    /// Waits until it does not run any more.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn ended(self) {
        wait::until(&format!("process {} has ended", self.pid), || !self.is_running()).await;
    }
}

/// Those that were started with this variable, `NAME=VALUE`, and have not ended.
pub fn with_variable(variable: &str) -> Vec<OsProcess> {
    let has_it = |pid: &u32| {
        environment(*pid)
            .split(|byte| *byte == 0)
            .any(|entry| entry == variable.as_bytes())
    };
    every_pid()
        .filter(has_it)
        .filter_map(OsProcess::with_pid)
        .collect()
}

/// The environment of a process; empty if it has ended, or belongs to another user and is none of ours.
fn environment(pid: u32) -> Vec<u8> {
    let now = || fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    loop {
        let environment = now();
        if !environment.is_empty() {
            return environment;
        }
        if !is_becoming_another_program(pid) {
            // It may have been until just now.
            return now();
        }
    }
}

/// Whether it has the memory of its next program already, but not the variables yet: it has a program, and where
/// they begin (field 50 of `stat`) is not known.
fn is_becoming_another_program(pid: u32) -> bool {
    let Ok(text) = fs::read_to_string(format!("/proc/{pid}/stat")) else {
        return false;
    };
    let begin = text
        .rsplit_once(") ")
        .and_then(|(_, fields)| fields.split(' ').nth(47));
    begin == Some("0") && fs::read_link(format!("/proc/{pid}/exe")).is_ok()
}

fn every_pid() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").expect("there is a /proc");
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

fn stat(pid: u32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name is in parentheses, and may hold some itself.
    let (_, after_name) = text.rsplit_once(") ")?;
    let fields: Vec<&str> = after_name.split(' ').collect();
    let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
    Some(Stat {
        process: OsProcess {
            pid,
            started: number(19)?,
        },
        state: fields.first()?.chars().next()?,
        parent: u32::try_from(number(1)?).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_is_a_descendant_until_it_is_reaped() {
        let us = OsProcess::with_pid(std::process::id()).unwrap();
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let process = OsProcess::with_pid(child.id()).unwrap();
        assert!(process.is_running());
        assert!(us.descendants().contains(&process));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!process.exists());
        assert!(!us.descendants().contains(&process));
    }
}
