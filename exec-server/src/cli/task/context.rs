//! What every command works with.

use std::io;
use std::time::Duration;

use exec_client::{CallError, Client, ClientError, ConnectError};
use exec_protocol::{ErrorKind, Method, RpcError};
use serde::Serialize;
use tokio::time::timeout;

use super::super::escape::escaped;
use super::output::{print, print_json};
use super::screen::Screen;
use super::server::{ServerArgs, TOKEN_FILE_VARIABLE};
use crate::cli::Failure;

/// How long the goodbye may take. The server notices without it, too.
const GOODBYE: Duration = Duration::from_secs(1);

/// The server, and the form in which its answers are told.
#[derive(Debug)]
pub(super) struct Context {
    client: Client,
    form: Form,
}

/// How answers are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// For people.
    Text,
    /// For programs: as the wire has them.
    Json,
}

impl Context {
    /// Connects to the server that the arguments or the environment name.
    pub(super) async fn connect(server: &ServerArgs, form: Form) -> Result<Self, Failure> {
        let client = Client::connect_to(&server.endpoint()?, "exec-server task").await;
        let client = client.map_err(|error| match error {
            ClientError::Connect(error @ ConnectError::Unauthorized { .. }) => format!(
                "{error}; --token-file, or the variable {TOKEN_FILE_VARIABLE}, names the file with a token"
            )
            .into(),
            ClientError::Connect(error) => Failure::from(error),
            error => error.into(),
        })?;
        Ok(Self { client, form })
    }

    /// Over a connection that is there already.
    #[cfg(test)]
    pub(super) fn over(client: Client, form: Form) -> Self {
        Self { client, form }
    }

    /// Calls a method. An error of the server is told in its own words.
    pub(super) async fn call<M: Method>(&self, params: &M::Params) -> Result<M::Result, Failure> {
        self.try_call::<M>(params)
            .await
            .map_err(|error| failure(error, M::NAME))
    }

    /// Calls a method for somebody who looks at the error.
    pub(super) async fn try_call<M: Method>(&self, params: &M::Params) -> Result<M::Result, CallError> {
        self.client.call::<M>(params).await
    }

    /// In which form answers are told.
    pub(super) fn form(&self) -> Form {
        self.form
    }

    /// Tells an answer: as the wire has it, or as this text.
    pub(super) fn tell<T: Serialize>(
        &self,
        result: &T,
        text: impl FnOnce(&T, Screen) -> String,
    ) -> io::Result<()> {
        match self.form {
            Form::Text => print(&text(result, Screen::of_stdout())),
            Form::Json => print_json(result),
        }
    }

    /// Ends the session, which has nothing but this connection.
    pub(super) async fn close(self) {
        // A session that is not closed ends by itself, later.
        if let Ok(Err(error)) = timeout(GOODBYE, self.client.close_session()).await {
            tracing::debug!(%error, "the session was not closed");
        }
        let _ = timeout(GOODBYE, self.client.close()).await;
    }
}

/// An error as people want to read it.
pub(super) fn failure(error: CallError, method: &str) -> Failure {
    match error {
        CallError::Rpc(error) => refusal(&error, method).into(),
        error => error.into(),
    }
}

fn refusal(error: &RpcError, method: &str) -> String {
    if error.kind() == Some(ErrorKind::MethodNotFound) {
        return format!("the server has no {method}: it is older than this program, or of another kind");
    }
    let mut message = escaped(&error.message);
    if !error.data.candidates.is_empty() {
        let candidates = error.data.candidates.iter().map(ToString::to_string);
        message = format!("{message}: {}", candidates.collect::<Vec<_>>().join(", "));
    }
    message
}

#[cfg(test)]
mod tests {
    use exec_protocol::task::TaskId;

    use super::*;

    #[test]
    fn a_refusal_names_the_candidates() {
        let candidates = ["build-1", "build-2"].map(|id| TaskId::new(id).unwrap());
        let error = RpcError::new(ErrorKind::AmbiguousTask, "several\x1b[1m tasks")
            .with_candidates(candidates.into());
        assert_eq!(
            refusal(&error, "task/get"),
            r"several\u{1b}[1m tasks: build-1, build-2"
        );
        let error = RpcError::new(ErrorKind::UnknownTask, "no task x");
        assert_eq!(refusal(&error, "task/get"), "no task x");
        let error = RpcError::new(ErrorKind::MethodNotFound, "?");
        assert!(refusal(&error, "task/get").contains("task/get"));
    }
}
