//! What a client does with processes.

use exec_protocol::Blob;
use serde_json::{Value, json};

use crate::peer::Peer;
use crate::transcript::{Event, Transcript, What};

impl Peer {
    /// Starts a process with these params of `process/start`.
    ///
    /// # Panics
    ///
    /// If the server refuses.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: the process may have been started.
    pub async fn start(&mut self, params: Value) {
        let process_id = params["processId"].clone();
        let result = self.call("process/start", params).await;
        assert_eq!(
            (&result["processId"], &result["sandboxType"]),
            (&process_id, &json!("none"))
        );
    }

    /// Starts a process and follows it to its close.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: the process may have been started.
    pub async fn run(&mut self, params: Value) -> Transcript {
        let process_id = params["processId"]
            .as_str()
            .expect("a process has an id")
            .to_owned();
        self.start(params).await;
        self.output_until_closed(&process_id).await
    }

    /// Writes to a process's stdin, with a write id of its own, and returns the status.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: the bytes may have been taken.
    pub async fn write(&mut self, process_id: &str, bytes: impl AsRef<[u8]>) -> String {
        let id = self.request_write(process_id, bytes).await;
        let result = self
            .response(id)
            .await
            .unwrap_or_else(|error| panic!("a write was refused: {error:?}"));
        result["status"]
            .as_str()
            .expect("a write has a status")
            .to_owned()
    }

    /// Sends a write, with a write id of its own, and returns the id of the request.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: part of it may have been sent.
    pub async fn request_write(&mut self, process_id: &str, bytes: impl AsRef<[u8]>) -> u64 {
        let write_id = self.next_write_id.to_string();
        self.next_write_id += 1;
        let chunk = base64(bytes);
        self.request(
            "process/write",
            json!({"processId": process_id, "chunk": chunk, "writeId": write_id}),
        )
        .await
    }

    /// Claims the next event of a process, which must be the one that follows those before.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it stays unclaimed.
    pub async fn event(&mut self, process_id: &str) -> Event {
        let so_far = self.transcript(process_id);
        let what = format!(
            "an event of {process_id:?}, which is at {} with {:?}",
            so_far.last_seq,
            tail(&so_far.last_words())
        );
        let message = self.claim(&what, |message| is_about(message, process_id)).await;
        self.take(process_id, &message)
    }

    /// Claims what has come already of a process.
    pub fn take_events(&mut self, process_id: &str) {
        while let Some(message) = self.claim_waiting(|message| is_about(message, process_id)) {
            self.take(process_id, &message);
        }
    }

    /// Claims events until the output as a whole contains `text`.
    ///
    /// # Panics
    ///
    /// If the process closes before.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn output_until(&mut self, process_id: &str, text: &str) {
        while !self.transcript(process_id).text().contains(text) {
            let event = self.event(process_id).await;
            let said = || self.transcripts[process_id].text();
            assert_ne!(
                event.what,
                What::Closed,
                "{process_id:?} did not say {text:?}, but {:?}",
                said()
            );
        }
    }

    /// Claims events until the exit, and returns its code.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn exited(&mut self, process_id: &str) -> i32 {
        loop {
            if let Some(exit_code) = self.transcript(process_id).exit_code {
                return exit_code;
            }
            self.event(process_id).await;
        }
    }

    /// Claims events up to the close, and returns everything that was ever told of the process.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn output_until_closed(&mut self, process_id: &str) -> Transcript {
        while !self.transcript(process_id).is_closed {
            self.event(process_id).await;
        }
        // The name is free for another process.
        self.transcripts
            .remove(process_id)
            .expect("it has just been looked at")
    }

    /// Terminates a process that runs, and follows it to its close.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: the process may have been asked to end.
    pub async fn terminate(&mut self, process_id: &str) -> Transcript {
        let result = self
            .call("process/terminate", json!({"processId": process_id}))
            .await;
        assert_eq!(result["running"], true, "{result}");
        self.output_until_closed(process_id).await
    }

    /// Expects the events of a process to go on behind this number, as after a resume.
    pub fn follow(&mut self, process_id: &str, after_seq: u64) {
        self.transcripts
            .insert(process_id.to_owned(), Transcript::after(after_seq));
    }

    /// Lets output of a process be lost, as long as each byte of it is told to be.
    pub fn expect_gaps(&mut self, process_id: &str) {
        self.transcripts
            .entry(process_id.to_owned())
            .or_default()
            .may_have_gaps = true;
    }

    /// What a process has said so far.
    pub fn transcript(&mut self, process_id: &str) -> &Transcript {
        self.transcripts.entry(process_id.to_owned()).or_default()
    }

    fn take(&mut self, process_id: &str, message: &Value) -> Event {
        let method = message["method"].as_str().expect("it is about a process");
        self.transcripts
            .entry(process_id.to_owned())
            .or_default()
            .take(method, &message["params"])
    }
}

/// Bytes as they are written into a message.
pub fn base64(bytes: impl AsRef<[u8]>) -> String {
    Blob::from(bytes.as_ref().to_vec()).to_base64()
}

fn is_about(message: &Value, process_id: &str) -> bool {
    message.get("method").is_some() && message["params"]["processId"] == process_id
}

/// The end of what was said, for a failure to show.
fn tail(text: &str) -> &str {
    let start = text.len().saturating_sub(200);
    let start = (start..text.len())
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0);
    &text[start..]
}
