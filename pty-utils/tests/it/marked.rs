//! Trees that can be found by their environment, wherever they went.
use crate::support::sh;
use pty_utils::{Child, Containment, Spawner, SpawnerError, SpawnerOptions, Streams};
use std::{
    fs,
    io::{self, Write},
    sync::atomic::{AtomicU64, Ordering},
};

pub(crate) const HELPER: &str = env!("CARGO_BIN_EXE_pty-utils-helper");

/// The containments that hold all descendants, as far as this machine has them.
pub(crate) fn whole() -> impl Iterator<Item = (Containment, Spawner)> {
    [Containment::Cgroup, Containment::Supervisor]
        .into_iter()
        .filter_map(|containment| {
            match Spawner::with_options(with_helper(Some(containment))) {
                Ok(spawner) => {
                    assert_eq!(spawner.containment(), containment);
                    Some((containment, spawner))
                }
                // There is no way to test it where nobody lets us have groups.
                Err(SpawnerError::Unavailable {
                    containment: Containment::Cgroup,
                    source,
                }) => {
                    let reason = format!("not tested, there is no control group here: {source}\n");
                    io::stderr().write_all(reason.as_bytes()).unwrap();
                    None
                }
                Err(error) => panic!("{error:?}"),
            }
        })
}

/// All containments, with the one that holds a group only.
pub(crate) fn all() -> impl Iterator<Item = (Containment, Spawner)> {
    let group = Spawner::new().unwrap();
    assert_eq!(group.containment(), Containment::Group);
    whole().chain([(Containment::Group, group)])
}

pub(crate) fn with_helper(containment: Option<Containment>) -> SpawnerOptions {
    SpawnerOptions {
        containment,
        helper: Some(HELPER.into()),
    }
}

/// A variable that is in the environment of a child and of all its descendants.
#[derive(Debug, Clone)]
pub(crate) struct Marker(String);

impl Marker {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        Self(format!("PTY_UTILS_TEST_TREE={}-{number}", std::process::id()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Starts a script with it.
    pub(crate) async fn start(&self, spawner: &Spawner, script: &str, streams: Streams) -> Child {
        let mut command = sh(script, streams);
        let (name, value) = self.0.split_once('=').unwrap();
        command.env.push((name.into(), value.into()));
        spawner.spawn(command).await.unwrap()
    }

    /// Those who live with it; a zombie has no environment.
    pub(crate) fn living(&self) -> Vec<u32> {
        let pids = fs::read_dir("/proc").unwrap();
        pids.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .filter(|&pid| {
                environment(pid)
                    .split(|&byte| byte == 0)
                    .any(|variable| variable == self.0.as_bytes())
            })
            .collect()
    }
}

/// The environment of a process; empty if it has ended or is somebody else's.
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
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else {
        return false;
    };
    let begin = stat
        .rsplit_once(") ")
        .and_then(|(_, fields)| fields.split(' ').nth(47));
    begin == Some("0") && fs::read_link(format!("/proc/{pid}/exe")).is_ok()
}

/// What programs do to get away, by name. Each says `ready` when it has.
pub(crate) const GETAWAYS: [(&str, &str); 7] = [
    ("plain", "echo ready; exec sleep 60"),
    ("job", "sleep 60 & echo ready; wait"),
    ("setsid", "setsid sleep 60 & sleep 60 & echo ready; wait"),
    (
        "daemons",
        "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do \
         (setsid sh -c 'sleep 60 & sleep 60 &' &); done; echo ready; exec sleep 60",
    ),
    (
        "stopped",
        "setsid sh -c 'kill -STOP $$' & echo ready; kill -STOP $$",
    ),
    (
        "chain of programs",
        "next='setsid sh -c \"$0\" \"$0\" &'; sh -c \"$next\" \"$next\"; echo ready; exec sleep 60",
    ),
    ("chain of forks", CHAIN),
];

/// A process that is somebody else all the time.
pub(crate) const CHAIN: &str = "python3 -c '
import os
while True:
    if os.fork():
        os._exit(0)
    os.setsid()
'; echo ready; exec sleep 60";
