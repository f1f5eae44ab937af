//! The strings of a command as the kernel takes them.
use super::lookup::candidates;
use crate::{
    command::Command,
    error::{Field, SpawnError},
};
use rustix::{io::Errno, param::page_size};
use std::{
    ffi::{CString, OsStr, OsString},
    os::unix::ffi::{OsStrExt, OsStringExt},
};

/// The strings of a command, each ended by a NUL.
#[derive(Debug)]
pub(super) struct Strings {
    /// Where the program may be, in the order to try.
    pub(super) candidates: Vec<CString>,
    /// What the child sees as its arguments, with its own name first.
    pub(super) argv: Vec<CString>,
    /// `NAME=value` each.
    pub(super) env: Vec<CString>,
    pub(super) cwd: CString,
}

impl Strings {
    /// # Errors
    /// `EmptyArgv`, `NulByte` and `ArgumentListTooLong`: what the kernel will not take is not made ready for it.
    pub(super) fn new(command: &Command) -> Result<Self, SpawnError> {
        let [program, arguments @ ..] = &*command.argv else {
            return Err(SpawnError::EmptyArgv);
        };
        let mut argv = vec![match &command.arg0 {
            Some(name) => ended(name, Field::Arg0)?,
            None => ended(program, Field::Argv)?,
        }];
        for argument in arguments {
            argv.push(ended(argument, Field::Argv)?);
        }
        let env = command
            .env
            .iter()
            .map(|(name, value)| ended(&assignment(name, value), Field::Env))
            .collect::<Result<_, _>>()?;
        let candidates = candidates(program, &command.env)
            .ok_or_else(too_long)?
            .iter()
            .map(|path| ended(path, Field::Argv))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            candidates,
            argv,
            env,
            cwd: ended(command.cwd.as_os_str(), Field::Cwd)?,
        })
    }
}

fn assignment(name: &OsStr, value: &OsStr) -> OsString {
    OsString::from_vec([name.as_bytes(), b"=", value.as_bytes()].concat())
}

/// Pages of the longest string that the kernel takes, with its NUL (`MAX_ARG_STRLEN`).
const STRING_PAGES: usize = 32;

fn too_long() -> SpawnError {
    SpawnError::ArgumentListTooLong {
        source: Errno::TOOBIG.into(),
    }
}

fn ended(string: &OsStr, field: Field) -> Result<CString, SpawnError> {
    if field != Field::Cwd && string.len() >= STRING_PAGES * page_size() {
        return Err(too_long());
    }
    CString::new(string.as_bytes()).map_err(|_| SpawnError::NulByte { field })
}
