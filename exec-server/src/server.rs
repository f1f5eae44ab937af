//! The server: what connections share.

use std::ffi::OsString;
use std::io;
use std::sync::Arc;

use exec_protocol::environment::EnvironmentInfo;
use exec_protocol::initialize::{Capabilities, InitializeResult, ServerInfo};
use exec_protocol::process::StartParams;
use exec_protocol::{RpcError, SessionId};
use jsonrpsee::core::server::Methods;
use pty_utils::{Command, SpawnError, Spawner};
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::Config;
use crate::limits::{MAX_CONNECTIONS, MAX_PROCESSES, MIN_RETAIN_BYTES, RETAIN_BYTES};
use crate::output::{MemoryLimit, OutputLog, OutputMemory};
use crate::process::{Owner, Phase, Process, command};
use crate::rpc::{self, Outbox};
use crate::session::{OpenError, Registry, ReserveError, Session};
use crate::transport::{self, Connection};
use crate::{environment, shutdown};

/// A server of processes. Cloning gives another handle on the same one.
///
/// It serves any number of connections at a time, over any transport. It has to be shut down:
/// dropping the last handle ends no process whose session could still be resumed.
#[derive(Debug, Clone)]
pub struct Server(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    config: Config,
    environment_info: EnvironmentInfo,
    /// The variables that an `envPolicy` starts from.
    variables: Vec<(OsString, OsString)>,
    methods: Methods,
    spawner: Spawner,
    sessions: Registry,
    running: Arc<Semaphore>,
    memory: Arc<OutputMemory>,
    connections: Arc<Semaphore>,
    /// Connections, and what waits for sessions to end.
    tasks: TaskTracker,
    /// The owners of processes.
    owners: TaskTracker,
    /// Shutdown has begun: nothing new, and what waits is answered.
    stopping: CancellationToken,
    /// Every process has ended: connections say goodbye.
    stopped: CancellationToken,
}

/// Why a process was not started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error(transparent)]
    Reserve(#[from] ReserveError),
    #[error(transparent)]
    Memory(#[from] MemoryLimit),
    #[error("there are {MAX_PROCESSES} processes already")]
    TooMany,
    #[error("the server is shutting down")]
    ShuttingDown,
    #[error(transparent)]
    Spawn(#[from] SpawnError),
}

impl Server {
    /// A server that runs processes with this program's environment and working directory.
    ///
    /// # Errors
    ///
    /// When the thread that spawns cannot be started, or there is no working directory.
    pub fn new(config: Config) -> io::Result<Self> {
        Ok(Self(Arc::new(Shared {
            memory: OutputMemory::new(config.output_memory),
            config,
            environment_info: environment::info()?,
            variables: std::env::vars_os().collect(),
            methods: rpc::methods(),
            spawner: Spawner::new()?,
            sessions: Registry::default(),
            running: Arc::new(Semaphore::new(MAX_PROCESSES)),
            connections: Arc::new(Semaphore::new(MAX_CONNECTIONS)),
            tasks: TaskTracker::new(),
            owners: TaskTracker::new(),
            stopping: CancellationToken::new(),
            stopped: CancellationToken::new(),
        })))
    }

    /// Serves one connection until it ends. Its session can be resumed afterwards, for a while.
    ///
    /// # Cancel safety
    ///
    /// Dropping it hangs up without a goodbye, and the session is not told: prefer to end the
    /// connection, or [`shutdown`](Self::shutdown).
    pub async fn serve(&self, connection: Connection) {
        rpc::serve(self, connection).await;
    }

    /// Serves standard input and output until the input ends. Then what was read is answered, and
    /// the session ends with its processes.
    ///
    /// # Errors
    ///
    /// When one of the two is closed or cannot be used.
    pub async fn serve_stdio(&self) -> io::Result<()> {
        self.serve(transport::stdio()?).await;
        Ok(())
    }

    /// Serves every websocket that comes in on `listener`, until shutdown begins.
    ///
    /// An error of `accept` is waited out, not returned: it is of one connection, or of a shortage
    /// that passes.
    pub async fn serve_websocket(&self, listener: TcpListener) {
        transport::listen(self, listener).await;
    }

    /// Ends everything: no new session or process, processes are asked to end and killed when they
    /// do not, connections are told goodbye. May be called more than once, at the same time too.
    pub async fn shutdown(&self) -> shutdown::ShutdownReport {
        shutdown::run(self).await
    }

    /// Kills at once what a shutdown under way still waits for.
    pub fn kill(&self) {
        shutdown::kill(self);
    }

    pub(crate) fn config(&self) -> &Config {
        &self.0.config
    }

    pub(crate) fn environment_info(&self) -> &EnvironmentInfo {
        &self.0.environment_info
    }

    pub(crate) fn methods(&self) -> Methods {
        self.0.methods.clone()
    }

    pub(crate) fn sessions(&self) -> &Registry {
        &self.0.sessions
    }

    pub(crate) fn tasks(&self) -> &TaskTracker {
        &self.0.tasks
    }

    pub(crate) fn owners(&self) -> &TaskTracker {
        &self.0.owners
    }

    pub(crate) fn stopping(&self) -> &CancellationToken {
        &self.0.stopping
    }

    pub(crate) fn stopped(&self) -> &CancellationToken {
        &self.0.stopped
    }

    /// Room for another connection, if there is.
    pub(crate) fn connection_permit(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0.connections).try_acquire_owned().ok()
    }

    /// What `initialize` answers.
    pub(crate) fn introduction(&self, session_id: &SessionId) -> InitializeResult {
        InitializeResult {
            session_id: session_id.clone(),
            environment_info: self.environment_info().clone(),
            server_info: Some(ServerInfo {
                name: env!("CARGO_PKG_NAME").to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
            }),
            capabilities: Capabilities {
                close_stdin: true,
                resize: true,
                initial_size: true,
                write_eof: true,
                signal_delivered: true,
                offsets: true,
                slow_client: true,
                retain_bytes: true,
                ack: true,
                notifications: true,
            },
            limits: Some(self.config().limits()),
        }
    }

    /// A new session, or the one to resume.
    pub(crate) fn session(&self, resumed: Option<&SessionId>) -> Result<Arc<Session>, OpenError> {
        match resumed {
            Some(id) => self.0.sessions.resume(id),
            None => self.0.sessions.open(),
        }
    }

    /// The connection of `outbox` is gone: unless another one comes in time, the session ends.
    pub(crate) fn detached(&self, session: &Arc<Session>, outbox: &Arc<Outbox>) {
        let Some(absence) = session.detach(outbox) else {
            return;
        };
        if session.is_over() {
            self.sessions().remove(session);
            return;
        }
        let (server, session) = (self.clone(), Arc::clone(session));
        self.tasks().spawn(async move {
            tokio::select! {
                () = tokio::time::sleep(server.config().detached_session) => {}
                () = session.absence_over() => {}
                () = server.stopping().cancelled() => {}
            }
            if session.end_if_still(absence, server.config().terminate_grace) {
                server.sessions().remove(&session);
            }
        });
    }

    /// Takes the process's id and starts it in a task of its own.
    ///
    /// # Cancel safety
    ///
    /// Not reversible: once the id is taken, which is in the first poll unless another start of the
    /// same id is under way, the process starts whether or not this is polled again.
    pub(crate) async fn start(&self, session: &Arc<Session>, params: StartParams) -> Result<(), RpcError> {
        if self.stopping().is_cancelled() {
            return Err(StartError::ShuttingDown.into());
        }
        let id = params.process_id.clone();
        let on_slow_client = params.on_slow_client;
        let retain_bytes = retain_bytes(params.retain_bytes);
        let (command, stdin) = command(params, &self.0.variables, self.environment_info().cwd.as_path())?;
        let running = Arc::clone(&self.0.running)
            .try_acquire_owned()
            .map_err(|_| StartError::TooMany)?;
        let log = OutputLog::new(&id, retain_bytes, on_slow_client);
        let process = Process::starting(id, stdin, log);
        while let Err(error) = session.reserve(&process) {
            let is_free_again = error == ReserveError::Duplicate
                && match session.process(process.id()) {
                    // Its start may be under way, and fail.
                    Some(other) => other.started().await == Phase::Gone,
                    None => true,
                };
            if !is_free_again {
                return Err(StartError::from(error).into());
            }
        }
        // Only now: for a start that is refused for another reason nobody is given up.
        match self.0.memory.reserve(retain_bytes) {
            Ok(reservation) => process.log().set_reservation(reservation),
            Err(error) => {
                session.remove(&process);
                process.vanish();
                return Err(StartError::from(error).into());
            }
        }
        let (started, outcome) = oneshot::channel();
        let own = self
            .clone()
            .own(Arc::clone(session), process, command, running, started);
        self.owners().spawn(own);
        let outcome = outcome.await.map_err(|_| StartError::ShuttingDown)?;
        Ok(outcome.map_err(StartError::from)?)
    }

    /// The life of one process, from its spawn until it is forgotten.
    async fn own(
        self,
        session: Arc<Session>,
        process: Arc<Process>,
        command: Command,
        running: OwnedSemaphorePermit,
        started: oneshot::Sender<Result<(), SpawnError>>,
    ) {
        let outcome = match Owner::spawn(Arc::clone(&process), command, &self.0.spawner).await {
            Ok(owner) => {
                // Whoever asked may have gone away; the process is the session's all the same.
                let _ = started.send(Ok(()));
                owner.run().await;
                drop(running);
                session.keep_ended(&process);
                self.0.memory.add_ended(process.log());
                process.outlived(self.config().retain_ended).await;
                Ok(())
            }
            Err(error) => Err((started, error)),
        };
        // The id is free before the failure is told.
        session.remove(&process);
        process.vanish();
        if let Err((started, error)) = outcome {
            let _ = started.send(Err(error));
        }
    }
}

/// How much output a process keeps that asked for so much, in bytes.
fn retain_bytes(asked: Option<u64>) -> usize {
    match asked {
        Some(asked) => usize::try_from(asked).unwrap_or(usize::MAX).max(MIN_RETAIN_BYTES),
        None => RETAIN_BYTES,
    }
}
