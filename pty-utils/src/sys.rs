//! What the operating system does for us: a backend for Linux and one for all other systems.
//!
//! Both have the same types, with the same methods; the public types wrap those of the one that was built.
//! A `Starter` belongs to the thread that spawns and makes a `Started` from a command; that one is registered
//! with the runtime and becomes its `Parts`: the `Leader`, the `Tree`, the `Input`, the `Output`s and the `Terminal`.
mod inherited;
#[cfg(target_os = "linux")]
mod linux;
// Tested on Linux too, where no program has it.
#[cfg(any(test, not(target_os = "linux")))]
mod portable;

pub(crate) use inherited::duplicate;
#[cfg(target_os = "linux")]
pub(crate) use linux::{
    HoldersQuery, Input, Leader, Leftovers, Output, Parts, Started, Starter, Terminal, Tree, make_room,
    run_if_asked,
};
#[cfg(not(target_os = "linux"))]
pub(crate) use portable::{
    HoldersQuery, Input, Leader, Leftovers, Output, Parts, Started, Starter, Terminal, Tree, make_room,
    run_if_asked,
};
