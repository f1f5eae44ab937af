//! The method table: one file per method.

mod ack;
mod close_stdin;
mod environment;
mod forget;
mod fs;
mod get;
mod list;
mod read;
mod resize;
mod server;
mod session;
mod signal;
mod start;
mod task;
mod terminate;
mod wait;
mod write;

use std::sync::Arc;

use exec_protocol::process::Target;
use exec_protocol::{Group, Method, ProcessId, RpcError, parse_params};
use jsonrpsee::RpcModule;
use jsonrpsee::core::server::Methods;
use serde::Serialize;
use tokio::sync::Semaphore;

pub(crate) use ack::ack;
pub(crate) use fs::begin as begin_file_work;
pub(crate) use read::read;
use wait::room_for_waits;

use super::error;
use super::outbox::Outbox;
use super::task_news::TaskNews;
use crate::limits::{MAX_CLIENT_NAME_BYTES, MAX_MESSAGE_BYTES};
use crate::process::Process;
use crate::server::Server;
use crate::session::{Entry, Session};

/// Records that fit into a message whatever is in them: each has some 20 KiB of texts, which may be six times as long in JSON,
/// and of a task at most 20 attempts.
const SURELY_FIT: usize = 100;

/// On whose behalf a method is called.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(super) server: Server,
    session: Arc<Session>,
    /// The client's name, as far as it is kept.
    client: Arc<str>,
    /// Memory for what the connection waits for, in KiB.
    waits: Arc<Semaphore>,
    /// Whose turn it is to put a list together: each may come to a message.
    lists: Arc<tokio::sync::Mutex<()>>,
    /// Whose turn it is to look at the log of a task, which may take longer than a list may wait.
    logs: Arc<tokio::sync::Mutex<()>>,
    /// Whose turn it is to reach the process of a task.
    task_turns: Arc<tokio::sync::Mutex<()>>,
    /// What the connection is told of tasks.
    told: Arc<TaskNews>,
}

impl Caller {
    /// A client of this name.
    pub(super) fn new(server: &Server, session: &Arc<Session>, client: &str, outbox: &Arc<Outbox>) -> Self {
        Self {
            server: server.clone(),
            session: Arc::clone(session),
            client: client[..client.floor_char_boundary(MAX_CLIENT_NAME_BYTES)].into(),
            waits: room_for_waits(),
            lists: Arc::default(),
            logs: Arc::default(),
            task_turns: Arc::default(),
            told: Arc::new(TaskNews::new(outbox)),
        }
    }

    /// The process that is meant.
    fn process(&self, target: &Target) -> Result<Arc<Process>, RpcError> {
        known(self.find(target))
    }

    /// The process that this name is of, or else this uid: for where nothing tells which of them it is.
    fn process_called(&self, id: &ProcessId) -> Result<Arc<Process>, RpcError> {
        known(self.session.named(id).or_else(|| self.of_uid(id.as_str())))
    }

    /// The process that is meant, if there is one that can be acted upon.
    fn living(&self, target: &Target) -> Option<Arc<Process>> {
        match self.find(target) {
            Some(Entry::Process(process)) => Some(process),
            Some(Entry::Expired(_)) | None => None,
        }
    }

    fn find(&self, target: &Target) -> Option<Entry> {
        match target {
            Target::Name(name) => self.session.named(name),
            Target::Uid(uid) => self.of_uid(uid.as_str()),
        }
    }

    /// A uid is good in every session for a process that outlives its own.
    fn of_uid(&self, uid: &str) -> Option<Entry> {
        self.session
            .of_uid(uid)
            .or_else(|| self.server.kept().of_uid(uid, self.session.identity()))
    }

    /// The session's processes of this group.
    fn in_group(&self, group: &Group) -> Vec<Arc<Process>> {
        self.session.in_group(group)
    }
}

fn known(entry: Option<Entry>) -> Result<Arc<Process>, RpcError> {
    match entry {
        Some(Entry::Process(process)) => Ok(process),
        Some(Entry::Expired(tombstone)) => Err(error::expired_process(tombstone.record.clone())),
        None => Err(error::unknown_process()),
    }
}

/// Whether an answer with so many records does not fit into a message.
fn is_too_long(answer: &impl Serialize, records: usize) -> bool {
    records > SURELY_FIT && serde_json::to_vec(answer).is_ok_and(|json| json.len() > MAX_MESSAGE_BYTES)
}

/// All methods but `initialize`, which a connection handles itself, `process/read`, whose answers are put together
/// by hand, and those of files, whose answers are put together elsewhere.
pub(crate) fn methods() -> Methods {
    let mut module = RpcModule::new(());
    register::<exec_protocol::environment::Info, _, _>(&mut module, environment::info);
    register::<exec_protocol::environment::Status, _, _>(&mut module, environment::status);
    register::<exec_protocol::process::CloseStdin, _, _>(&mut module, close_stdin::close_stdin);
    register::<exec_protocol::process::Forget, _, _>(&mut module, forget::forget);
    register::<exec_protocol::process::Get, _, _>(&mut module, get::get);
    register::<exec_protocol::process::List, _, _>(&mut module, list::list);
    register::<exec_protocol::process::Resize, _, _>(&mut module, resize::resize);
    register::<exec_protocol::process::Signal, _, _>(&mut module, signal::signal);
    register::<exec_protocol::process::Start, _, _>(&mut module, start::start);
    register::<exec_protocol::process::Terminate, _, _>(&mut module, terminate::terminate);
    register::<exec_protocol::process::Wait, _, _>(&mut module, wait::wait);
    register::<exec_protocol::process::Write, _, _>(&mut module, write::write);
    register::<exec_protocol::session::Close, _, _>(&mut module, session::close);
    register::<exec_protocol::server::Info, _, _>(&mut module, server::info);
    register::<exec_protocol::server::Stats, _, _>(&mut module, server::stats);
    task::register_all(&mut module);
    module.into()
}

/// Puts a method into the table.
///
/// A handler does what depends on the order of arrival before its first await: it is polled up to
/// there before the next message is looked at.
fn register<M, H, F>(module: &mut RpcModule<()>, handler: H)
where
    M: Method,
    M::Result: Clone,
    H: Fn(Caller, M::Params) -> F + Copy + Send + Sync + 'static,
    F: Future<Output = Result<M::Result, RpcError>> + Send,
{
    module
        .register_async_method(M::NAME, move |params, _, extensions| async move {
            let caller = extensions
                .get::<Caller>()
                .expect("every connection puts its caller in");
            let outcome = match parse_params::<M::Params>(params.as_str()) {
                Ok(params) => handler(caller.clone(), params).await,
                Err(error) => Err(error.into()),
            };
            outcome.map_err(|error| error::into_object(caller.server.stats(), error))
        })
        .expect("each method is registered once");
}

#[cfg(test)]
mod tests {
    use serde_json::value::to_raw_value;

    use super::*;
    use crate::limits::MAX_RECORD_BYTES;

    #[test]
    fn each_method_is_registered_once() {
        assert_eq!(methods().method_names().count(), 33);
    }

    #[test]
    fn an_answer_is_as_long_as_its_json_and_not_as_its_texts() {
        // As many words as the record of a process has of a command line that has nothing in them.
        let words = to_raw_value(&vec![""; MAX_RECORD_BYTES]).unwrap();
        let fit = MAX_MESSAGE_BYTES / (words.get().len() + 1);
        assert!(!is_too_long(&vec![&words; fit], fit));
        assert!(is_too_long(&vec![&words; fit + 1], fit + 1));
    }
}
