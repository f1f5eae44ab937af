//! The server of an ordinary user, also where root runs the tests.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tokio::process::Command;

use crate::fixture;

/// Nobody, and nobody's group. They own nothing.
pub const NOBODY: u32 = 65_534;

/// A directory that an ordinary user can reach, with the programs of the tests in it.
#[derive(Debug)]
pub struct OrdinaryUser {
    directory: TempDir,
}

impl OrdinaryUser {
    /// Makes the directory.
    pub fn new() -> Self {
        let directory = tempfile::tempdir().expect("there is room for a directory");
        open_to_all(directory.path());
        for name in ["exec-server-under-test", "fixture"] {
            let (from, to) = (fixture::program(name), directory.path().join(name));
            // On another file system they have to be copied: by another process, as a descriptor of ours that a child
            // of another test inherits just now would make the copy busy.
            if fs::hard_link(&from, &to).is_err() {
                let copied = std::process::Command::new("cp").arg(&from).arg(&to).status();
                assert!(
                    copied.expect("there is cp").success(),
                    "{} is copied",
                    from.display()
                );
            }
        }
        Self { directory }
    }

    /// A directory that everybody may write to.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The child under test.
    pub fn fixture(&self) -> PathBuf {
        self.directory.path().join("fixture")
    }

    /// The server's program, not yet started, as the last words of a shell's script, which begins with `prelude`.
    pub fn server<'a>(&self, prelude: &str, arguments: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", &format!("set -e\n{prelude}\nexec \"$0\" \"$@\"")])
            .arg(self.directory.path().join("exec-server-under-test"))
            .args(arguments)
            .current_dir(self.directory.path());
        if rustix::process::geteuid().is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }
}

impl Default for OrdinaryUser {
    fn default() -> Self {
        Self::new()
    }
}

fn open_to_all(directory: &Path) {
    fs::set_permissions(directory, Permissions::from_mode(0o777)).expect("it is ours");
}
