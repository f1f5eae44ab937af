//! How a child runs: on a terminal of its own or on pipes, as the leader of a group of its own, until its
//! exit.
//!
//! A [`Spawner`] turns a [`Command`] into a [`Child`], and a child is its parts: the [`Leader`] (signals and
//! the exit status), the [`Tree`] (everybody who descends from it), the [`Input`], the [`Output`]s and, where there
//! is one, the [`Terminal`]. Each part is owned by whoever needs it and closed by dropping it. Nothing here has a
//! thread or a task per child.
//!
//! This is about Linux. On other systems there is a fallback, which has threads for each child and keeps less of
//! what is promised here; `sys/portable.rs` says what. It compiles there and is tested on Linux, but was never
//! run elsewhere.
//!
//! What is deliberately absent: buffers, sessions, policies and time limits. They belong to the caller.
mod child;
mod command;
mod containment;
mod error;
mod exit;
pub mod helper;
mod holder;
mod inherited;
mod input;
mod leader;
mod output;
mod restrictions;
mod signal;
mod signal_name;
mod spawn;
mod step;
mod sys;
mod terminal;
mod tree;
mod usage;

pub use child::Child;
pub use command::{Command, Stdin, Streams};
pub use containment::{Containment, SpawnerError, SpawnerOptions, make_room_for_limits};
pub use error::{Field, SpawnError};
pub use exit::ExitStatus;
pub use holder::{Holder, HoldersQuery};
pub use inherited::inherited;
pub use input::Input;
pub use leader::Leader;
pub use output::{Output, Read, Stream};
pub use restrictions::{Controllers, Limit, Privileges, Resource, Restrictions, Strength, TreeLimits};
pub use signal::Signal;
pub use signal_name::signal_name;
pub use spawn::Spawner;
pub use step::Step;
pub use terminal::{Size, Terminal};
pub use tree::{Leftovers, Tree};
pub use usage::Usage;
