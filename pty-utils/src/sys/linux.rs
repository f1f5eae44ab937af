//! Linux: `clone` with `CLONE_VM | CLONE_VFORK`, pidfds, and epoll through the runtime. The only place with
//! `unsafe`.
#![expect(
    unsafe_code,
    reason = "creating a process with clone, and a few calls that rustix lacks"
)]

mod blocked_signals;
mod cgroup;
mod child;
mod child_signal;
mod clone;
mod clone3;
mod descendants;
mod ends;
mod errno;
mod failure;
mod flag;
mod group;
mod helper;
mod holders;
mod holding;
mod image;
mod input;
mod kernel;
mod leader;
mod lock;
mod lookup;
mod members;
mod output;
mod pipe;
mod proc;
mod process;
mod register;
mod rusage;
mod session;
mod signal;
mod stack;
mod start;
mod strings;
mod supervisor;
mod terminal;
mod tree;
mod type_signal;

pub(crate) use cgroup::make_room;
pub(crate) use helper::run_if_asked;
pub(crate) use holders::HoldersQuery;
pub(crate) use input::Input;
pub(crate) use leader::Leader;
pub(crate) use output::Output;
pub(crate) use start::{Parts, Started, Starter};
pub(crate) use terminal::Terminal;
pub(crate) use tree::{Leftovers, Tree};
