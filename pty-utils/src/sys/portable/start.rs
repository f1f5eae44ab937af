//! From a command to the parts of a child.
use super::{input::Input, leader::Leader, lock, output::Output, program, terminal::Terminal, tree::Tree};
use crate::{
    command::{Command, Stdin, Streams},
    containment::{Containment, SpawnerError},
    error::SpawnError,
    output::Stream,
    restrictions::{Controllers, Privileges, Restrictions, Strength, TreeLimits},
    step::Step,
    terminal::Size,
};
use portable_pty::{CommandBuilder, PtyPair, native_pty_system};
use std::{
    io::{self, Write},
    path::Path,
    process::{self, Stdio},
    sync::{Arc, Mutex},
};

/// Starts children.
#[derive(Debug)]
pub(crate) struct Starter(());

/// A running child. Dropping it kills the child.
#[derive(Debug)]
pub(crate) struct Started(Parts);

/// A running child.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) leader: Leader,
    pub(crate) tree: Tree,
    pub(crate) input: Option<Input>,
    pub(crate) outputs: Vec<(Stream, Output)>,
    pub(crate) terminal: Option<Terminal>,
}

#[expect(clippy::unused_self, reason = "other backends have something there")]
impl Starter {
    pub(crate) fn new(
        containment: Option<Containment>,
        _helper: Option<&Path>,
    ) -> Result<Self, SpawnerError> {
        match containment {
            None | Some(Containment::Group) => Ok(Self(())),
            Some(containment @ (Containment::Cgroup | Containment::Supervisor)) => {
                Err(SpawnerError::Unavailable {
                    containment,
                    source: io::Error::from(io::ErrorKind::Unsupported).into(),
                })
            }
        }
    }

    pub(crate) fn containment(&self) -> Containment {
        Containment::Group
    }

    pub(crate) fn controllers(&self) -> Controllers {
        Controllers::default()
    }

    pub(crate) fn start(&mut self, command: &Command) -> Result<Started, SpawnError> {
        refuse(&command.restrictions)?;
        let program = program::find(command)?;
        let parts = match command.streams {
            Streams::Terminal { size } => on_terminal(&program, size, command),
            Streams::Pipes { stdin } => on_pipes(&program, stdin, command),
        };
        parts.map(Started)
    }
}

impl Started {
    #[expect(clippy::unnecessary_wraps, reason = "other backends can fail here")]
    pub(crate) fn register(self) -> io::Result<Parts> {
        Ok(self.0)
    }
}

fn on_terminal(program: &Path, size: Size, command: &Command) -> Result<Parts, SpawnError> {
    if command.arg0.is_some() {
        return Err(failed(Step::Execute)(io::ErrorKind::Unsupported.into()));
    }
    let opened = native_pty_system().openpty(size.into()).map_err(io::Error::other);
    let PtyPair { slave, master } = opened.map_err(failed(Step::OpenTerminal))?;
    let mut builder = CommandBuilder::new(program);
    builder.args(&command.argv[1..]);
    builder.cwd(&command.cwd);
    builder.env_clear();
    for (name, value) in &command.env {
        builder.env(name, value);
    }
    let spawned = slave.spawn_command(builder);
    // What is not the system's error is a text.
    let spawned = spawned.map_err(|error| error.downcast().unwrap_or_else(io::Error::other));
    let child = spawned.map_err(|error| named(error, command))?;
    // Or there would never be an end of file.
    drop(slave);
    let parts = || {
        let leader = Leader::new(child)?;
        let writer = Arc::new(Mutex::new(master.take_writer().map_err(io::Error::other)?));
        let output = Output::new(master.try_clone_reader().map_err(io::Error::other)?)?;
        let terminal = Terminal::new(master, Arc::clone(&writer));
        let input = Input::new(move |bytes| {
            let mut writer = lock(&writer);
            writer.write_all(bytes)?;
            writer.flush()
        })?;
        Ok(Parts {
            tree: leader.tree(),
            leader,
            input: Some(input),
            outputs: vec![(Stream::Pty, output)],
            terminal: Some(terminal),
        })
    };
    parts().map_err(failed(Step::Register))
}

fn on_pipes(program: &Path, stdin: Stdin, command: &Command) -> Result<Parts, SpawnError> {
    let mut builder = process::Command::new(program);
    builder
        .args(&command.argv[1..])
        .current_dir(&command.cwd)
        .env_clear()
        .envs(command.env.iter().map(|(name, value)| (name, value)))
        .stdin(match stdin {
            Stdin::Null => Stdio::null(),
            Stdin::Piped => Stdio::piped(),
        })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt;
        let name = command.arg0.as_ref().unwrap_or(&command.argv[0]);
        builder.arg0(name).process_group(0);
    }
    let mut child = builder.spawn().map_err(|error| named(error, command))?;
    let stdin = child.stdin.take();
    let stdout = child.stdout.take().expect("it was made a pipe above");
    let stderr = child.stderr.take().expect("it was made a pipe above");
    let parts = || {
        let leader = Leader::new(Box::new(child))?;
        let input = stdin.map(|mut pipe| Input::new(move |bytes| pipe.write_all(bytes)));
        let outputs = vec![
            (Stream::Stdout, Output::new(stdout)?),
            (Stream::Stderr, Output::new(stderr)?),
        ];
        Ok(Parts {
            tree: leader.tree(),
            leader,
            input: input.transpose()?,
            outputs,
            terminal: None,
        })
    };
    parts().map_err(failed(Step::Register))
}

/// There is no way to any of them; soft limits are none that a child must keep.
fn refuse(restrictions: &Restrictions) -> Result<(), SpawnError> {
    let hard = restrictions
        .limits
        .iter()
        .find(|limit| limit.strength == Strength::Hard);
    let step = match (hard, restrictions) {
        (Some(limit), _) => Step::Limit(limit.resource),
        (None, Restrictions { umask: Some(_), .. }) => Step::Umask,
        (None, Restrictions { tree, .. }) if *tree != TreeLimits::default() => Step::TreeLimits,
        (None, Restrictions { privileges, .. }) if *privileges == Privileges::NoNew => Step::Privileges,
        (None, _) => return Ok(()),
    };
    Err(failed(step)(io::ErrorKind::Unsupported.into()))
}

fn failed(step: Step) -> impl Fn(io::Error) -> SpawnError {
    move |source| SpawnError::Os { step, source }
}

/// Names why a program that is there does not run.
fn named(source: io::Error, command: &Command) -> SpawnError {
    let program = command.argv[0].clone();
    match source.kind() {
        // It is a script's interpreter that is not.
        io::ErrorKind::NotFound => SpawnError::NotExecutable { program, source },
        io::ErrorKind::PermissionDenied => SpawnError::PermissionDenied {
            path: program.into(),
            source,
        },
        io::ErrorKind::ArgumentListTooLong => SpawnError::ArgumentListTooLong { source },
        io::ErrorKind::OutOfMemory => SpawnError::OutOfMemory { source },
        io::ErrorKind::WouldBlock => SpawnError::TooManyProcesses { source },
        _ => failed(Step::Execute)(source),
    }
}
