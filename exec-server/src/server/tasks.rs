//! Background work: what tasks are run by.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::Duration;

use async_trait::async_trait;
use exec_protocol::process::{EndReason, OnSlowClient, StartParams};
use exec_protocol::{RpcError, Uid};
use exec_tasks::{Batch, End, Runner, Running, Tasks, TasksConfig};
use pty_utils::{Command, SpawnError};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::{Server, Shared, StartError};
use crate::config::TaskStorage;
use crate::limits::{RETAIN_BYTES, TASK_OUTPUT_BYTES};
use crate::output::{Entry, OutputLog, Summary};
use crate::process::{Owner, Process, Stop, look_after};

/// Starts processes of tasks. It does not hold the server: the server has the tasks.
#[derive(Debug)]
struct TaskRunner(Weak<Shared>);

/// A process of a task.
#[derive(Debug)]
struct TaskProcess(Arc<Process>);

impl Server {
    /// Opens the tasks, if this server is to have any.
    pub(super) fn open_background(&self) -> io::Result<()> {
        let Some(storage) = &self.config().tasks else {
            return Ok(());
        };
        let runner: Arc<dyn Runner> = Arc::new(TaskRunner(Arc::downgrade(&self.0)));
        let config = self.tasks_config(storage);
        let is_to_open = storage.is_required || Tasks::are_in(&storage.state_dir);
        let tasks = if is_to_open {
            match Tasks::open(config.clone(), Arc::clone(&runner)) {
                Ok(tasks) => tasks,
                Err(error) if storage.is_required => return Err(io::Error::other(error)),
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "there are no tasks here for now"
                    );
                    Tasks::when_used(config, runner)
                }
            }
        } else {
            Tasks::when_used(config, runner)
        };
        // Each server opens them once.
        let _ = self.0.background.set(tasks);
        Ok(())
    }

    fn tasks_config(&self, storage: &TaskStorage) -> TasksConfig {
        let environment = self.environment_info();
        TasksConfig {
            state_dir: PathBuf::clone(&storage.state_dir),
            shell: environment.shell.path.clone(),
            cwd: environment.cwd.clone(),
            output_bytes: TASK_OUTPUT_BYTES,
            all_output_bytes: storage.bytes,
        }
    }

    /// Starts a process that belongs to no session, and whose output is all taken.
    async fn start_for_task(&self, params: StartParams) -> Result<Arc<Process>, RpcError> {
        let (process, command) = self.prepare(params, None, |description| {
            OutputLog::new(&description.process_id, RETAIN_BYTES, Some(OnSlowClient::Block))
        })?;
        let running = Arc::clone(&self.0.running).try_acquire_owned().ok();
        let running = running.ok_or(StartError::TooMany)?;
        process
            .log()
            .set_reservation(self.0.memory.reserve(RETAIN_BYTES).map_err(StartError::from)?);
        process.log().be_followed();
        self.kept().insert(&process);
        if self.stopping().is_cancelled() {
            // Nobody else will tell it any more.
            process.stop(&Stop::with_server(self.config().terminate_grace));
        }
        let (started, outcome) = oneshot::channel();
        let own = self
            .clone()
            .own_for_task(Arc::clone(&process), command, running, started);
        self.owners().spawn(own);
        let outcome = outcome.await.map_err(|_| StartError::ShuttingDown)?;
        outcome.map_err(StartError::from)?;
        Ok(process)
    }

    /// The life of a task's process, from its spawn until its output is taken and nobody is left of it.
    async fn own_for_task(
        self,
        process: Arc<Process>,
        command: Command,
        running: OwnedSemaphorePermit,
        started: oneshot::Sender<Result<(), SpawnError>>,
    ) {
        let owner = match Owner::spawn(Arc::clone(&process), command, &self.0.spawner).await {
            Ok(owner) => owner,
            Err(error) => {
                self.kept().remove(&process);
                process.vanish();
                let _ = started.send(Err(error));
                return;
            }
        };
        self.stats().spawned.add(1);
        let _ = started.send(Ok(()));
        let outlived = async {
            if let Some(leftovers) = owner.run().await {
                // The end of a task is the end of whoever it started.
                process.stop(&Stop::with_session(self.config().terminate_grace));
                look_after(&process, leftovers).await;
            }
            drop(running);
        };
        tokio::join!(outlived, process.forgotten());
        // Whoever forgets it by its uid does not take from the log what is still to be written.
        process.log().all_taken().await;
        self.kept().remove(&process);
        process.log().discard();
    }
}

#[async_trait]
impl Runner for TaskRunner {
    async fn start(&self, params: StartParams) -> Result<Arc<dyn Running>, RpcError> {
        let shared = self.0.upgrade().ok_or(StartError::ShuttingDown)?;
        let process = Server(shared).start_for_task(params).await?;
        Ok(Arc::new(TaskProcess(process)))
    }
}

#[async_trait]
impl Running for TaskProcess {
    fn uid(&self) -> Uid {
        self.0.uid().clone()
    }

    fn pid(&self) -> u32 {
        self.0.pid()
    }

    async fn has_output(&self) -> bool {
        self.0.log().has_untaken().await
    }

    fn take(&self, batch: &mut Batch) {
        let push = |entry: Entry<'_>| batch.push(entry.seq, entry.stream, entry.bytes);
        self.0.log().take(Batch::FULL, push);
    }

    fn end(&self) -> End {
        let Summary { exit, closed, .. } = self.0.log().summary();
        let exit = exit.expect("a process exits before its output ends");
        End {
            exit_code: exit.code,
            signal: exit.signal,
            reason: exit.reason,
            ended_by: exit.asked_by.as_deref().map(str::to_owned),
            at_ms: exit.at_ms,
            unread: closed.and_then(|closed| closed.failure),
        }
    }

    fn stop(&self, reason: EndReason, asked_by: Option<&str>, grace: Option<Duration>) {
        self.0
            .stop(&Stop::of_task(reason, asked_by.map(Into::into), grace));
    }

    async fn release(&self) {
        self.0.forget();
        self.0.ended().await;
    }
}
