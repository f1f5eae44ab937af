//! Steps that failed, and the causes behind them.
use crate::{command::Command, error::SpawnError, step::Step};
use rustix::io::Errno;
use std::io;

/// A step that failed, small enough to come out of the child through shared memory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Failure {
    pub(super) step: Step,
    pub(super) errno: Errno,
}

impl Failure {
    /// Names the cause of a failed step.
    pub(super) fn named(self, command: &Command) -> SpawnError {
        let Self { step, errno } = self;
        let source = io::Error::from(errno);
        let program = || command.argv.first().cloned().unwrap_or_default();
        match (step, errno) {
            (_, Errno::MFILE | Errno::NFILE) | (Step::OpenTerminal, Errno::NOSPC) => {
                SpawnError::TooManyFiles { source }
            }
            (_, Errno::NOMEM) => SpawnError::OutOfMemory { source },
            (Step::Clone | Step::Execute, Errno::AGAIN) => SpawnError::TooManyProcesses { source },
            // A name that is too long for the file system is the name of no file.
            (Step::Cwd, Errno::NOENT | Errno::NOTDIR | Errno::NAMETOOLONG) => SpawnError::CwdNotFound {
                cwd: command.cwd.clone(),
                source,
            },
            (Step::Cwd, Errno::ACCESS | Errno::PERM) => SpawnError::PermissionDenied {
                path: command.cwd.clone(),
                source,
            },
            (Step::Execute, Errno::NOENT | Errno::NOTDIR | Errno::NAMETOOLONG) => {
                SpawnError::ProgramNotFound {
                    program: program(),
                    source,
                }
            }
            (Step::Execute, Errno::ACCESS | Errno::PERM) => SpawnError::PermissionDenied {
                path: program().into(),
                source,
            },
            (Step::Execute, Errno::TOOBIG) => SpawnError::ArgumentListTooLong { source },
            (Step::Limit(resource), Errno::PERM) => SpawnError::LimitRefused { resource, source },
            (Step::Load, _) => SpawnError::NotExecutable {
                program: program(),
                source,
            },
            (step, _) => SpawnError::Os { step, source },
        }
    }
}

/// The errno of an error of the system's.
pub(super) fn errno_of(error: &io::Error) -> Errno {
    Errno::from_io_error(error).unwrap_or(Errno::IO)
}

impl Step {
    /// Turns an errno into the failure of this step, for `map_err`.
    pub(super) fn failed(self) -> impl Fn(Errno) -> Failure {
        move |errno| Failure { step: self, errno }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        command::{Stdin, Streams},
        restrictions::Restrictions,
    };

    fn named(step: Step, errno: Errno) -> SpawnError {
        let command = Command {
            argv: vec!["tool".into()],
            arg0: None,
            cwd: "/work".into(),
            env: Vec::new(),
            streams: Streams::Pipes { stdin: Stdin::Null },
            restrictions: Restrictions::default(),
        };
        Failure { step, errno }.named(&command)
    }

    // The other causes can be brought about and are, in tests/it/errors.rs.
    #[test]
    fn what_the_system_has_no_more_of_is_named() {
        assert!(matches!(
            named(Step::Clone, Errno::AGAIN),
            SpawnError::TooManyProcesses { .. }
        ));
        assert!(matches!(
            named(Step::Execute, Errno::NOMEM),
            SpawnError::OutOfMemory { .. }
        ));
        assert!(matches!(
            named(Step::OpenTerminal, Errno::NOSPC),
            SpawnError::TooManyFiles { .. }
        ));
        assert!(matches!(
            named(Step::OpenPipes, Errno::NFILE),
            SpawnError::TooManyFiles { .. }
        ));
    }

    #[test]
    fn a_forbidden_cwd_is_named_by_its_path() {
        let error = named(Step::Cwd, Errno::ACCESS);
        assert_eq!(error.errno(), Some(13));
        assert!(matches!(error, SpawnError::PermissionDenied { path, .. } if path == *"/work"));
    }
}
