//! Background work that outlives its client and its server: records, a queue, and output on disk.
//!
//! A **task** is work that was submitted. It waits in its lane for its turn, and then has one attempt or more, each of
//! which is a process. [`Tasks`] is all of them; what starts their processes is somebody else's, behind [`Runner`].
//!
//! One thread owns everything that is known of tasks (`engine`): the records on disk (`store`) and whose turn it is
//! (`queue`). An attempt (`attempt`) is a future that takes what its process says and has it written (`log`) by a thread
//! of its own, so that a disk holds up nobody but those who write to it. What has changed is found by position (`feed`),
//! and so is nobody's queue.

mod attempt;
mod clock;
mod context;
mod engine;
mod error;
mod feed;
#[cfg(any(fuzzing, test))]
pub mod fuzzing;
mod headline;
#[cfg(target_os = "linux")]
mod leftovers;
mod log;
mod outcome;
mod queue;
mod quota;
mod random;
mod runner;
mod spec;
mod state_dir;
mod store;
mod tasks;
mod threads;

pub use error::{OpenError, TaskError};
pub use log::ViewError;
pub use runner::{Batch, Chunk, End, Runner, Running};
pub use state_dir::StateDirError;
pub use store::StoreError;
pub use tasks::{Subscription, Tasks, TasksConfig, Told};
