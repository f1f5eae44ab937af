//! From a command to the parts of a child.
use super::{
    child_signal::keep_statuses,
    ends::Ends,
    failure::Failure,
    holding::{Born, Holding},
    image::Image,
    input::Input,
    kernel,
    leader::Leader,
    output::Output,
    register::register,
    stack::Stack,
    strings::Strings,
    terminal::Terminal,
    tree::Tree,
};
use crate::{
    command::Command,
    containment::{Containment, SpawnerError},
    error::SpawnError,
    output::Stream,
    restrictions::Controllers,
};
use std::{io, path::Path, sync::Arc};
use tokio::io::Interest;

/// Starts children. It belongs to one thread, with which they die.
#[derive(Debug)]
pub(crate) struct Starter {
    stack: Stack,
    holding: Holding,
}

/// A running child that the runtime does not know yet. Dropping it kills the child.
#[derive(Debug)]
pub(crate) struct Started {
    born: Born,
    ends: Ends,
}

/// A running child.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) leader: Leader,
    pub(crate) tree: Tree,
    pub(crate) input: Option<Input>,
    pub(crate) outputs: Vec<(Stream, Output)>,
    pub(crate) terminal: Option<Terminal>,
}

impl Starter {
    pub(crate) fn new(containment: Option<Containment>, helper: Option<&Path>) -> Result<Self, SpawnerError> {
        kernel::check().map_err(io::Error::from)?;
        keep_statuses().map_err(io::Error::from)?;
        let mut stack = Stack::new().map_err(io::Error::from)?;
        let holding = Holding::new(&mut stack, containment, helper)?;
        Ok(Self { stack, holding })
    }

    pub(crate) fn containment(&self) -> Containment {
        self.holding.containment()
    }

    pub(crate) fn controllers(&self) -> Controllers {
        self.holding.controllers()
    }

    pub(crate) fn start(&mut self, command: &Command) -> Result<Started, SpawnError> {
        let strings = Strings::new(command)?;
        let named = |failure: Failure| failure.named(command);
        let (ends, theirs) = Ends::open(command.streams).map_err(named)?;
        // Their ends are closed here when this returns, or there would never be an end of file.
        let image = Image::new(&strings, &theirs, &command.restrictions);
        let tree_limits = command.restrictions.tree;
        let born = self.holding.spawn(&mut self.stack, &image, tree_limits);
        let born = born.map_err(named)?;
        Ok(Started { born, ends })
    }
}

impl Started {
    /// Registers everything with the runtime. When that fails, the child is killed.
    pub(crate) fn register(self) -> io::Result<Parts> {
        let family = Arc::new(self.born.register()?);
        let (leader, tree) = (Leader::new(Arc::clone(&family)), Tree::new(family));
        Ok(match self.ends {
            Ends::Terminal { master, name } => {
                let master = Arc::new(register(master, Interest::READABLE | Interest::WRITABLE)?);
                Parts {
                    leader,
                    tree,
                    input: Some(Input::new(Arc::clone(&master))),
                    outputs: vec![(Stream::Pty, Output::terminal(Arc::clone(&master)))],
                    terminal: Some(Terminal::new(master, name.into())),
                }
            }
            Ends::Pipes {
                stdin,
                stdout,
                stderr,
            } => {
                let stdin = stdin.map(|end| register(end, Interest::WRITABLE)).transpose()?;
                let stdout = register(stdout, Interest::READABLE)?;
                let stderr = register(stderr, Interest::READABLE)?;
                Parts {
                    leader,
                    tree,
                    input: stdin.map(|end| Input::new(Arc::new(end))),
                    outputs: vec![
                        (Stream::Stdout, Output::pipe(Arc::new(stdout))),
                        (Stream::Stderr, Output::pipe(Arc::new(stderr))),
                    ],
                    terminal: None,
                }
            }
        })
    }
}
