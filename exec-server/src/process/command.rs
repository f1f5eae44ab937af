//! From what a client asked for to what will be run.

use std::ffi::OsString;
use std::path::Path;

use exec_protocol::StringMap;
use exec_protocol::process::{Size, StartParams};
use pty_utils::{Command, Stdin, Streams};

use super::HouseRules;
use super::restrictions::restrictions;
use super::stdin::StdinKind;
use crate::env_policy::{self, TooManySteps};
use crate::limits::MAX_RECORD_BYTES;

/// Why a start was refused before anything ran.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CommandError {
    /// There is nothing to run.
    #[error("argv has no program")]
    EmptyArgv,
    /// A sandbox or a managed network was asked for.
    #[error(transparent)]
    Sandbox(#[from] SandboxUnsupported),
    /// A variable that no environment can hold.
    #[error("{name:?} cannot be the name of a variable")]
    VariableName {
        /// The name.
        name: String,
    },
    /// A policy that could take too long to carry out.
    #[error(transparent)]
    TooManySteps(#[from] TooManySteps),
    /// A size without a terminal to give it to.
    #[error("`size` is for a terminal, and `tty` is false")]
    SizeWithoutTerminal,
    /// A text for the record that is too long.
    #[error("title and labels have more than {MAX_RECORD_BYTES} bytes")]
    TooLong {
        /// The member that makes it so.
        field: &'static str,
    },
    /// A limit of no time at all.
    #[error("`{field}` is 0, which leaves no time to run")]
    NoTime {
        /// The member.
        field: &'static str,
    },
    /// A limit that nobody can keep here.
    #[error("`{field}` cannot be kept here")]
    LimitsUnsupported {
        /// The member that asks for it.
        field: &'static str,
    },
    /// Nobody could reach the process again.
    #[error("nobody could reach the process again once this session is over")]
    KeepUnsupported,
}

/// Something was asked for that nobody can enforce here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` cannot be enforced here")]
pub(crate) struct SandboxUnsupported {
    /// The member that asks for it.
    pub(crate) field: &'static str,
}

/// The command for `params`, on top of the server's environment and working directory, within the rules of the house.
///
/// # Errors
///
/// A [`CommandError`] if it must not or cannot be run. NUL bytes are left to the spawn.
pub(crate) fn command(
    params: StartParams,
    environment: &[(OsString, OsString)],
    default_cwd: &Path,
    rules: HouseRules,
) -> Result<(Command, StdinKind), CommandError> {
    refuse_sandbox(&params)?;
    if params.argv.first().is_none_or(String::is_empty) {
        return Err(CommandError::EmptyArgv);
    }
    if params.size.is_some() && !params.tty {
        return Err(CommandError::SizeWithoutTerminal);
    }
    let restrictions = restrictions(&params, rules)?;
    let (streams, stdin) = match (params.tty, params.pipe_stdin) {
        (true, _) => {
            let size = terminal_size(params.size.unwrap_or(Size::DEFAULT));
            (Streams::Terminal { size }, StdinKind::Terminal)
        }
        (false, true) => (Streams::Pipes { stdin: Stdin::Piped }, StdinKind::Pipe),
        (false, false) => (Streams::Pipes { stdin: Stdin::Null }, StdinKind::None),
    };
    check_names(&params.env)?;
    let mut env = match &params.env_policy {
        Some(policy) => {
            check_names(&policy.set)?;
            env_policy::apply(policy, environment)?
        }
        None => env_policy::Environment::new(),
    };
    env.extend(
        params
            .env
            .into_iter()
            .map(|(name, value)| (name.into(), value.into())),
    );
    let command = Command {
        argv: params.argv.into_iter().map(OsString::from).collect(),
        arg0: params.arg0.map(OsString::from),
        cwd: params
            .cwd
            .map_or_else(|| default_cwd.to_owned(), exec_protocol::WirePath::into_path),
        env: env.into_iter().collect(),
        streams,
        restrictions,
    };
    Ok((command, stdin))
}

/// A terminal's size as the spawn knows it.
pub(crate) fn terminal_size(size: Size) -> pty_utils::Size {
    pty_utils::Size {
        rows: size.rows(),
        cols: size.cols(),
    }
}

fn refuse_sandbox(params: &StartParams) -> Result<(), CommandError> {
    let asked = [
        (params.sandbox.is_some(), "sandbox"),
        (params.managed_network.is_some(), "managedNetwork"),
        (params.enforce_managed_network, "enforceManagedNetwork"),
    ];
    match asked.into_iter().find(|(is_asked, _)| *is_asked) {
        Some((_, field)) => Err(SandboxUnsupported { field }.into()),
        None => Ok(()),
    }
}

fn check_names(variables: &StringMap) -> Result<(), CommandError> {
    match variables
        .keys()
        .find(|name| name.is_empty() || name.contains('='))
    {
        Some(name) => Err(CommandError::VariableName { name: name.clone() }),
        None => Ok(()),
    }
}
