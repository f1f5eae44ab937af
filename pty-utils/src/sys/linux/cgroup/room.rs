//! How a program that has a control group to itself makes it one that can hand controllers down.
use super::{directory::Directory, mount::Own};
use crate::restrictions::Controllers;
use std::{ffi::OsStr, fs, io, path::Path, process};

/// The group below that such a program moves to. The groups of its spawners are beside it.
pub(super) const LEAF: &str = "exec-server.leaf";

/// Moves this process to a group below its own, so that its own has no members any more and can hand down what it has.
/// False if it need not, or must not as it is not alone.
///
/// # Errors
/// What the system refuses. Everything is as before then.
pub(crate) fn make_room() -> io::Result<bool> {
    // In the leaf it lists us no longer, and so is not alone.
    let own = Directory::new(Own::find()?.directory);
    let wanted = own.controllers()?;
    if wanted == Controllers::default()
        || is_root(&own)
        || !is_alone(&own.read("cgroup.procs")?, process::id())
    {
        return Ok(false);
    }
    let leaf = Directory::new(own.path().join(LEAF));
    match fs::create_dir(leaf.path()) {
        // Of a program that was here before.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        created => created?,
    }
    let made = enter(&leaf).and_then(|()| own.pass_on(wanted));
    if made.is_err() {
        // Somebody else came meanwhile, or it was not ours to change.
        enter(&own)?;
        leaf.remove()?;
    }
    made.map(|()| true)
}

/// The directory in which a program that made room has its groups: that above the leaf.
pub(super) fn above_leaf(directory: &Path) -> Option<&Path> {
    (directory.file_name() == Some(OsStr::new(LEAF)))
        .then(|| directory.parent())
        .flatten()
}

fn enter(group: &Directory) -> io::Result<()> {
    group.write("cgroup.procs", &process::id().to_string())
}

/// The root of the hierarchy has no type, may hand down although it has members, and is everybody's.
fn is_root(group: &Directory) -> bool {
    !group.path().join("cgroup.type").exists()
}

fn is_alone(members: &str, pid: u32) -> bool {
    let mut members = members.lines();
    members.next().and_then(|first| first.parse().ok()) == Some(pid) && members.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_listed_and_nobody_else_is_alone() {
        for (members, is_one) in [
            ("7\n", true),
            ("7", true),
            ("", false),
            ("8\n", false),
            ("7\n8\n", false),
            ("0\n7\n", false),
        ] {
            assert_eq!(is_alone(members, 7), is_one, "{members:?}");
        }
    }

    #[test]
    fn groups_are_beside_the_leaf() {
        assert_eq!(
            above_leaf(Path::new("/sys/fs/cgroup/a/exec-server.leaf")),
            Some(Path::new("/sys/fs/cgroup/a"))
        );
        assert_eq!(above_leaf(Path::new("/sys/fs/cgroup/a")), None);
        assert_eq!(above_leaf(Path::new("/exec-server.leaf/a")), None);
    }
}
