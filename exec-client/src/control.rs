//! Acting on a process.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use exec_protocol::process::{
    CloseStdin, CloseStdinParams, Forget, ForgetParams, Get, GetParams, ProcessRecord, Read, ReadParams,
    ReadResult, Resize, ResizeParams, Signal, SignalName, SignalParams, Size, StartResult, Terminate,
    TerminateParams, Write, WriteParams, WriteStatus,
};
use exec_protocol::{Blob, ErrorKind, ProcessId, Seq, Uid};
use tokio::sync::Mutex;
use tokio::time::sleep;

use crate::client::Client;
use crate::error::CallError;

/// Most bytes in one `process/write`.
///
/// The contract's smallest bound on the stdin a server holds for a process: one of this size fits
/// at the latest when the process has read everything, a larger one might never.
const WRITE_BYTES: usize = 1 << 20;

/// The first pause after a server held too much stdin to take more. A program that reads has made
/// room by then.
const FIRST_STDIN_PAUSE: Duration = Duration::from_millis(5);

/// The longest such pause: what a user waits for nothing once a program reads again.
const LONGEST_STDIN_PAUSE: Duration = Duration::from_millis(200);

/// Acts on a process, beside whoever takes its events. Cloning is cheap.
///
/// Someone has to take the events while a call is awaited; see [`Client`].
#[derive(Debug, Clone)]
pub struct ProcessControl {
    client: Client,
    process_id: ProcessId,
    /// What the server said at its start. None before that.
    started: Option<Arc<StartResult>>,
    /// The write that was begun and whose outcome is not known: the server may hold the place in
    /// the stream for it, so it comes before any other. Fair, so that writes keep their order.
    stdin: Arc<Mutex<Option<WriteParams>>>,
}

impl ProcessControl {
    pub(crate) fn new(client: Client, process_id: ProcessId) -> Self {
        Self {
            client,
            process_id,
            started: None,
            stdin: Arc::default(),
        }
    }

    /// The process runs, by what the server said.
    pub(crate) fn set_started(&mut self, started: StartResult) {
        self.started = Some(started.into());
    }

    /// The process.
    pub fn id(&self) -> &ProcessId {
        &self.process_id
    }

    /// The server's name for the process, which no other process of any session has. None if the server
    /// gives none.
    pub fn uid(&self) -> Option<&Uid> {
        self.started.as_ref()?.uid.as_ref()
    }

    /// The pid of the process's leader, on the server's machine. None if the server does not tell.
    ///
    /// Once the process has closed, it may be that of another.
    pub fn pid(&self) -> Option<u32> {
        self.started.as_ref()?.pid
    }

    /// When the process was spawned, in Unix milliseconds by the server's clock. None if the server does
    /// not tell.
    pub fn started_at_ms(&self) -> Option<u64> {
        self.started.as_ref()?.started_at_ms
    }

    /// Writes to the process's stdin, behind every write that was begun before.
    ///
    /// Waits for as long as the process does not read and the server holds all it can. More than
    /// 1 MiB goes in pieces of that size; the status is that of the last piece that was sent.
    ///
    /// # Errors
    ///
    /// As [`Client::call`]. After [`CallError::Disconnected`] it is unknown what arrived.
    ///
    /// # Cancel safety
    ///
    /// Not reversible: pieces may have been written, and one that was begun is written before
    /// anything else is, once; the pieces behind it are not written.
    pub async fn write(&self, bytes: impl Into<Bytes>) -> Result<WriteStatus, CallError> {
        let mut bytes = bytes.into();
        let mut begun = self.stdin.lock().await;
        self.settle(&mut begun).await;
        loop {
            let params = begun.insert(WriteParams {
                process: self.process_id.clone().into(),
                chunk: Blob(bytes.split_to(bytes.len().min(WRITE_BYTES))),
                write_id: Some(self.client.write_id()),
                eof: false,
                offset: None,
            });
            let outcome = self.write_until_taken(params).await;
            *begun = None;
            let status = outcome?;
            if status != WriteStatus::Accepted || bytes.is_empty() {
                return Ok(status);
            }
        }
    }

    /// Ends the process's stdin, behind every write that was begun before.
    ///
    /// True if there will be an end of file; false on a terminal where no character means that.
    ///
    /// # Errors
    ///
    /// As [`Client::call`].
    ///
    /// # Cancel safety
    ///
    /// Not reversible: once polled, stdin may be closed. Calling it again is harmless.
    pub async fn close_stdin(&self) -> Result<bool, CallError> {
        let mut begun = self.stdin.lock().await;
        self.settle(&mut begun).await;
        let params = CloseStdinParams {
            process: self.process_id.clone().into(),
        };
        Ok(self.client.call::<CloseStdin>(&params).await?.closed)
    }

    /// Sends a signal to the leader's process group, on a terminal to the foreground group.
    ///
    /// True if there was something to get it.
    ///
    /// # Errors
    ///
    /// As [`Client::call`].
    ///
    /// # Cancel safety
    ///
    /// Not reversible: once polled, the signal may be sent.
    pub async fn signal(&self, signal: SignalName) -> Result<bool, CallError> {
        let params = SignalParams {
            process: self.process_id.clone().into(),
            signal,
        };
        Ok(self.client.call::<Signal>(&params).await?.delivered)
    }

    /// Gives the process's terminal a new size.
    ///
    /// # Errors
    ///
    /// As [`Client::call`].
    ///
    /// # Cancel safety
    ///
    /// Not reversible: once polled, the terminal may have the new size.
    pub async fn resize(&self, size: Size) -> Result<(), CallError> {
        let params = ResizeParams {
            process: self.process_id.clone().into(),
            size,
        };
        self.client.call::<Resize>(&params).await?;
        Ok(())
    }

    /// Asks the process to end, and has it killed when it does not, after the time that its start gave or
    /// the server's own.
    ///
    /// Returns at once. True if it had not exited yet.
    ///
    /// # Errors
    ///
    /// As [`Client::call`]. A process that is gone is not an error.
    ///
    /// # Cancel safety
    ///
    /// Not reversible: once polled, the process may be ended. Calling it again is harmless.
    pub async fn terminate(&self) -> Result<bool, CallError> {
        self.terminate_with(None).await
    }

    /// Asks the process to end, and has it killed when it has not after `grace`; of which whole
    /// milliseconds count, and of zero none: it is killed at once.
    ///
    /// Returns at once. True if it had not exited yet. Unlike [`terminate`](Self::terminate) it also ends what
    /// a closed process left behind. A server without the capability `grace` takes it for `terminate`.
    ///
    /// # Errors
    ///
    /// As [`Client::call`]. A process that is gone is not an error.
    ///
    /// # Cancel safety
    ///
    /// Not reversible: once polled, the process may be ended. Calling it again is harmless.
    pub async fn terminate_within(&self, grace: Duration) -> Result<bool, CallError> {
        self.terminate_with(Some(milliseconds(grace))).await
    }

    async fn terminate_with(&self, grace_ms: Option<u64>) -> Result<bool, CallError> {
        let params = TerminateParams {
            process: self.process_id.clone().into(),
            grace_ms,
        };
        Ok(self.client.call::<Terminate>(&params).await?.running)
    }

    /// Everything the server has to say of the process but its output.
    ///
    /// # Errors
    ///
    /// As [`Client::call`]. Of a process that ended long ago it is [`ErrorKind::ExpiredProcess`], with how it
    /// ended in the error's `data.record`. A server without the capability `records` has none.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: nothing is changed by it.
    pub async fn record(&self) -> Result<ProcessRecord, CallError> {
        let params = GetParams {
            process: self.process_id.clone().into(),
        };
        self.client.call::<Get>(&params).await
    }

    /// Tells the server that it need not keep the process any longer; its id is free then.
    ///
    /// True if it was forgotten; false if it is not closed yet, or not known. A server without the capability
    /// `records` forgets in its own time only.
    ///
    /// # Errors
    ///
    /// As [`Client::call`].
    ///
    /// # Cancel safety
    ///
    /// Not reversible: once polled, the process may be forgotten. Calling it again is harmless.
    pub async fn forget(&self) -> Result<bool, CallError> {
        let params = ForgetParams {
            process: self.process_id.clone().into(),
        };
        Ok(self.client.call::<Forget>(&params).await?.forgotten)
    }

    /// Reads what the server keeps of the process's output, beside the stream of events.
    ///
    /// Answers once there is something newer than `after_seq`, or after `wait`, which is cut to
    /// milliseconds and by the server's own limit. `max_bytes` bounds the output in the answer; None
    /// leaves it to the server, 0 asks for the state only.
    ///
    /// # Errors
    ///
    /// As [`Client::call`].
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: the position belongs to the caller, and a read takes nothing away. A server that knows how
    /// is told not to wait any longer.
    pub async fn read(
        &self,
        after_seq: Seq,
        max_bytes: Option<u64>,
        wait: Duration,
    ) -> Result<ReadResult, CallError> {
        let params = ReadParams {
            max_bytes,
            wait_ms: milliseconds(wait),
            // What is read here is not taken from the stream of events.
            peek: true,
            ..ReadParams::after_seq(self.process_id.clone(), after_seq)
        };
        self.client.call::<Read>(&params).await
    }

    /// Brings a write to its end that was begun and then dropped. Its outcome was its caller's.
    async fn settle(&self, begun: &mut Option<WriteParams>) {
        if let Some(params) = begun {
            let _ = self.write_until_taken(params).await;
            *begun = None;
        }
    }

    /// Repeats a write, with its id, until the server has room for it: until then it refuses every
    /// other.
    async fn write_until_taken(&self, params: &WriteParams) -> Result<WriteStatus, CallError> {
        let mut pause = FIRST_STDIN_PAUSE;
        loop {
            match self.client.call::<Write>(params).await {
                Err(CallError::Rpc(error)) if error.kind() == Some(ErrorKind::StdinFull) => {}
                outcome => return Ok(outcome?.status),
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_STDIN_PAUSE);
        }
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
