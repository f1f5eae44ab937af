//! The keepers of control groups.
use crate::{
    marked::whole,
    support::{PIPES, beside, command, end, send, state, until},
};
use pty_utils::{Child, Containment, ExitStatus, Spawner};
use rustix::process::Signal;
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

/// The processes that look after the groups whose names begin like this.
pub(crate) fn of_groups(prefix: &str) -> Vec<u32> {
    let pids = fs::read_dir("/proc").unwrap();
    pids.filter_map(|entry| {
        let pid = entry.ok()?.file_name().to_str()?.parse().ok()?;
        let arguments = fs::read_to_string(format!("/proc/{pid}/cmdline")).ok()?;
        let path = arguments.strip_prefix("pty-utils-keeper\0")?.strip_suffix('\0')?;
        let group = Path::new(path).file_name()?.to_str()?;
        group.starts_with(prefix).then_some(pid)
    })
    .collect()
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
                let [keeper] = of_groups(&group)[..] else {
                    panic!("{:?}", of_groups(&group));
                };
                send(keeper, Signal::KILL);
                until(|| state(keeper) == Some('Z')).await;
                let quick = spawner.spawn(command(&["true"], PIPES)).await.unwrap();
                assert_eq!(end(quick).await.status, ExitStatus::Code(0));
                assert_eq!(state(keeper), None);
                killed.push(keeper);
            }
            let [keeper] = of_groups(&group)[..] else {
                panic!("{:?}", of_groups(&group));
            };
            assert!(!killed.contains(&keeper));
            drop(spawner);
            assert_eq!(of_groups(&group), Vec::<u32>::new());
            drop(sleeper);
        }
    });
}
