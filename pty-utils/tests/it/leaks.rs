//! Nothing is left behind.
use crate::{
    marked::all,
    support::{PIPES, TERMINAL, alone, children, command, end, open_descriptors},
};
use pty_utils::{Child, ExitStatus, Spawner};
use std::fs;

/// The groups of all spawners of this machine, and those of their children.
pub(crate) fn group_directories() -> Vec<String> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let mount = mounts.lines().find(|line| line.contains(" - cgroup2 "));
    let cgroups = fs::read_to_string("/proc/self/cgroup").unwrap();
    let own = cgroups.lines().find_map(|line| line.strip_prefix("0::"));
    let (Some(mount), Some(own)) = (mount.and_then(|mount| mount.split(' ').nth(4)), own) else {
        return Vec::new();
    };
    let below = |path: &str| {
        let entries = fs::read_dir(path).into_iter().flatten().flatten();
        let directories = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        directories
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect::<Vec<_>>()
    };
    let own = format!("{mount}{own}");
    let spawners = below(&own)
        .into_iter()
        .filter(|name| name.starts_with("exec-server-"));
    spawners
        .flat_map(|name| {
            let leaves = below(&format!("{own}/{name}"));
            let leaves: Vec<_> = leaves.iter().map(|leaf| format!("{name}/{leaf}")).collect();
            [name].into_iter().chain(leaves)
        })
        .collect()
}

/// Of this process.
fn own_group_directories() -> Vec<String> {
    let ours = format!("exec-server-{}-", std::process::id());
    let mut all = group_directories();
    all.retain(|name| name.starts_with(&ours));
    all
}

#[test]
fn released_trees_leave_no_descriptor_no_zombie_and_no_group() {
    alone(async {
        for (containment, spawner) in all() {
            // The helper of a spawner is no child of a test.
            let (descriptors, processes) = (open_descriptors(), children());
            let groups = own_group_directories();
            for round in 0..200 {
                let streams = if round % 2 == 0 { PIPES } else { TERMINAL };
                let child = spawner.spawn(command(&["true"], streams)).await.unwrap();
                let Child { leader, tree, .. } = child;
                assert_eq!(leader.exited().await.unwrap(), ExitStatus::Code(0));
                assert!(tree.release(leader).await.is_none(), "{containment}");
            }
            for _ in 0..20 {
                drop(spawner.spawn(command(&["sleep", "60"], PIPES)).await.unwrap());
                spawner.spawn(command(&["/no/such"], PIPES)).await.unwrap_err();
            }
            assert_eq!(open_descriptors(), descriptors, "{containment}");
            assert_eq!(children(), processes, "{containment}");
            assert_eq!(own_group_directories(), groups, "{containment}");
        }
        assert_eq!(children(), Vec::<u32>::new());
        assert_eq!(own_group_directories(), Vec::<String>::new());
    });
}

#[test]
fn a_thousand_children_leave_no_descriptor_and_no_zombie() {
    alone(async {
        let spawner = Spawner::new().unwrap();
        end(spawner.spawn(command(&["true"], PIPES)).await.unwrap()).await;
        let before = open_descriptors();
        for round in 0..1000 {
            let streams = if round % 2 == 0 { PIPES } else { TERMINAL };
            let child = spawner.spawn(command(&["true"], streams)).await.unwrap();
            assert_eq!(end(child).await.status, ExitStatus::Code(0));
        }
        assert_eq!(open_descriptors(), before);
        assert_eq!(children(), Vec::<u32>::new());
    });
}

#[test]
fn a_failed_start_leaves_no_descriptor_and_no_zombie() {
    alone(async {
        let spawner = Spawner::new().unwrap();
        let before = open_descriptors();
        for streams in [PIPES, TERMINAL] {
            for _ in 0..50 {
                spawner.spawn(command(&["/no/such"], streams)).await.unwrap_err();
            }
        }
        assert_eq!(open_descriptors(), before);
        assert_eq!(children(), Vec::<u32>::new());
    });
}
