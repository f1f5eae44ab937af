//! How a client comes and goes.

use std::time::Duration;

use exec_tests::wait::within_patience;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::asked::{Asked, answer};
use super::client::{Client, Level};
use super::line::{Incoming, Line};
use super::log::shown;
use super::told::parse;

/// How long a session lives without a connection.
pub(super) const DETACHED: Duration = Duration::from_secs(6);

impl Client {
    /// Opens a session on a new line.
    pub(super) async fn open(&mut self) {
        self.children.clear();
        self.is_session_over = false;
        self.handshake(json!({"clientName": "chaos"}))
            .await
            .expect("a session is opened");
    }

    async fn handshake(&mut self, mut params: Value) -> Result<(), String> {
        self.asked.clear();
        self.cancelled.clear();
        self.nobodys_errors = 0;
        self.level = self
            .random
            .pick(&[Level::All, Level::All, Level::All, Level::Lifecycle, Level::None]);
        params["notifications"] = json!(self.level.name());
        self.log.add(format_args!("initialize {params}"));
        let id = self.ask_quietly(Asked::Plain, "initialize", &params);
        let incoming = within_patience("the answer to initialize", self.line.next()).await;
        let Incoming::Message(message) = incoming else {
            panic!("initialize is answered by {incoming:?}");
        };
        assert_eq!(
            message["id"],
            id,
            "before the answer to initialize: {}",
            shown(&message)
        );
        self.asked.clear();
        let result = answer(&message).map_err(|error| error.data.kind)?;
        self.session_id = parse(&result["sessionId"]);
        self.line.send(br#"{"method":"initialized"}"#);
        Ok(())
    }

    /// Takes its session up again, on a new line. `since` the former one is gone, if it is.
    async fn resume(&mut self, since: Option<Instant>) {
        let unanswered: Vec<Asked> = self.asked.drain().map(|(_, asked)| asked).collect();
        let session_id = self.session_id.clone();
        let resumed = self
            .handshake(json!({"clientName": "chaos", "resumeSessionId": session_id}))
            .await;
        if let Err(kind) = resumed {
            assert_eq!(kind, "unknownSession");
            let is_over = since.is_some_and(|since| since.elapsed() > DETACHED);
            assert!(is_over, "the session is gone before its time");
            self.log.add("the session was over");
            return self.open().await;
        }
        assert_eq!(self.session_id, session_id);
        for asked in unanswered {
            // Nobody knows whether it was carried out.
            if let Asked::About { name, method } = asked {
                let child = self.child(&name);
                match method {
                    "process/forget" => child.is_given_up = true,
                    "process/terminate" => child.is_terminated = false,
                    "process/signal" => child.is_stopped = true,
                    _ => {}
                }
            }
        }
        let mut starts = Vec::new();
        for (name, child) in &mut self.children {
            child.ledger.resume();
            child.typing.cut();
            child.is_behind = true;
            child.is_read = false;
            // To the server it may look like a takeover, which is no loss of the connection.
            child.is_disturbed |= child.plan.ends_with_connection();
            if child.uid.is_none() {
                starts.push(name.clone());
            }
        }
        for name in starts {
            self.start(&name);
        }
        self.type_again();
        self.look_after();
    }

    /// Breaks the connection, and comes back.
    pub(super) async fn cut(&mut self) {
        let line = self.new_line().await;
        let since = Instant::now();
        line.cut();
        self.resume(Some(since)).await;
    }

    /// Comes back before the former connection is gone, which is hung up on.
    pub(super) async fn take_over(&mut self) {
        let older = self.new_line().await;
        self.resume(None).await;
        Self::ends(older, 4001).await;
    }

    /// Waits for the server to hang up, and comes back.
    pub(super) async fn hung_up_on(&mut self, code: u16) {
        let since = Instant::now();
        let older = self.new_line().await;
        Self::ends(older, code).await;
        self.resume(Some(since)).await;
    }

    /// What was told on this line before its end will have to be read by the next.
    async fn ends(mut line: Line, code: u16) {
        let end = within_patience("the end of the connection", async {
            loop {
                match line.next().await {
                    Incoming::Message(_) => {}
                    Incoming::Closing(code) => break Some(code),
                    // What we had sent and it had not read makes the system drop its last words.
                    Incoming::End => break None,
                }
            }
        });
        let end = end.await;
        assert!(
            end.is_none_or(|end| end == code),
            "hung up on with {end:?} for {code}"
        );
    }

    /// Leaves its session as it is, and opens another.
    pub(super) async fn abandon(&mut self) {
        self.new_line().await.cut();
        self.open().await;
    }

    /// Closes its session with everything in it, and opens another.
    pub(super) async fn close_session(&mut self) {
        let id = self.ask(Asked::Plain, "session/close", &json!({}));
        self.is_session_over = true;
        for child in self.children.values_mut() {
            child.is_disturbed = true;
            child.is_given_up = true;
        }
        self.answered(id).await;
        self.new_line().await.finish().await;
        self.open().await;
    }

    /// Has a new line from now on, and returns the former one.
    async fn new_line(&mut self) -> Line {
        let url = self.url.as_deref().expect("it is a websocket");
        let line = Line::websocket(url).await;
        std::mem::replace(&mut self.line, line)
    }
}
