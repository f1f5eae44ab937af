//! The keepers of control groups.
use crate::{
    marked::whole,
    support::{PIPES, beside, command, end, state, until},
};
use pty_utils::{Child, Containment, ExitStatus, Spawner};
use rustix::process::{Pid, Signal, kill_process};
use std::{fs, path::Path};

/// The spawners that have keepers, as far as this machine has control groups.
fn kept() -> impl Iterator<Item = Spawner> {
    whole()
        .filter(|(containment, _)| *containment == Containment::Cgroup)
        .map(|(_, spawner)| spawner)
}

/// The name of the group of a child's spawner.
fn spawners_group(child: &Child) -> String {
    let cgroups = fs::read_to_string(format!("/proc/{}/cgroup", child.leader.pid())).unwrap();
    let line = cgroups.lines().find_map(|line| line.strip_prefix("0::")).unwrap();
    let group = Path::new(line).parent().unwrap().file_name().unwrap();
    group.to_str().unwrap().to_owned()
}

/// The processes that look after the group of this name.
fn keepers(group: &str) -> Vec<u32> {
    let pids = fs::read_dir("/proc").unwrap();
    pids.filter_map(|entry| {
        let pid = entry.ok()?.file_name().to_str()?.parse().ok()?;
        let arguments = fs::read_to_string(format!("/proc/{pid}/cmdline")).ok()?;
        let path = arguments.strip_prefix("pty-utils-keeper\0")?.strip_suffix('\0')?;
        path.ends_with(group).then_some(pid)
    })
    .collect()
}

fn send(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(pid.cast_signed()).unwrap();
    kill_process(pid, signal).unwrap();
}

#[test]
fn a_keeper_that_was_killed_is_replaced_by_the_next_spawn() {
    beside(async {
        for spawner in kept() {
            let sleeper = spawner.spawn(command(&["sleep", "60"], PIPES)).await.unwrap();
            let group = spawners_group(&sleeper);
            let mut killed = Vec::new();
            // One that has just been started can be killed as well.
            for _ in 0..2 {
                let [keeper] = keepers(&group)[..] else {
                    panic!("{:?}", keepers(&group));
                };
                send(keeper, Signal::KILL);
                until(|| state(keeper) == Some('Z')).await;
                let quick = spawner.spawn(command(&["true"], PIPES)).await.unwrap();
                assert_eq!(end(quick).await.status, ExitStatus::Code(0));
                assert_eq!(state(keeper), None);
                killed.push(keeper);
            }
            let [keeper] = keepers(&group)[..] else {
                panic!("{:?}", keepers(&group));
            };
            assert!(!killed.contains(&keeper));
            drop(spawner);
            assert_eq!(keepers(&group), Vec::<u32>::new());
            drop(sleeper);
        }
    });
}
