//! What to run, as plain data.
use crate::{restrictions::Restrictions, terminal::Size};
use std::{ffi::OsString, path::PathBuf};

/// A program and everything it starts with. Nothing is added, and nothing is inherited but the user of this process
/// and, where there are no restrictions, its resource limits and its umask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The program and its arguments.
    ///
    /// The first element is the program. With a slash it is relative to [`cwd`](Self::cwd). Without one it is
    /// looked up in the `PATH` of [`env`](Self::env), where an empty element means `cwd`, or in
    /// `/usr/bin:/bin` if there is no `PATH` there.
    pub argv: Vec<OsString>,
    /// What the child sees as its own name instead of `argv[0]`.
    pub arg0: Option<OsString>,
    /// The child's working directory, an absolute path.
    pub cwd: PathBuf,
    /// The complete environment of the child.
    pub env: Vec<(OsString, OsString)>,
    /// What the child's standard streams are connected to.
    pub streams: Streams,
    /// What the child may use at most, and what it may not do.
    pub restrictions: Restrictions,
}

/// What a child's standard streams are connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Streams {
    /// All three are a new terminal, which is the child's controlling terminal.
    Terminal {
        /// The terminal's size at the start.
        size: Size,
    },
    /// Standard output and standard error are a pipe each.
    Pipes {
        /// What standard input is.
        stdin: Stdin,
    },
}

/// The standard input of a child that runs on pipes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stdin {
    /// `/dev/null`: end of file at the first read.
    Null,
    /// A pipe, written through [`Child::input`](crate::Child::input).
    Piped,
}
