//! Starting a process.

use exec_protocol::process::{Start, StartParams};
use exec_protocol::{ErrorKind, RpcError};

use super::Client;
use crate::acknowledge::Acknowledger;
use crate::driver::Shared;
use crate::error::CallError;
use crate::pending::Repeat;
use crate::process::Process;

impl Client {
    /// Starts a process and collects its events from the first on.
    ///
    /// # Errors
    ///
    /// As [`call`](Client::call); and [`ErrorKind::DuplicateProcess`], without asking the server,
    /// while there is a [`Process`] with this id that has not delivered its last event.
    ///
    /// # Cancel safety
    ///
    /// Not reversible: once polled, the process may be started even if this future is dropped. Its
    /// events are then discarded.
    pub async fn start(&self, params: &StartParams) -> Result<Process, CallError> {
        // Before the request is sent: events may come before its answer.
        let Shared { routes, acks, .. } = &*self.inner.shared;
        let Some(subscription) = routes.subscribe(&params.process_id) else {
            let message = format!(
                "this client still listens to a process {:?}",
                params.process_id.as_str()
            );
            return Err(RpcError::new(ErrorKind::DuplicateProcess, message).into());
        };
        let acknowledger = Acknowledger::new(acks, params, &self.inner.server);
        let first_words = acknowledger.as_ref().map(Acknowledger::first_words);
        let mut process = Process::new(self.clone(), subscription, acknowledger);
        let started = process
            .collect_during(self.call_then::<Start>(params, first_words, Repeat::Never))
            .await;
        match started {
            Ok(started) => {
                acks.adopt(&params.process_id);
                process.set_started(started);
                Ok(process)
            }
            Err(error) => {
                if matches!(error, CallError::Rpc(_) | CallError::TooLarge { .. }) {
                    process.leave();
                }
                Err(error)
            }
        }
    }
}
