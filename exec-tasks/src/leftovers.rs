//! What is left of the tasks of a server that died.

use std::collections::BTreeSet;
use std::fs;
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use tokio::time::Instant;

use crate::spec::SERVER_VARIABLE;

/// How long the killed are waited for. A machine out of memory may take a while.
const PATIENCE: Duration = Duration::from_secs(5);

/// Between two looks.
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

/// Kills whoever was started by one of these servers, wherever it went, and waits until they are gone.
///
/// They are found by a variable of their environment, where the system has a `/proc`. One that gave that up is not found; the
/// keeper or supervisor of its server ends it.
pub(crate) fn kill(servers: &BTreeSet<&str>) {
    let variables: Vec<_> = servers
        .iter()
        .map(|server| format!("{SERVER_VARIABLE}={server}").into_bytes())
        .collect();
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mut is_empty = true;
        for pid in every_pid().filter(|pid| has_one_of(*pid, &variables)) {
            is_empty = false;
            kill_one(pid, &variables);
        }
        if is_empty {
            return;
        }
        if Instant::now() >= deadline {
            tracing::warn!("something is left of an earlier server's tasks");
            return;
        }
        thread::sleep(BETWEEN_LOOKS);
    }
}

/// Kills a process if it still is the one that was found.
fn kill_one(pid: u32, variables: &[Vec<u8>]) {
    let Some(number) = i32::try_from(pid).ok().and_then(Pid::from_raw) else {
        return;
    };
    // From here on nobody else can have its number without our descriptor saying so.
    let Ok(process) = pidfd_open(number, PidfdFlags::empty()) else {
        return;
    };
    if has_one_of(pid, variables) {
        // It may have ended meanwhile.
        let _ = pidfd_send_signal(&process, Signal::KILL);
    }
}

fn has_one_of(pid: u32, variables: &[Vec<u8>]) -> bool {
    environment(pid)
        .split(|&byte| byte == 0)
        .any(|variable| variables.iter().any(|one| one == variable))
}

/// The environment of a process; empty if it has ended or is of somebody else, and none of ours.
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

/// Whether it has the memory of its next program already, but not the variables yet: it has a program, and where they begin
/// (field 50 of `stat`, see proc(5)) is not known.
fn is_becoming_another_program(pid: u32) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else {
        return false;
    };
    let begin = stat
        .rsplit_once(") ")
        .and_then(|(_, fields)| fields.split(' ').nth(47));
    begin == Some("0") && fs::read_link(format!("/proc/{pid}/exe")).is_ok()
}

fn every_pid() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    // Not ourselves: a task may be what starts the next server.
    pids.filter(|pid| *pid != std::process::id())
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn those_of_a_dead_server_are_killed_and_nobody_else() {
        let sleeper = |server: &str| {
            let mut command = Command::new("setsid");
            command.args(["-w", "sleep", "1000"]).env(SERVER_VARIABLE, server);
            command.spawn().unwrap()
        };
        let name = |server: &str| format!("{server} of {}", std::process::id());
        let (mut dead, mut living) = (sleeper(&name("dead")), sleeper(&name("living")));
        kill(&BTreeSet::from([name("dead").as_str()]));
        assert!(!dead.wait().unwrap().success());
        assert_eq!(living.try_wait().unwrap(), None);
        kill(&BTreeSet::from([name("living").as_str()]));
        living.wait().unwrap();
    }
}
