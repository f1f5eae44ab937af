//! Starting a process.

use std::borrow::Cow;

use exec_protocol::process::{Start, StartParams};
use exec_protocol::{ErrorKind, RpcError, StartKey};

use super::Client;
use crate::acknowledge::Acknowledger;
use crate::driver::Shared;
use crate::error::CallError;
use crate::pending::Repeat;
use crate::process::Process;

impl Client {
    /// Starts a process and collects its events from the first on.
    ///
    /// If the server has the capability `startKey`, a start whose connection breaks before its answer came is
    /// repeated on the next one, and starts one process; a key is made up if the params have none.
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
        let (params, repeat) = self.keyed(params);
        let acknowledger = Acknowledger::new(acks, &params, &self.inner.server);
        let first_words = acknowledger.as_ref().map(Acknowledger::first_words);
        // Before it is known whether it starts: on a new connection the process may be there already, and
        // what it said was not taken by anybody.
        let was_forsaken = acknowledger.is_some() && acks.adopt(&params.process_id);
        let mut process = Process::new(self.clone(), subscription, acknowledger);
        let started = process
            .collect_during(self.call_then::<Start>(&params, first_words, repeat))
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
                    // The id is still that of the process before.
                    if was_forsaken {
                        acks.forsake(&params.process_id);
                    }
                }
                Err(error)
            }
        }
    }

    /// A start that may be repeated, if the server knows what that is.
    fn keyed<'a>(&self, params: &'a StartParams) -> (Cow<'a, StartParams>, Repeat) {
        if !self.inner.server.capabilities.start_key {
            return (Cow::Borrowed(params), Repeat::Never);
        }
        let mut params = Cow::Borrowed(params);
        if params.start_key.is_none() {
            let key = StartKey::new(&self.unused_name());
            params.to_mut().start_key =
                Some(key.expect("two numbers are shorter than the limit of 256 bytes"));
        }
        (params, Repeat::Allowed)
    }
}
