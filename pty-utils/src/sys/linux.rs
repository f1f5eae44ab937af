//! Linux: `clone` with `CLONE_VM | CLONE_VFORK`, pidfds, and epoll through the runtime. The only place with
//! `unsafe`.
#![expect(
    unsafe_code,
    reason = "creating a process with clone, and a few calls that rustix lacks"
)]

mod child;
mod clone;
mod ends;
mod errno;
mod failure;
mod image;
mod input;
mod kernel;
mod leader;
mod lookup;
mod output;
mod pipe;
mod process;
mod register;
mod session;
mod signal;
mod stack;
mod start;
mod strings;
mod terminal;
mod type_signal;

pub(crate) use input::Input;
pub(crate) use leader::Leader;
pub(crate) use output::Output;
pub(crate) use start::{Parts, Started, Starter};
pub(crate) use terminal::Terminal;
