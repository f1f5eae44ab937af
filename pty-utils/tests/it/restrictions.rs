//! What a child may use at most, and what it may not do.
use crate::{
    marked::all,
    support::{PIPES, TERMINAL, beside, end, run, sh},
};
use pty_utils::{
    Command, Containment, Limit, Privileges, Resource, Restrictions, SpawnError, Spawner, Step, Strength,
    TreeLimits,
};

const EPERM: Option<i32> = Some(1);

fn hard(resource: Resource, value: u64) -> Limit {
    Limit {
        resource,
        value,
        strength: Strength::Hard,
    }
}

fn soft(resource: Resource, value: u64) -> Limit {
    Limit {
        strength: Strength::Soft,
        ..hard(resource, value)
    }
}

fn restricted(script: &str, restrictions: &Restrictions) -> Command {
    Command {
        restrictions: restrictions.clone(),
        ..sh(script, PIPES)
    }
}

/// The soft and the hard limit of this name in the text of `/proc/PID/limits`.
fn limits(text: &str, name: &str) -> [String; 2] {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let mut words = line
        .unwrap_or_else(|| panic!("no {name} in {text}"))
        .split_whitespace();
    [(); 2].map(|()| words.next().unwrap().to_owned())
}

fn of_this_process(name: &str) -> [String; 2] {
    limits(&std::fs::read_to_string("/proc/self/limits").unwrap(), name)
}

#[test]
fn a_child_has_the_limits_that_it_was_given_and_its_supervisor_has_not() {
    let restrictions = Restrictions {
        limits: vec![
            // The first, though it is set last.
            hard(Resource::Processes, 4_000),
            hard(Resource::CpuSeconds, 7),
            hard(Resource::MemoryBytes, 1 << 30),
            hard(Resource::OpenFiles, 60),
            hard(Resource::FileBytes, 5_000),
            hard(Resource::CoreBytes, 9_000),
        ],
        ..Restrictions::default()
    };
    // On a terminal both come by the same way, the child's own first.
    let script = "cat /proc/self/limits; exec cat /proc/$PPID/limits >&2";
    beside(async {
        for (containment, spawner) in all() {
            for streams in [PIPES, TERMINAL] {
                let command = Command {
                    streams,
                    ..restricted(script, &restrictions)
                };
                let end = end(spawner.spawn(command).await.unwrap()).await;
                for (name, value) in [
                    ("Max cpu time", "7"),
                    ("Max address space", "1073741824"),
                    ("Max open files", "60"),
                    ("Max processes", "4000"),
                    ("Max file size", "5000"),
                    ("Max core file size", "9000"),
                ] {
                    assert_eq!(limits(&end.text(), name), [value, value], "{containment}: {name}");
                    if streams == PIPES {
                        let parents = String::from_utf8_lossy(&end.stderr);
                        assert_eq!(
                            limits(&parents, name),
                            of_this_process(name),
                            "{containment}: {name}"
                        );
                    }
                }
            }
        }
    });
}

#[test]
fn without_restrictions_a_child_has_those_of_this_process() {
    beside(async {
        let script = "umask; grep NoNewPrivs /proc/self/status; exec cat /proc/self/limits";
        let text = run(sh(script, PIPES)).await.text();
        for name in [
            "Max cpu time",
            "Max address space",
            "Max open files",
            "Max core file size",
        ] {
            assert_eq!(limits(&text, name), of_this_process(name), "{name}");
        }
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let lines: Vec<_> = status
            .lines()
            .filter(|line| line.contains("NoNewPrivs"))
            .collect();
        assert!(text.contains(lines[0]), "{text}");
        let mask = status
            .lines()
            .find_map(|line| line.strip_prefix("Umask:\t"))
            .unwrap();
        assert!(text.starts_with(mask), "{text}");
    });
}

#[test]
fn a_soft_limit_can_be_raised_again_and_stays_below_the_hard_one() {
    beside(async {
        let [_, most] = of_this_process("Max open files");
        let give = |value| Restrictions {
            limits: vec![soft(Resource::OpenFiles, value), soft(Resource::CoreBytes, 0)],
            ..Restrictions::default()
        };
        let script = "ulimit -Sn; ulimit -Hn; ulimit -Sn 50; ulimit -Sn; ulimit -Sc";
        let text = run(restricted(script, &give(40))).await.text();
        assert_eq!(text, format!("40\n{most}\n50\n0\n"));
        let text = run(restricted("ulimit -Sn", &give(u64::MAX))).await.text();
        assert_eq!(text, format!("{most}\n"));
    });
}

#[test]
fn more_than_this_process_may_have_is_refused_by_its_name() {
    beside(async {
        for (containment, spawner) in all() {
            // More than the system lets anybody have.
            let restrictions = Restrictions {
                limits: vec![hard(Resource::OpenFiles, 1 << 40)],
                ..Restrictions::default()
            };
            let error = spawner
                .spawn(restricted("echo ran", &restrictions))
                .await
                .unwrap_err();
            assert_eq!(error.errno(), EPERM, "{containment}");
            let resource = Resource::OpenFiles;
            assert!(
                matches!(error, SpawnError::LimitRefused { resource: named, .. } if named == resource),
                "{containment}: {error:?}"
            );
        }
    });
}

#[test]
fn new_files_have_the_mask_and_programs_bring_no_privileges() {
    beside(async {
        for (containment, spawner) in all() {
            let restrictions = Restrictions {
                umask: Some(0o027),
                privileges: Privileges::NoNew,
                ..Restrictions::default()
            };
            let command = restricted(
                "umask; sed -n 's/NoNewPrivs:.//p' /proc/self/status",
                &restrictions,
            );
            let end = end(spawner.spawn(command).await.unwrap()).await;
            assert_eq!(end.text(), "0027\n1\n", "{containment}");
        }
    });
}

#[test]
fn a_tree_is_limited_where_there_are_controllers_and_refused_elsewhere() {
    beside(async {
        for (containment, spawner) in all() {
            let limits = TreeLimits {
                memory_bytes: Some(64 << 20),
                processes: None,
            };
            let restrictions = Restrictions {
                tree: limits,
                ..Restrictions::default()
            };
            let is_supported = spawner.controllers().include(limits.needs());
            assert!(containment == Containment::Cgroup || !is_supported);
            match start_limited(&spawner, &restrictions).await {
                Ok(text) => assert!(is_supported && text == "ran\n", "{containment}: {text}"),
                Err(error) => assert!(
                    !is_supported
                        && matches!(
                            error,
                            SpawnError::Os {
                                step: Step::TreeLimits,
                                ..
                            }
                        ),
                    "{containment}: {error:?}"
                ),
            }
        }
    });
}

async fn start_limited(spawner: &Spawner, restrictions: &Restrictions) -> Result<String, SpawnError> {
    let child = spawner.spawn(restricted("echo ran", restrictions)).await?;
    Ok(end(child).await.text())
}
