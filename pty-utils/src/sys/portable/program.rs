//! What can be said of a command before it is run: the libraries only have texts for it, or go on regardless.
use crate::{
    command::Command,
    error::{Field, SpawnError},
};
use std::{
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
};

/// The path of the program, in a command that may be run.
pub(super) fn find(command: &Command) -> Result<PathBuf, SpawnError> {
    let Some(program) = command.argv.first() else {
        return Err(SpawnError::EmptyArgv);
    };
    refuse_nul_bytes(command)?;
    refuse_cwd(&command.cwd)?;
    look_up(program, command).ok_or_else(|| SpawnError::ProgramNotFound {
        program: program.clone(),
        source: io::ErrorKind::NotFound.into(),
    })
}

fn refuse_cwd(cwd: &Path) -> Result<(), SpawnError> {
    let source = match fs::metadata(cwd) {
        Ok(status) if status.is_dir() => return Ok(()),
        Ok(_) => io::ErrorKind::NotADirectory.into(),
        Err(error) => error,
    };
    Err(SpawnError::CwdNotFound {
        cwd: cwd.to_owned(),
        source,
    })
}

fn refuse_nul_bytes(command: &Command) -> Result<(), SpawnError> {
    let arguments = command
        .argv
        .iter()
        .map(|argument| (Field::Argv, argument.as_os_str()));
    let arg0 = command.arg0.iter().map(|name| (Field::Arg0, name.as_os_str()));
    let env = command
        .env
        .iter()
        .flat_map(|(name, value)| [(Field::Env, name.as_os_str()), (Field::Env, value)]);
    let mut strings = arguments
        .chain(arg0)
        .chain(env)
        .chain([(Field::Cwd, command.cwd.as_os_str())]);
    match strings.find(|(_, string)| string.as_encoded_bytes().contains(&0)) {
        Some((field, _)) => Err(SpawnError::NulByte { field }),
        None => Ok(()),
    }
}

fn look_up(program: &OsStr, command: &Command) -> Option<PathBuf> {
    let is_bare = Path::new(program).file_name() == Some(program);
    let path = command.env.iter().find(|(name, _)| name == "PATH");
    let directories: Vec<_> = match path {
        _ if !is_bare => vec![PathBuf::new()],
        Some((_, path)) => std::env::split_paths(path).collect(),
        None => vec!["/usr/bin".into(), "/bin".into()],
    };
    let paths = directories
        .iter()
        .map(|directory| command.cwd.join(directory).join(program));
    paths.into_iter().find(|path| path.is_file())
}
