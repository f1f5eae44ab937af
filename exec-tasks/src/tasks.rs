//! All tasks of a server, for whoever serves them.

mod asking;
mod following;
mod logs;
mod opening;

use std::path::PathBuf;
use std::sync::Arc;

use exec_protocol::WirePath;
use tokio::sync::{Mutex, oneshot};

pub use following::{Subscription, Told};

use crate::context::Context;
use crate::engine::Engine;
use crate::error::{OpenError, TaskError};
use crate::runner::Runner;
use crate::state_dir;

/// What tasks live by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TasksConfig {
    /// Where they are kept. It is made if it is not there.
    pub state_dir: PathBuf,
    /// What runs their commands.
    pub shell: String,
    /// Where they run, if they do not say.
    pub cwd: WirePath,
    /// Output of an attempt that is kept, in bytes, if its task does not say.
    pub output_bytes: u64,
    /// Output of all attempts together that is kept, in bytes.
    pub all_output_bytes: u64,
}

/// All tasks of a server. Cloning gives another handle on the same ones.
#[derive(Debug, Clone)]
pub struct Tasks(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    config: TasksConfig,
    runner: Arc<dyn Runner>,
    /// None until they are used, and behind the end. Held while they are opened.
    opened: Mutex<State>,
}

#[derive(Debug)]
enum State {
    Closed,
    Open(Arc<Context>),
    Ended,
}

impl Tasks {
    /// Tasks that are opened when they are used first; until then nothing is touched.
    pub fn when_used(config: TasksConfig, runner: Arc<dyn Runner>) -> Self {
        Self(Arc::new(Shared {
            config,
            runner,
            opened: Mutex::new(State::Closed),
        }))
    }

    /// Opens them now: what waits goes on, and what an earlier server left is looked after. To be called on a runtime, which
    /// attempts then run on.
    ///
    /// # Errors
    ///
    /// An [`OpenError`] if another server has the directory, or it cannot be used.
    pub fn open(config: TasksConfig, runner: Arc<dyn Runner>) -> Result<Self, OpenError> {
        let context = opening::open(&config, &runner)?;
        Ok(Self(Arc::new(Shared {
            config,
            runner,
            opened: Mutex::new(State::Open(context)),
        })))
    }

    /// Whether there are any in a directory: then a server is to open them at its start.
    pub fn are_in(state_dir: &std::path::Path) -> bool {
        std::fs::metadata(state_dir::database(state_dir)).is_ok_and(|file| file.len() > 0)
    }

    /// Begins nothing from now on.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn begin_shutdown(&self) {
        let mut state = self.0.opened.lock().await;
        match &*state {
            State::Open(context) => {
                let context = Arc::clone(context);
                drop(state);
                let stop: crate::engine::Call = Box::new(Engine::begin_shutdown);
                // Without an engine nothing begins either.
                let _ = context.calls.send(stop).await;
            }
            State::Closed | State::Ended => *state = State::Ended,
        }
    }

    /// Waits until all attempts have ended and their ends are kept, and lets go of the directory. Whoever calls has seen to
    /// it that they end.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: the directory may be let go of at any time then.
    pub async fn shutdown(&self) {
        let ended = std::mem::replace(&mut *self.0.opened.lock().await, State::Ended);
        let State::Open(context) = ended else { return };
        let (sender, done) = oneshot::channel();
        context.attempts.close();
        context.attempts.wait().await;
        let finish: crate::engine::Call = Box::new(move |engine| {
            engine.finish(sender);
        });
        if context.calls.send(finish).await.is_ok() {
            // It says so by letting go of the sender, when everything is closed.
            let _ = done.await;
        }
        context.timekeeper.wait().await;
    }

    /// Lets the engine do something.
    async fn call<T: Send + 'static>(
        &self,
        call: impl FnOnce(&mut Engine) -> Result<T, TaskError> + Send + 'static,
    ) -> Result<T, TaskError> {
        let context = self.context().await?;
        ask(&context, call).await
    }

    /// What there is once they are open.
    async fn context(&self) -> Result<Arc<Context>, TaskError> {
        let mut state = self.0.opened.lock().await;
        match &*state {
            State::Open(context) => Ok(Arc::clone(context)),
            State::Ended => Err(TaskError::ShuttingDown),
            State::Closed => {
                let context = opening::open(&self.0.config, &self.0.runner)?;
                *state = State::Open(Arc::clone(&context));
                Ok(context)
            }
        }
    }
}

/// Lets an engine do something.
async fn ask<T: Send + 'static>(
    context: &Context,
    call: impl FnOnce(&mut Engine) -> Result<T, TaskError> + Send + 'static,
) -> Result<T, TaskError> {
    let (sender, outcome) = oneshot::channel();
    let call: crate::engine::Call = Box::new(move |engine| {
        // Whoever asked may have gone away.
        let _ = sender.send(call(engine));
    });
    context
        .calls
        .send(call)
        .await
        .map_err(|_| TaskError::ShuttingDown)?;
    outcome.await.map_err(|_| TaskError::ShuttingDown)?
}
