//! Trees, in every containment that holds all descendants.
use crate::support::{PIPES, TERMINAL, beside, read_until, sh};
use pty_utils::{Child, Containment, Spawner, SpawnerError, SpawnerOptions, Streams};
use std::{
    fs,
    sync::atomic::{AtomicU64, Ordering},
};

/// The variable that every descendant of a child has in its environment.
const MARKER: &str = "PTY_UTILS_TEST_TREE";

pub(crate) const WHOLE: [Containment; 2] = [Containment::Cgroup, Containment::Supervisor];

pub(crate) fn spawner(containment: Containment) -> Option<Spawner> {
    let options = SpawnerOptions {
        containment: Some(containment),
        helper: Some(env!("CARGO_BIN_EXE_pty-utils-helper").into()),
    };
    match Spawner::with_options(options) {
        Ok(spawner) => {
            assert_eq!(spawner.containment(), containment);
            Some(spawner)
        }
        Err(SpawnerError::Unavailable { containment, source }) => {
            println!("not tested here: {containment}: {source}");
            None
        }
        Err(error) => panic!("{error:?}"),
    }
}

/// A tree that can be found by its environment.
pub(crate) struct Marked {
    pub(crate) child: Child,
    marker: String,
}

impl Marked {
    pub(crate) async fn start(spawner: &Spawner, script: &str, streams: Streams) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let marker = format!("{MARKER}={}-{number}.", std::process::id());
        let mut command = sh(script, streams);
        let (name, value) = marker.split_once('=').unwrap();
        command.env.push((name.into(), value.into()));
        let child = spawner.spawn(command).await.unwrap();
        Self { child, marker }
    }

    /// Those who live.
    pub(crate) fn living(&self) -> Vec<u32> {
        living(&self.marker)
    }
}

pub(crate) fn living(marker: &str) -> Vec<u32> {
    let pids = fs::read_dir("/proc").unwrap();
    pids.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|pid| {
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment
                .split(|&byte| byte == 0)
                .any(|variable| variable == marker.as_bytes())
        })
        .collect()
}

/// What a program can do to get away. Each says `ready` when it has.
const GETAWAYS: [(&str, &str); 6] = [
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
        "chain",
        "f() { setsid sh -c \"$1\" sh \"$1\" & }; f 'setsid sh -c \"$1\" sh \"$1\" &'; echo ready; sleep 60",
    ),
];

#[test]
fn nobody_gets_away() {
    beside(async {
        for containment in WHOLE {
            let Some(spawner) = spawner(containment) else {
                return;
            };
            for (name, script) in GETAWAYS {
                for streams in [PIPES, TERMINAL] {
                    let marked = Marked::start(&spawner, script, streams).await;
                    read_until(&marked.child.outputs[0], "ready").await;
                    marked.child.tree.kill().unwrap();
                    marked.child.tree.emptied().await.unwrap();
                    assert_eq!(marked.living(), Vec::<u32>::new(), "{containment} {name}");
                    let Child { leader, tree, .. } = marked.child;
                    leader.exited().await.unwrap();
                    assert!(tree.release(leader).await.is_none(), "{containment} {name}");
                }
            }
        }
    });
}
