//! The keepers of control groups.
use crate::{
    marked::{whole, with_helper},
    support::{PIPES, beside, command, end, send, state, until},
};
use pty_utils::{Child, Containment, ExitStatus, Spawner};
use rustix::process::Signal;
use std::{
    fs,
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process,
};

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
        let group = group_of(pid)?;
        let name = group.file_name()?.to_str()?;
        name.starts_with(prefix).then_some(pid)
    })
    .collect()
}

/// The directory of the group that a process looks after.
fn group_of(keeper: u32) -> Option<PathBuf> {
    let arguments = fs::read_to_string(format!("/proc/{keeper}/cmdline")).ok()?;
    let path = arguments.strip_prefix("pty-utils-keeper\0")?.strip_suffix('\0')?;
    Some(path.into())
}

/// A group as a spawner has it, with a member, and that one.
struct Made(PathBuf, process::Child);

impl Made {
    fn new(path: PathBuf) -> Self {
        let child = path.join("0");
        fs::create_dir_all(&child).unwrap();
        let sleeper = process::Command::new("sleep").arg("60").spawn().unwrap();
        fs::write(child.join("cgroup.procs"), sleeper.id().to_string()).unwrap();
        Self(path, sleeper)
    }

    /// Waits until both are gone.
    async fn ended(mut self) {
        until(|| self.1.try_wait().unwrap().is_some()).await;
        assert_eq!(self.1.wait().unwrap().signal(), Some(9));
        until(|| !self.0.exists()).await;
    }

    async fn end(mut self) {
        assert!(self.1.try_wait().unwrap().is_none(), "{}", self.0.display());
        self.1.kill().unwrap();
        self.1.wait().unwrap();
        for path in [&self.0.join("0"), &self.0] {
            until(|| fs::remove_dir(path).is_ok()).await;
        }
    }
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

#[test]
fn what_dead_spawners_left_is_ended_by_the_next_one_and_nobody_else_is() {
    beside(async {
        for spawner in kept() {
            let child = spawner.spawn(command(&["sleep", "60"], PIPES)).await.unwrap();
            let name = spawners_group(&child);
            let [keeper] = of_groups(&name)[..] else {
                panic!("{:?}", of_groups(&name));
            };
            let parent = group_of(keeper).unwrap().parent().unwrap().to_owned();
            let namespace: u64 = name.split('-').nth(4).unwrap().parse().unwrap();
            let living = process::id();
            let mut owner = process::Command::new("sleep").arg("60").spawn().unwrap();
            let dead = owner.id();
            let living = Made::new(parent.join(format!("exec-server-{living}-0-{namespace}-1")));
            let foreign = Made::new(parent.join(format!("exec-server-{dead}-0-{}-1", namespace + 1)));
            let nameless = Made::new(parent.join(format!("exec-server-{dead}-0")));
            let left = Made::new(parent.join(format!("exec-server-{dead}-0-{namespace}-1")));
            // Not before: the spawners of other tests end what they find as well.
            owner.kill().unwrap();
            owner.wait().unwrap();
            let both = [(); 2].map(|()| {
                std::thread::spawn(|| Spawner::with_options(with_helper(Some(Containment::Cgroup))).unwrap())
            });
            left.ended().await;
            for spawner in both {
                drop(spawner.join().unwrap());
            }
            for made in [living, foreign, nameless] {
                made.end().await;
            }
        }
    });
}
