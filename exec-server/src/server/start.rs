//! A process from its start until it is forgotten.

use std::sync::Arc;

use exec_protocol::process::{OnDisconnect, ProcessRecord, StartParams, StartResult};
use exec_protocol::{RpcError, Uid};
use pty_utils::{Command, SpawnError};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::Server;
use crate::access::Identity;
use crate::limits::{MAX_PROCESSES, MAX_SESSION_PROCESSES, MIN_RETAIN_BYTES, RETAIN_BYTES};
use crate::output::{MemoryLimit, OutputLog};
use crate::process::{CommandError, Description, Owner, Phase, Process, Release, Stop, command, look_after};
use crate::session::{Entry, NoRandomness, ReserveError, Session, Tombstone, random_id};

/// Why a process was not started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error(transparent)]
    Reserve(#[from] ReserveError),
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    #[error(transparent)]
    Memory(#[from] MemoryLimit),
    #[error("there are {MAX_PROCESSES} processes already")]
    TooMany,
    #[error("the session has {MAX_SESSION_PROCESSES} processes already")]
    TooManyInSession,
    #[error("the server is shutting down")]
    ShuttingDown,
    #[error(transparent)]
    Spawn(#[from] SpawnError),
}

impl Server {
    /// Takes the process's id and starts it in a task of its own.
    ///
    /// # Cancel safety
    ///
    /// Not reversible: once the id is taken, which is in the first poll unless another start of the
    /// same id is under way, the process starts whether or not this is polled again.
    pub(crate) async fn start(
        &self,
        session: &Arc<Session>,
        params: StartParams,
    ) -> Result<StartResult, RpcError> {
        if self.stopping().is_cancelled() {
            return Err(StartError::ShuttingDown.into());
        }
        let on_slow_client = params.on_slow_client;
        let retain_bytes = retain_bytes(params.retain_bytes);
        let (process, command) = self.prepare(params, Some(session.identity().clone()), |description| {
            OutputLog::new(&description.process_id, retain_bytes, on_slow_client)
        })?;
        let places = match self.places(session) {
            Ok(places) => places,
            Err(none) => {
                // One that was started before needs no room.
                return match session.named(process.id()) {
                    Some(entry) => self.repeated(entry, &process).await?.ok_or(none.into()),
                    None => Err(none.into()),
                };
            }
        };
        while let Err(error) = session.reserve(&process) {
            let ReserveError::Taken(entry) = error else {
                return Err(StartError::from(error).into());
            };
            if let Some(first) = self.repeated(entry, &process).await? {
                return Ok(first);
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
        if process.on_disconnect() == OnDisconnect::Keep {
            self.kept().insert(&process);
            if self.stopping().is_cancelled() {
                // Nobody else will tell it any more.
                process.stop(&Stop::with_server(self.config().terminate_grace));
            }
        }
        let (started, outcome) = oneshot::channel();
        let own = self.clone().own(
            Arc::clone(session),
            Arc::clone(&process),
            command,
            places,
            started,
        );
        self.owners().spawn(own);
        let outcome = outcome.await.map_err(|_| StartError::ShuttingDown)?;
        outcome.map_err(StartError::from)?;
        Ok(process.start_result().expect("it was started"))
    }

    /// A place for a process among those of its session, and one among all.
    fn places(&self, session: &Session) -> Result<[OwnedSemaphorePermit; 2], StartError> {
        let in_session = session.running_permit().ok_or(StartError::TooManyInSession)?;
        let in_all = Arc::clone(&self.0.running).try_acquire_owned();
        Ok([in_session, in_all.map_err(|_| StartError::TooMany)?])
    }

    /// The process that `params` ask for, whom it belongs to, and what to run.
    pub(super) fn prepare(
        &self,
        params: StartParams,
        owner: Option<Identity>,
        log: impl FnOnce(&Description) -> OutputLog,
    ) -> Result<(Arc<Process>, Command), RpcError> {
        let uid = Uid::new(&random_id().map_err(StartError::from)?)
            .expect("36 bytes are fewer than an id may have");
        let cwd = &self.environment_info().cwd;
        let description = Description::new(&params, uid, owner, cwd, self.config().terminate_grace)?;
        if description.on_disconnect == OnDisconnect::Keep && !self.config().keep {
            return Err(CommandError::KeepUnsupported.into());
        }
        let (command, stdin) = command(params, &self.0.variables, cwd.as_path(), self.house_rules())?;
        let log = log(&description);
        Ok((
            Process::starting(description, stdin, self.containment(), log),
            command,
        ))
    }

    /// The result of the first start, if this one repeats it. None if the id is free again.
    async fn repeated(&self, taken: Entry, process: &Process) -> Result<Option<StartResult>, RpcError> {
        match taken {
            Entry::Expired(tombstone) => Ok(tombstone
                .is_of(process.start_key())
                .then(|| tombstone.started.clone())),
            Entry::Process(other) => {
                // Its start may be under way, and fail.
                if other.started().await == Phase::Gone {
                    return Ok(None);
                }
                let is_same = process.start_key().is_some() && process.start_key() == other.start_key();
                match other.start_result().filter(|_| is_same) {
                    Some(first) => Ok(Some(first)),
                    None => Err(StartError::Reserve(ReserveError::Taken(Entry::Process(other))).into()),
                }
            }
        }
    }

    /// The life of one process, from its spawn until it is forgotten.
    async fn own(
        self,
        session: Arc<Session>,
        process: Arc<Process>,
        command: Command,
        places: [OwnedSemaphorePermit; 2],
        started: oneshot::Sender<Result<(), SpawnError>>,
    ) {
        let owner = match Owner::spawn(Arc::clone(&process), command, &self.0.spawner).await {
            Ok(owner) => owner,
            Err(error) => {
                // The id is free before the failure is told.
                session.remove(&process);
                self.kept().remove(&process);
                process.vanish();
                let _ = started.send(Err(error));
                return;
            }
        };
        self.stats().spawned.add(1);
        // Whoever asked may have gone away; the process is the session's all the same.
        let _ = started.send(Ok(()));
        let leftovers = owner.run().await;
        session.keep_ended(&process);
        self.kept().keep_ended(&process);
        self.0.memory.add_ended(process.log());
        let outlived = async {
            if let Some(leftovers) = leftovers {
                if !session.add_outlived(&process) && process.on_disconnect() != OnDisconnect::Keep {
                    process.stop(&Stop::with_session(self.config().terminate_grace));
                }
                if process.on_disconnect() == OnDisconnect::Keep {
                    self.kept().add_outlived(&process);
                }
                look_after(&process, leftovers).await;
                session.remove_outlived(&process);
                self.kept().remove_outlived(&process);
            }
            drop(places);
        };
        tokio::join!(outlived, self.retain(&session, &process));
    }

    /// Keeps a closed process as long as somebody may ask for it.
    async fn retain(&self, session: &Session, process: &Arc<Process>) {
        let release = process.retained(self.config().retain_ended).await;
        match release {
            Release::Forgotten | Release::SessionOver => {
                session.remove(process);
                self.kept().remove(process);
            }
            Release::Expired => {
                if let (Some(record), Some(started)) = (process.last_record(), process.start_result()) {
                    let tombstone = Arc::new(Tombstone {
                        owner: process.owner().cloned(),
                        record: ProcessRecord {
                            metadata: None,
                            retained_bytes: 0,
                            ..record
                        },
                        start_key: process.start_key().cloned(),
                        started,
                    });
                    session.expire(process, &tombstone);
                    self.kept().expire(process, &tombstone);
                }
            }
        }
        // Who outlives it needs none of what it said.
        if release != Release::SessionOver && process.log().is_expendable() {
            process.log().discard();
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
