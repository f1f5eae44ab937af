//! Folders of this machine in place of those of the recordings.

use std::fs;
use std::path::PathBuf;

use exec_tests::program;
use tempfile::TempDir;
use tokio::process::Command;

/// The search path of the server; commands that inherit it have it, too.
pub(super) const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The folders that a recording names.
#[derive(Debug)]
pub(super) struct Folders {
    root: TempDir,
}

impl Folders {
    /// New ones, which are empty.
    pub(super) fn new() -> Self {
        let root = tempfile::tempdir().expect("there is room for a directory");
        let this = Self { root };
        for folder in [this.work(), this.home(), this.temp(), this.server()] {
            fs::create_dir(folder).expect("the folder above it is there");
        }
        this
    }

    /// The agent works here: `/w`.
    pub(super) fn work(&self) -> PathBuf {
        self.folder("work")
    }

    /// The server's user lives here: `/home/u`.
    pub(super) fn home(&self) -> PathBuf {
        self.folder("home")
    }

    /// Here the agent looks for a file only: `/tmp`.
    fn temp(&self) -> PathBuf {
        self.folder("temp")
    }

    /// The server is started here.
    fn server(&self) -> PathBuf {
        self.folder("server")
    }

    fn folder(&self, name: &str) -> PathBuf {
        let root = self.root.path().canonicalize().expect("it is there");
        root.join(name)
    }

    /// A message with our folders in it. `/t` becomes one that is not there.
    pub(super) fn put_into(&self, text: &str) -> String {
        let uri = |folder: PathBuf| format!("\"file://{}", folder.display());
        let mut text = text.replace("\"file:///tmp/", &format!("{}/", uri(self.temp())));
        for (recorded, ours) in [
            ("/w", self.work()),
            ("/t", self.folder("not-there")),
            ("/home/u", self.home()),
        ] {
            for end in ["\"", "/"] {
                text = text.replace(
                    &format!("\"file://{recorded}{end}"),
                    &format!("{}{end}", uri(ours.clone())),
                );
            }
        }
        text
    }

    /// The server's program, with surroundings in which nothing depends on who runs the tests.
    pub(super) fn program(&self) -> Command {
        let mut command = program::server([]);
        command
            .current_dir(self.server())
            .env_clear()
            .env("HOME", self.home())
            .envs([("LANG", "C.UTF-8"), ("PATH", PATH), ("SHELL", "/bin/bash")]);
        command
    }
}
