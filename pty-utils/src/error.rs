//! Why a spawn failed: one variant per cause, the same ones for terminals and pipes.
use crate::{restrictions::Resource, step::Step};
use std::{ffi::OsString, fmt, io, path::PathBuf};

/// Why a command could not be started. When there is an error, there is no child.
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// There is no `argv[0]`.
    #[error("argv is empty")]
    EmptyArgv,
    /// The kernel takes strings that end at the first NUL.
    #[error("{field} contains a NUL byte")]
    NulByte {
        /// Where it is.
        field: Field,
    },
    /// No file has this name, or none in the child's `PATH`.
    #[error("program {program:?} not found")]
    ProgramNotFound {
        /// `argv[0]`.
        program: OsString,
        /// What the system said.
        source: io::Error,
    },
    /// There is no such directory.
    #[error("working directory {cwd:?} not found")]
    CwdNotFound {
        /// The working directory that was asked for.
        cwd: PathBuf,
        /// What the system said: `ENOENT`, or `ENOTDIR` if it is something else.
        source: io::Error,
    },
    /// We may not run the program, or not enter the working directory.
    #[error("permission denied for {path:?}")]
    PermissionDenied {
        /// The program as it was given, or the working directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is there, but it is not a program that runs here: a wrong format, a directory, or a script
    /// whose interpreter is missing (the system says `ENOENT` then, although the file is there).
    #[error("{program:?} is not executable")]
    NotExecutable {
        /// `argv[0]`.
        program: OsString,
        /// What the system said.
        source: io::Error,
    },
    /// Arguments and environment together are larger than the system takes, or one of them is, or the child's `PATH` has more
    /// than 4,096 elements.
    #[error("the argument list is too long")]
    ArgumentListTooLong {
        /// What the system said.
        source: io::Error,
    },
    /// This process or the system has no descriptor or no terminal left.
    #[error("too many open files")]
    TooManyFiles {
        /// What the system said: `EMFILE`, `ENFILE`, or `ENOSPC` for terminals.
        source: io::Error,
    },
    /// The user, the control group or the system has no process left.
    #[error("too many processes")]
    TooManyProcesses {
        /// What the system said.
        source: io::Error,
    },
    /// The system has no memory left.
    #[error("out of memory")]
    OutOfMemory {
        /// What the system said.
        source: io::Error,
    },
    /// More was to be allowed than this process may allow.
    #[error("a limit of {resource} exceeds what this process may have")]
    LimitRefused {
        /// Of what.
        resource: Resource,
        /// What the system said.
        source: io::Error,
    },
    /// Anything else.
    #[error("failed to {step}")]
    Os {
        /// Where it happened.
        step: Step,
        /// What the system said.
        source: io::Error,
    },
}

impl SpawnError {
    /// What the system said, as a number; none where it was not asked.
    pub fn errno(&self) -> Option<i32> {
        match self {
            Self::EmptyArgv | Self::NulByte { .. } => None,
            Self::ProgramNotFound { source, .. }
            | Self::CwdNotFound { source, .. }
            | Self::PermissionDenied { source, .. }
            | Self::NotExecutable { source, .. }
            | Self::ArgumentListTooLong { source }
            | Self::TooManyFiles { source }
            | Self::TooManyProcesses { source }
            | Self::OutOfMemory { source }
            | Self::LimitRefused { source, .. }
            | Self::Os { source, .. } => source.raw_os_error(),
        }
    }
}

/// A part of a [`Command`](crate::Command), by the name it has there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    /// [`Command::argv`](crate::Command::argv).
    Argv,
    /// [`Command::arg0`](crate::Command::arg0).
    Arg0,
    /// [`Command::cwd`](crate::Command::cwd).
    Cwd,
    /// [`Command::env`](crate::Command::env).
    Env,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Argv => "argv",
            Self::Arg0 => "arg0",
            Self::Cwd => "cwd",
            Self::Env => "env",
        })
    }
}
