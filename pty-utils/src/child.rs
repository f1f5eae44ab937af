//! A running child, as its parts.
use crate::{input::Input, leader::Leader, output::Output, sys::Parts, terminal::Terminal, tree::Tree};

/// A running child. It is plain data, so that each part can go to whoever needs it.
#[derive(Debug)]
pub struct Child {
    /// Signals and the exit status. Dropping it kills the child and its descendants.
    pub leader: Leader,
    /// The leader and everybody who descends from it.
    pub tree: Tree,
    /// The standard input, unless it is `/dev/null`.
    pub input: Option<Input>,
    /// One [`Stream::Pty`](crate::Stream::Pty), or a [`Stream::Stdout`](crate::Stream::Stdout) and a [`Stream::Stderr`](crate::Stream::Stderr).
    pub outputs: Vec<Output>,
    /// The terminal, if it has one.
    pub terminal: Option<Terminal>,
}

impl Child {
    pub(crate) fn new(parts: Parts) -> Self {
        let Parts {
            leader,
            tree,
            input,
            outputs,
            terminal,
        } = parts;
        Self {
            leader: Leader::new(leader),
            tree: Tree::new(tree),
            input: input.map(Input::new),
            outputs: outputs.into_iter().map(Output::new).collect(),
            terminal: terminal.map(Terminal::new),
        }
    }
}
