//! What a client does that nobody should have to expect.

use std::time::Duration;

use exec_tests::websocket::{Opcode, Part, frame, frame_head};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::asked::Asked;
use super::client::Client;

/// Longest time in which a client does not read.
const LONGEST_SILENCE_MS: u64 = 800;

/// Requests of a flood.
const FLOOD: u64 = 400;

impl Client {
    /// What only a client does whose session outlives its connection.
    pub(super) async fn break_off(&mut self) {
        match self.random.below(16) {
            0..5 => {
                self.log.add("cuts the connection");
                self.cut().await;
            }
            5..8 => {
                self.log.add("cuts the connection in the middle of a message");
                let message = self
                    .line
                    .message(br#"{"id":1,"method":"process/start","params":{"#);
                let length = 1 + self.random.below(message.len() as u64 - 1);
                self.line
                    .send_bytes(&message[..usize::try_from(length).expect("it is short")]);
                // As far as it is taken at once.
                let _ = timeout(Duration::from_millis(5), self.line.send_only()).await;
                self.cut().await;
            }
            8..12 => {
                self.log.add("takes its session over");
                self.take_over().await;
            }
            12..14 => self.send_deadly_garbage().await,
            14 => {
                self.log.add("closes its session");
                self.close_session().await;
            }
            _ => {
                self.log.add("abandons its session");
                self.abandon().await;
            }
        }
    }

    /// Asks for what cannot be started.
    pub(super) fn refused_start(&mut self) {
        let (params, kind) = self.random.pick(&[
            (json!({"processId": "x", "argv": ["/no/such"]}), "programNotFound"),
            (
                json!({"processId": "x", "argv": ["/bin/true"], "cwd": "/no/such"}),
                "cwdNotFound",
            ),
            (json!({"processId": "x", "argv": []}), "emptyArgv"),
            (
                json!({"processId": "x", "argv": ["/"], "tty": true}),
                "notExecutable",
            ),
            (
                json!({"processId": "x", "argv": ["/bin/true"], "sandbox": {}}),
                "sandboxUnsupported",
            ),
            (json!({"processId": "x", "argv": "/bin/true"}), "invalidParams"),
        ]);
        self.ask(Asked::Refused(kind), "process/start", &params);
    }

    /// Asks many things at once.
    pub(super) fn flood(&mut self) {
        let count = 1 + self.random.length(FLOOD);
        self.log.add(format_args!("asks {count} times"));
        let mut batch = Vec::new();
        let is_batch = self.random.one_in(2);
        for _ in 0..count {
            let (asked, method, params) = self.random.pick(&[
                (Asked::Plain, "environment/info", Value::Null),
                (Asked::Plain, "server/info", json!({})),
                (Asked::Plain, "process/terminate", json!({"processId": "nobody"})),
                (
                    Asked::Plain,
                    "process/signal",
                    json!({"processId": "nobody", "signal": "kill"}),
                ),
                (
                    Asked::Refused("unknownProcess"),
                    "process/read",
                    json!({"processId": "nobody"}),
                ),
                (Asked::Refused("invalidParams"), "process/read", json!([])),
                (
                    Asked::Refused("invalidRequest"),
                    "initialize",
                    json!({"clientName": "again"}),
                ),
                (
                    Asked::Refused("invalidBase64"),
                    "process/write",
                    json!({"processId": "x", "chunk": "?"}),
                ),
            ]);
            let (_, request) = self.request(asked, method, &params);
            if is_batch {
                batch.push(request);
            } else {
                self.line.send(request.to_string().as_bytes());
            }
        }
        if is_batch {
            self.line.send(Value::Array(batch).to_string().as_bytes());
        }
    }

    /// Sends what is no message, and costs only itself.
    pub(super) fn send_garbage(&mut self) {
        let garbage = self.random.pick(&[
            "nonsense",
            "{",
            "[]",
            "7",
            r#"{"id":null,"method":"x"}"#,
            r#"{"id":{}}"#,
        ]);
        self.log.add(format_args!("sends {garbage}"));
        self.nobodys_errors += 1;
        self.line.send(garbage.as_bytes());
        // These are none of anybody's business.
        self.line.send(br#"{"method":"no/such","params":{}}"#);
        self.line.send(br#"{"id":4711,"result":{}}"#);
    }

    /// Sends what ends a websocket, but not its session.
    async fn send_deadly_garbage(&mut self) {
        let (bytes, code) = self.random.pick(&[
            (frame(Opcode::Text, Part::Last, b"\xff"), 1007),
            (frame_head(Opcode::Text, Part::Last, 1 << 40), 1009),
            (frame(Opcode::Continuation, Part::Last, b"of nothing"), 1002),
        ]);
        self.log.add(format_args!("sends what is hung up on with {code}"));
        self.line.send_bytes(&bytes);
        self.hung_up_on(code).await;
    }

    /// Leaves what it is told where it is.
    pub(super) async fn stop_reading(&mut self) {
        let millis = self.random.below(LONGEST_SILENCE_MS);
        self.log.add(format_args!("does not read for {millis} ms"));
        let silence = tokio::time::sleep(Duration::from_millis(millis));
        // What it has to say may be as much as anybody takes.
        let _ = timeout(Duration::from_millis(millis), self.line.send_only()).await;
        silence.await;
    }
}
