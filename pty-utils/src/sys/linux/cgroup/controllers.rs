//! What a control group can bound for everybody in it, and what it says of that.
use super::directory::Directory;
use crate::restrictions::{Controllers, TreeLimits};
use std::io;

/// The most processes that a kernel can have, and that can be a limit: `PID_MAX_LIMIT`. More is no limit.
const MOST_PROCESSES: u64 = 1 << 22;

impl Directory {
    /// Those that were handed down to it, and that it can hand down in turn.
    pub(super) fn controllers(&self) -> io::Result<Controllers> {
        Ok(named(&self.read("cgroup.controllers")?))
    }

    /// Hands these down to the groups below, also to those that there are.
    ///
    /// # Errors
    /// None of them is handed down then that was not before.
    pub(super) fn pass_on(&self, controllers: Controllers) -> io::Result<()> {
        let passed_on = named(&self.read("cgroup.subtree_control")?);
        let missing: Vec<_> = [
            ("+memory", controllers.memory && !passed_on.memory),
            ("+pids", controllers.processes && !passed_on.processes),
        ]
        .into_iter()
        .filter_map(|(controller, is_missing)| is_missing.then_some(controller))
        .collect();
        if missing.is_empty() {
            return Ok(());
        }
        // The kernel carries out all of one write, or nothing.
        self.write("cgroup.subtree_control", &missing.join(" "))
    }

    /// Bounds what those in it use together. The group above must have handed down what that takes.
    pub(super) fn limit(&self, limits: TreeLimits) -> io::Result<()> {
        if let Some(bytes) = limits.memory_bytes {
            // All of them, as a tree of which the kernel took its pick is of no use.
            self.write("memory.oom.group", "1")?;
            self.write("memory.max", &bytes.to_string())?;
        }
        if let Some(processes) = limits.processes {
            let most = match processes {
                0..=MOST_PROCESSES => processes.to_string(),
                _ => "max".to_owned(),
            };
            self.write("pids.max", &most)?;
        }
        Ok(())
    }

    /// How many in it and below were killed for want of memory.
    ///
    /// # Errors
    /// Also if that is not counted.
    pub(super) fn oom_kills(&self) -> io::Result<u64> {
        oom_kills(&self.read("memory.events")?).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }
}

fn named(line: &str) -> Controllers {
    let has = |name| line.split_ascii_whitespace().any(|word| word == name);
    Controllers {
        memory: has("memory"),
        processes: has("pids"),
    }
}

fn oom_kills(events: &str) -> Option<u64> {
    let mut fields = events.lines().filter_map(|line| line.split_once(' '));
    let (_, count) = fields.find(|(name, _)| *name == "oom_kill")?;
    count.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use tempfile::TempDir;

    /// A directory with the files of a control group that these rules read and write, in ordinary files.
    fn group(controllers: &str) -> (TempDir, Directory) {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("cgroup.controllers", controllers),
            ("cgroup.subtree_control", ""),
            ("memory.max", ""),
            ("memory.oom.group", ""),
            ("pids.max", ""),
            (
                "memory.events",
                "low 0\nhigh 0\nmax 7\noom 2\noom_kill 3\noom_group_kill 1\n",
            ),
        ] {
            fs::write(root.path().join(name), text).unwrap();
        }
        let directory = Directory::new(root.path().to_owned());
        (root, directory)
    }

    const BOTH: TreeLimits = TreeLimits {
        memory_bytes: Some(64 << 20),
        processes: Some(12),
    };

    #[test]
    fn controllers_are_known_by_their_whole_names() {
        for (line, memory, processes) in [
            ("cpuset cpu io memory pids\n", true, true),
            ("memory\n", true, false),
            ("pids", false, true),
            ("memory2 xpids\n", false, false),
            ("", false, false),
        ] {
            let (_root, directory) = group(line);
            let found = directory.controllers().unwrap();
            assert_eq!(found, Controllers { memory, processes }, "{line:?}");
        }
        let (root, directory) = group("");
        fs::remove_file(root.path().join("cgroup.controllers")).unwrap();
        assert!(directory.controllers().is_err());
    }

    #[test]
    fn only_what_is_asked_for_is_passed_on_and_once() {
        let (_root, directory) = group("memory pids");
        let passed_on = || directory.read("cgroup.subtree_control").unwrap();
        directory.pass_on(Controllers::default()).unwrap();
        assert_eq!(passed_on(), "");
        let memory = Controllers {
            memory: true,
            processes: false,
        };
        directory.pass_on(memory).unwrap();
        assert_eq!(passed_on(), "+memory");
        // As the kernel tells it then.
        directory.write("cgroup.subtree_control", "memory\n").unwrap();
        directory.pass_on(memory).unwrap();
        assert_eq!(passed_on(), "memory\n");
    }

    #[test]
    fn several_are_passed_on_together_or_not_at_all() {
        let (_root, directory) = group("memory pids");
        directory.pass_on(BOTH.needs()).unwrap();
        assert_eq!(directory.read("cgroup.subtree_control").unwrap(), "+memory +pids");
    }

    #[test]
    fn each_limit_is_in_its_file_and_all_die_together() {
        let (_root, directory) = group("memory pids");
        directory.limit(BOTH).unwrap();
        for (name, text) in [
            ("memory.max", "67108864"),
            ("memory.oom.group", "1"),
            ("pids.max", "12"),
        ] {
            assert_eq!(directory.read(name).unwrap(), text, "{name}");
        }
        let (_root, without_end) = group("pids");
        let processes = Some(u64::MAX);
        without_end
            .limit(TreeLimits {
                memory_bytes: None,
                processes,
            })
            .unwrap();
        assert_eq!(without_end.read("pids.max").unwrap(), "max");
        let (_root, untouched) = group("memory pids");
        untouched.limit(TreeLimits::default()).unwrap();
        for name in ["memory.max", "memory.oom.group", "pids.max"] {
            assert_eq!(untouched.read(name).unwrap(), "", "{name}");
        }
    }

    #[test]
    fn a_limit_that_cannot_be_set_is_an_error() {
        let (root, directory) = group("memory pids");
        fs::remove_file(root.path().join("pids.max")).unwrap();
        let error = directory.limit(BOTH).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn kills_for_want_of_memory_are_counted() {
        let (root, directory) = group("memory");
        assert_eq!(directory.oom_kills().unwrap(), 3);
        for events in ["", "oom 4\noom_group_kill 1\n", "oom_kill x\n"] {
            fs::write(root.path().join("memory.events"), events).unwrap();
            assert!(directory.oom_kills().is_err(), "{events:?}");
        }
    }
}
