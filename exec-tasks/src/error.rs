//! Why something was not done for a task.

use exec_protocol::task::TaskId;

use crate::log::ViewError;
use crate::state_dir::StateDirError;
use crate::store::StoreError;

/// Why there are no tasks here.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Of the directory.
    #[error(transparent)]
    StateDir(#[from] StateDirError),
    /// Of the records in it.
    #[error("the tasks in {path} cannot be opened")]
    Store {
        /// The file.
        path: String,
        /// What is wrong with it.
        source: StoreError,
    },
    /// The system gives no thread, or no randomness.
    #[error("tasks cannot be looked after")]
    Os(#[source] std::io::Error),
}

/// Why something was not done for a task.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    /// No id begins so.
    #[error("no task {0:?}")]
    Unknown(String),
    /// Several ids do.
    #[error("{0:?} is the beginning of more than one task's id")]
    Ambiguous(String, Vec<TaskId>),
    /// The id is taken.
    #[error("there is a task {0} already")]
    Duplicate(TaskId),
    /// It has no attempt that runs.
    #[error("the task does not run")]
    NotRunning,
    /// It runs, or waits for its turn.
    #[error("the task has not ended")]
    NotEnded,
    /// It has had no such attempt.
    #[error("the task has no such attempt")]
    NoSuchAttempt,
    /// As many as may be are active.
    #[error("as many tasks as may be are kept: some have to be removed")]
    TooMany,
    /// A member of the params has a value that it cannot have.
    #[error("{message}")]
    Invalid {
        /// The member.
        field: &'static str,
        /// What is wrong with it.
        message: String,
    },
    /// There is no program to run.
    #[error("argv has no program")]
    EmptyArgv,
    /// The output cannot be told in this way.
    #[error(transparent)]
    View(#[from] ViewError),
    /// The records cannot be read or kept.
    #[error("the records of tasks cannot be used")]
    Store(#[from] StoreError),
    /// No tasks are kept here.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The server is about to leave.
    #[error("the server is shutting down")]
    ShuttingDown,
    /// The system has no thread or no randomness to give.
    #[error("the system refuses: {0}")]
    Os(#[source] std::io::Error),
}

impl TaskError {
    pub(crate) fn invalid(field: &'static str, message: impl Into<String>) -> Self {
        Self::Invalid {
            field,
            message: message.into(),
        }
    }
}
