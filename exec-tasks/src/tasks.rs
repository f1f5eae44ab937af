//! All tasks of a server, for whoever serves them.

mod asking;
mod following;
mod logs;
mod opening;

use std::future::poll_fn;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use exec_protocol::WirePath;
use tokio::sync::oneshot;
use tokio::task::unconstrained;
use tokio_util::task::AbortOnDropHandle;

pub use following::{Subscription, Told};

use crate::context::Context;
use crate::engine::{Call, Engine};
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
    /// Held only for the length of a memory operation.
    state: Mutex<State>,
    /// Held while they are opened.
    opening: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
enum State {
    Closed,
    Open(Arc<Context>),
    Ended,
}

impl Shared {
    fn new(config: TasksConfig, runner: Arc<dyn Runner>, state: State) -> Self {
        Self {
            config,
            runner,
            state: Mutex::new(state),
            opening: tokio::sync::Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What there is, if they were opened. An error once they have ended.
    fn opened(&self) -> Result<Option<Arc<Context>>, TaskError> {
        match &*self.state() {
            State::Closed => Ok(None),
            State::Open(context) => Ok(Some(Arc::clone(context))),
            State::Ended => Err(TaskError::ShuttingDown),
        }
    }
}

impl Tasks {
    /// Tasks that are opened when they are used first; until then nothing is touched.
    pub fn when_used(config: TasksConfig, runner: Arc<dyn Runner>) -> Self {
        Self(Arc::new(Shared::new(config, runner, State::Closed)))
    }

    /// Opens them now: what waits goes on, and what an earlier server left is looked after. To be called on a runtime, which
    /// attempts then run on.
    ///
    /// # Errors
    ///
    /// An [`OpenError`] if another server has the directory, or it cannot be used.
    pub fn open(config: TasksConfig, runner: Arc<dyn Runner>) -> Result<Self, OpenError> {
        let context = opening::open(&config, &runner)?;
        Ok(Self(Arc::new(Shared::new(config, runner, State::Open(context)))))
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
        let opened = match self.0.opened() {
            Ok(None) => {
                let _opening = self.0.opening.lock().await;
                let mut state = self.0.state();
                match &*state {
                    State::Open(context) => Some(Arc::clone(context)),
                    State::Closed | State::Ended => {
                        *state = State::Ended;
                        None
                    }
                }
            }
            opened => opened.ok().flatten(),
        };
        if let Some(context) = opened {
            let stop: Call = Box::new(Engine::begin_shutdown);
            // Without an engine nothing begins either.
            let _ = context.calls.send(stop).await;
        }
    }

    /// Waits until all attempts have ended and their ends are kept, and lets go of the directory. Whoever calls has seen to
    /// it that they end.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: the directory may be let go of at any time then.
    pub async fn shutdown(&self) {
        let ended = std::mem::replace(&mut *self.0.state(), State::Ended);
        let State::Open(context) = ended else { return };
        let (sender, done) = oneshot::channel();
        context.attempts.close();
        context.attempts.wait().await;
        let finish: Call = Box::new(move |engine| {
            engine.finish(sender);
        });
        if context.calls.send(finish).await.is_ok() {
            // It says so by letting go of the sender, when everything is closed.
            let _ = done.await;
        }
        context.readers.close();
        context.errands.close();
        context.errands.wait().await;
        context.timekeeper.wait().await;
    }

    /// Lets the engine do something, also if nobody waits for it any more.
    async fn call<T: Send + 'static>(
        &self,
        call: impl FnOnce(&mut Engine) -> Result<T, TaskError> + Send + 'static,
    ) -> Result<T, TaskError> {
        let context = self.context().await?;
        let (sender, outcome) = oneshot::channel();
        let call = move |engine: &mut Engine| {
            // Whoever asked may have gone away.
            let _ = sender.send(call(engine));
        };
        ask(&context, Box::new(call), outcome).await
    }

    /// Looks at what the engine knows.
    async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Engine) -> Result<T, TaskError> + Send + 'static,
    ) -> Result<T, TaskError> {
        let context = self.context().await?;
        look_at(&context, look).await
    }

    /// What there is once they are open.
    async fn context(&self) -> Result<Arc<Context>, TaskError> {
        if let Some(context) = self.0.opened()? {
            return Ok(context);
        }
        let _opening = self.0.opening.lock().await;
        if let Some(context) = self.0.opened()? {
            return Ok(context);
        }
        let context = opening::open(&self.0.config, &self.0.runner)?;
        *self.0.state() = State::Open(Arc::clone(&context));
        Ok(context)
    }
}

/// Looks at what an engine knows, unless nobody waits for it any more by then.
async fn look_at<T: Send + 'static>(
    context: &Context,
    look: impl FnOnce(&Engine) -> Result<T, TaskError> + Send + 'static,
) -> Result<T, TaskError> {
    let (sender, outcome) = oneshot::channel();
    let call = move |engine: &mut Engine| {
        if !sender.is_closed() {
            let _ = sender.send(look(engine));
        }
    };
    ask(context, Box::new(call), outcome).await
}

/// Lets an engine do something, and waits for what comes of it. Its place in the order is taken in the first poll.
async fn ask<T>(
    context: &Context,
    call: Call,
    outcome: oneshot::Receiver<Result<T, TaskError>>,
) -> Result<T, TaskError> {
    let calls = context.calls.clone();
    let mut sending = Box::pin(unconstrained(async move { calls.send(call).await }));
    let sent = poll_fn(|cx| Poll::Ready(sending.as_mut().poll(cx))).await;
    let _sending = match sent {
        Poll::Ready(sent) => {
            sent.map_err(|_| TaskError::ShuttingDown)?;
            None
        }
        // A place among the calls that comes free is given to who is next, looked at or not: who asks may not be polled for as
        // long as a client does not read, and would keep the engine from all others.
        Poll::Pending => {
            let sending = context.errands.spawn_on(sending, &context.runtime);
            Some(AbortOnDropHandle::new(sending))
        }
    };
    outcome.await.map_err(|_| TaskError::ShuttingDown)?
}
