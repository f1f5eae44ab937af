//! Everything a child needs, made before there is one.
use super::{ends::Theirs, strings::Strings};
use crate::restrictions::{Limit, Privileges, Resource, Restrictions};
use rustix::process::{Pid, getpid};
use std::{
    cell::Cell,
    ffi::{CStr, CString, c_char},
    marker::PhantomData,
    os::fd::RawFd,
    ptr,
};

/// Everything a child needs, made before there is one: a child in shared memory must not allocate.
#[derive(Debug)]
pub(super) struct Image<'a> {
    pub(super) candidates: &'a [CString],
    pub(super) cwd: &'a CStr,
    /// Become 0, 1 and 2. None is one of these already.
    pub(super) streams: [RawFd; 3],
    pub(super) controlling_terminal: ControllingTerminal,
    pub(super) umask: Option<u32>,
    pub(super) privileges: Privileges,
    /// In the order in which they are set.
    pub(super) limits: Vec<Limit>,
    /// Compared with the child's parent, which is another one if that one died in between.
    pub(super) parent: Cell<Pid>,
    argv: Vec<*const c_char>,
    env: Vec<*const c_char>,
    borrowed: PhantomData<(&'a Strings, &'a Theirs)>,
}

/// Whether the standard streams are the child's terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ControllingTerminal {
    StandardInput,
    None,
}

impl<'a> Image<'a> {
    pub(super) fn new(strings: &'a Strings, theirs: &'a Theirs, restrictions: &Restrictions) -> Self {
        let mut limits = restrictions.limits.clone();
        // Last, as it is the one that can be exceeded already.
        limits.sort_by_key(|limit| limit.resource == Resource::Processes);
        Self {
            candidates: &strings.candidates,
            cwd: &strings.cwd,
            streams: theirs.streams(),
            controlling_terminal: theirs.controlling_terminal(),
            umask: restrictions.umask,
            privileges: restrictions.privileges,
            limits,
            parent: Cell::new(getpid()),
            argv: pointers(&strings.argv),
            env: pointers(&strings.env),
            borrowed: PhantomData,
        }
    }

    /// The arguments as `execve` takes them: pointers that live as long as this, and a null.
    pub(super) fn argv(&self) -> *const *const c_char {
        self.argv.as_ptr()
    }

    /// The environment as `execve` takes it: pointers that live as long as this, and a null.
    pub(super) fn env(&self) -> *const *const c_char {
        self.env.as_ptr()
    }
}

fn pointers(strings: &[CString]) -> Vec<*const c_char> {
    strings
        .iter()
        .map(|string| string.as_ptr())
        .chain([ptr::null()])
        .collect()
}
