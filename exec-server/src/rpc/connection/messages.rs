//! What becomes of a message: single or a batch, a request or a notice, before and after the handshake.

use exec_protocol::envelope::{self, EnvelopeError, Incoming, Message, RequestId, Style};
use exec_protocol::initialize::InitializeParams;
use exec_protocol::{RpcError, parse_params};
use tokio::time::Instant;

use super::Dispatch;
use crate::rpc::array::BatchAnswer;
use crate::rpc::dispatch::{Answer, Dispatcher, Start};
use crate::rpc::handlers::Caller;
use crate::session::Admission;

impl Dispatch<'_> {
    /// Takes apart what came, and carries it out.
    pub(super) async fn take_in(&mut self, bytes: &[u8]) {
        match envelope::parse(bytes) {
            Ok(Incoming::Single(message)) => {
                self.outbox.learn_style(message.style());
                self.take(message, bytes.len());
            }
            Ok(Incoming::Batch(elements)) => self.take_batch(elements, bytes.len()).await,
            Err(error) => {
                let answer = self.refusal(&error);
                self.send(answer, 1, bytes.len());
            }
        }
    }

    /// Takes a message that came in so many bytes.
    fn take(&mut self, message: Message<'_>, bytes: usize) {
        match message {
            Message::Request {
                id, method, params, ..
            } => {
                if let Some(answer) = self.request(id, &method, params, false) {
                    self.send(answer, 1, bytes);
                }
            }
            Message::Notification { method, params, .. } => self.notice(&method, params),
            // We ask nothing of a client, so there is nothing it could answer.
            Message::Response { .. } => {}
        }
    }

    async fn take_batch(&mut self, elements: envelope::Batch<'_>, bytes: usize) {
        if let Some(message) = elements.iter().find_map(|element| element.as_ref().ok()) {
            self.outbox.learn_style(message.style());
        }
        let mut answers = BatchAnswer::new(self.server.stats(), self.outbox.style(), &self.batched);
        for element in elements {
            let since = Instant::now();
            match element {
                Ok(Message::Request {
                    id, method, params, ..
                }) => {
                    let owned = id.clone().into_owned();
                    if answers.is_full() {
                        answers.refuse(owned);
                    } else if let Some(answer) = self.request(id, &method, params, true) {
                        answers.push(Some(owned), answer);
                    }
                }
                Ok(message) => self.take(message, 0),
                Err(error) => {
                    let answer = self.refusal(&error);
                    answers.push(error.id, answer);
                }
            }
            self.give_way(0, since).await;
        }
        let requests = answers.len();
        if let Some(answer) = answers.finish() {
            self.send(answer, requests, bytes);
        }
    }

    /// Starts a request. None if its answer is queued already.
    fn request(
        &mut self,
        id: RequestId<'_>,
        method: &str,
        params: Option<&str>,
        in_batch: bool,
    ) -> Option<Answer> {
        let style = self.outbox.style();
        let refused = match (self.handshake.admit(method, in_batch), &self.dispatcher) {
            (Ok(Admission::Dispatch), Some((dispatcher, _))) => {
                let start = if self.outbox.load().has_room() {
                    Start::Now
                } else {
                    Start::WithRoom
                };
                return Some(dispatcher.call(id, method, params, style, start));
            }
            (Ok(Admission::Initialize | Admission::Dispatch), _) => self.initialize(&id, params, style).err(),
            (Err(error), _) => Some(error.into()),
        };
        refused.map(|error| Answer::refusal(self.server.stats(), style, Some(&id), &error))
    }

    /// What nobody is told about: an acknowledgement that makes no sense is as good as none.
    fn notice(&mut self, method: &str, params: Option<&str>) {
        if let Ok(Admission::Dispatch) = self.handshake.admit(method, false)
            && let Some((dispatcher, _)) = &self.dispatcher
        {
            dispatcher.notify(method, params);
        } else {
            self.handshake.notice(method);
        }
    }

    /// Opens a session or takes one up. The answer is queued on the way, before any notification.
    fn initialize(&mut self, id: &RequestId<'_>, params: Option<&str>, style: Style) -> Result<(), RpcError> {
        let params: InitializeParams = parse_params(params)?;
        let session = self
            .server
            .session(params.resume_session_id.as_ref(), &self.identity)?;
        let result = serde_json::to_string(&self.server.introduction(session.id()))
            .expect("our types have string keys only");
        let mut answer = Vec::new();
        envelope::write_result(&mut answer, style, id, &result);
        session.attach(&self.outbox, params.notifications, self.server.takeover(), answer)?;
        self.count_answers(1);
        tracing::debug!(client = params.client_name, "initialized");
        let caller = Caller::new(self.server, &session, &params.client_name, &self.outbox);
        let dispatcher = Dispatcher::new(self.server.methods(), caller, self.stopping.clone());
        self.dispatcher = Some((dispatcher, session));
        self.handshake.answered();
        self.initialize_by = None;
        Ok(())
    }

    fn refusal(&self, error: &EnvelopeError) -> Answer {
        let refusal = error.clone().into();
        Answer::refusal(
            self.server.stats(),
            self.outbox.style(),
            error.id.as_ref(),
            &refusal,
        )
    }
}
