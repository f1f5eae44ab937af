//! The server: what connections share.

mod introduction;
mod start;
mod tasks;

use std::ffi::OsString;
use std::io;
use std::sync::{Arc, Mutex, OnceLock};

use exec_protocol::SessionId;
use exec_protocol::environment::EnvironmentInfo;
use exec_protocol::process::Containment;
use exec_tasks::Tasks;
use jsonrpsee::core::server::Methods;
use pty_utils::{Spawner, SpawnerOptions};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::access::Identity;
use crate::access::failures::{Failures, Source, Told};
use crate::config::Config;
use crate::files::{Files, Threads};
use crate::limits::{MAX_CONNECTIONS, MAX_FILE_HANDLES_IN_ALL, MAX_PROCESSES};
use crate::output::OutputMemory;
use crate::process::{HouseRules, Stop};
use crate::rpc::{self, Outbox};
use crate::session::{Kept, OpenError, Registry, Session, Takeover};
use crate::stats::Stats;
use crate::transport::{self, Connection, ListenError, Listener, Newcomers, Reachable};
use crate::{environment, shutdown};

pub(crate) use start::StartError;

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
    /// For work on files.
    threads: Threads,
    /// Room for open files, of all sessions.
    file_handles: Arc<Semaphore>,
    sessions: Registry,
    /// Processes that outlive their sessions.
    kept: Kept,
    running: Arc<Semaphore>,
    memory: Arc<OutputMemory>,
    connections: Arc<Semaphore>,
    newcomers: Arc<Newcomers>,
    /// Who was refused lately.
    failures: Mutex<Failures>,
    stats: Arc<Stats>,
    /// Background work, if there is any here.
    background: OnceLock<Tasks>,
    /// Connections, and what waits for sessions to end.
    tasks: TaskTracker,
    /// The owners of processes.
    owners: TaskTracker,
    /// Shutdown has begun: nothing new, and what waits is answered.
    stopping: CancellationToken,
    /// Every process has ended: connections say goodbye.
    stopped: CancellationToken,
}

impl Server {
    /// A server that runs processes with this program's environment and working directory.
    ///
    /// # Errors
    ///
    /// When the thread that spawns cannot be started, there is no working directory, processes cannot be held
    /// together in the way that `config` asks for, or tasks cannot be kept where it says.
    ///
    /// # Panics
    ///
    /// Never; but with [`Config::tasks`] it is to be called on a runtime, which the tasks then run on.
    pub fn new(config: Config) -> io::Result<Self> {
        let spawner = Spawner::with_options(SpawnerOptions {
            containment: config.containment.map(to_spawner),
            helper: config.helper.clone(),
        })
        .map_err(io::Error::other)?;
        let server = Self(Arc::new(Shared {
            memory: OutputMemory::new(config.output_memory),
            config,
            environment_info: environment::info()?,
            variables: std::env::vars_os().collect(),
            methods: rpc::methods(),
            spawner,
            threads: Threads::default(),
            file_handles: Arc::new(Semaphore::new(MAX_FILE_HANDLES_IN_ALL)),
            sessions: Registry::default(),
            kept: Kept::default(),
            running: Arc::new(Semaphore::new(MAX_PROCESSES)),
            connections: Arc::new(Semaphore::new(MAX_CONNECTIONS)),
            newcomers: Arc::default(),
            failures: Mutex::default(),
            stats: Arc::new(Stats::new()),
            background: OnceLock::new(),
            tasks: TaskTracker::new(),
            owners: TaskTracker::new(),
            stopping: CancellationToken::new(),
            stopped: CancellationToken::new(),
        }));
        server.open_background()?;
        Ok(server)
    }

    /// Serves one connection until it ends. Its session can be resumed afterwards, for a while.
    ///
    /// # Cancel safety
    ///
    /// Dropping it hangs up without a goodbye. The session can be resumed as after any other end.
    pub async fn serve(&self, connection: Connection) {
        let _open = self.stats().connection();
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
    ///
    /// # Errors
    ///
    /// Those of [`permits`](Self::permits), before anything is served.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropping it stops accepting, and what was accepted is served on.
    pub async fn serve_websocket(&self, listener: impl Into<Listener>) -> Result<(), ListenError> {
        let listener = listener.into();
        self.permits(&listener)?;
        transport::listen(self, listener).await;
        Ok(())
    }

    /// Where `listener` can be reached, if it may be served.
    ///
    /// # Errors
    ///
    /// [`ListenError::Unprotected`] if other machines may reach it and [`Config::access`] asks for nothing.
    pub fn permits(&self, listener: &Listener) -> Result<Reachable, ListenError> {
        let reachable = listener.reachable()?;
        match reachable.address() {
            Some(address) if !address.ip().to_canonical().is_loopback() => {
                if self.config().access.credentials.is_none() {
                    return Err(ListenError::Unprotected { address });
                }
            }
            Some(_) | None => {}
        }
        Ok(reachable)
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

    pub(crate) fn kept(&self) -> &Kept {
        &self.0.kept
    }

    pub(crate) fn takeover(&self) -> Takeover {
        if self.config().takeover {
            Takeover::Allowed
        } else {
            Takeover::Refused
        }
    }

    /// How the descendants of a process are held together.
    pub(crate) fn containment(&self) -> Containment {
        match self.0.spawner.containment() {
            pty_utils::Containment::Cgroup => Containment::Cgroup,
            pty_utils::Containment::Supervisor => Containment::Supervisor,
            pty_utils::Containment::Group => Containment::Group,
        }
    }

    /// What holds for every process here.
    pub(crate) fn house_rules(&self) -> HouseRules {
        HouseRules {
            umask: self.config().umask,
            no_new_privs: self.config().no_new_privs,
            open_files: self.config().open_files,
            controllers: self.0.spawner.controllers(),
        }
    }

    pub(crate) fn threads(&self) -> &Threads {
        &self.0.threads
    }

    /// Background work; None if there is none here.
    pub(crate) fn background(&self) -> Option<&Tasks> {
        self.0.background.get()
    }

    pub(crate) fn stats(&self) -> &Arc<Stats> {
        &self.0.stats
    }

    pub(crate) fn memory(&self) -> &OutputMemory {
        &self.0.memory
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

    /// Connections of which it is not known yet whose they are.
    pub(crate) fn newcomers(&self) -> &Arc<Newcomers> {
        &self.0.newcomers
    }

    /// Takes note that somebody was not let in, and says whether they are told.
    pub(crate) fn refused(&self, source: Source) -> Told {
        let mut failures = self.0.failures.lock().expect("no holder of this lock can panic");
        failures.failed(source, Instant::now())
    }

    /// Room for another connection, if there is.
    pub(crate) fn connection_permit(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0.connections).try_acquire_owned().ok()
    }

    /// A new session of this identity, or the one of its to resume.
    pub(crate) fn session(
        &self,
        resumed: Option<&SessionId>,
        identity: &Identity,
    ) -> Result<Arc<Session>, OpenError> {
        if let Some(id) = resumed {
            return self.0.sessions.resume(id, identity);
        }
        let files = Files::new(&self.0.threads, self.tasks(), &self.0.file_handles);
        let opened = self.0.sessions.open(files, identity);
        opened.inspect(|_| self.stats().opened.add(1))
    }

    /// The connection of `outbox` is gone: unless another one comes in time, the session ends.
    pub(crate) fn detached(&self, session: &Arc<Session>, outbox: &Arc<Outbox>) {
        let Some(absence) = session.detach(outbox) else {
            return;
        };
        let (server, session) = (self.clone(), Arc::clone(session));
        self.tasks().spawn(async move {
            if !session.is_over() {
                tokio::select! {
                    () = tokio::time::sleep(server.config().detached_session) => {}
                    () = session.absence_over() => {}
                    // Whoever ends the server ends its sessions.
                    () = server.stopping().cancelled() => return,
                }
                let stop = Stop::with_session(server.config().terminate_grace);
                if !session.end_if_still(absence, &stop) {
                    return;
                }
            }
            // Until then a server that leaves can hurry its processes.
            session.ended().await;
            server.sessions().remove(&session);
        });
    }
}

/// How pty-utils calls it.
fn to_spawner(containment: Containment) -> pty_utils::Containment {
    match containment {
        Containment::Cgroup => pty_utils::Containment::Cgroup,
        Containment::Supervisor => pty_utils::Containment::Supervisor,
        Containment::Group => pty_utils::Containment::Group,
    }
}
