//! The stream of one process's events.

use std::fmt;
use std::pin::Pin;

use exec_protocol::process::{Read, ReadParams, ReadResult, StartResult};
use exec_protocol::{ProcessId, Seq, Uid};

use crate::acknowledge::Acknowledger;
use crate::client::Client;
use crate::control::ProcessControl;
use crate::error::CallError;
use crate::event::Event;
use crate::routes::{Arrival, Subscription};
use crate::sequence::{Sequence, Step};

/// The events of one process. Dropping it discards those to come; the process runs on.
///
/// Take them as they come: up to 256 wait here, and then the whole connection waits.
///
/// Over a connection that can be resumed, what is taken is acknowledged to a server that wants to
/// know: at the latest every 64 KiB, 64 events, or half of what the server keeps of the process. While
/// it is connected, such a server drops nothing that was not acknowledged and has the process wait
/// instead; so what was told and lost with a connection is there to be read.
pub struct Process {
    control: ProcessControl,
    client: Client,
    /// None if nothing is acknowledged. Dropped before the subscription, whose end frees the id: what
    /// it then says is not about another process.
    acknowledger: Option<Acknowledger>,
    /// None once nothing more will arrive.
    subscription: Option<Subscription>,
    sequence: Sequence,
    /// A read under way. Kept here, so that a dropped `next` does not begin it anew.
    reading: Option<Reading>,
}

type Reading = Pin<Box<dyn Future<Output = Result<ReadResult, CallError>> + Send + Sync>>;

/// What a process waits for, whichever comes first.
enum Input {
    Arrived(Option<Arrival>),
    Read(Result<ReadResult, CallError>),
}

impl Process {
    pub(crate) fn new(
        client: Client,
        subscription: Subscription,
        acknowledger: Option<Acknowledger>,
    ) -> Self {
        Self {
            control: ProcessControl::new(client.clone(), subscription.process_id().clone()),
            client,
            acknowledger,
            subscription: Some(subscription),
            sequence: Sequence::new(),
            reading: None,
        }
    }

    /// The process.
    pub fn id(&self) -> &ProcessId {
        self.control.id()
    }

    /// The server's name for the process; see [`ProcessControl::uid`].
    pub fn uid(&self) -> Option<&Uid> {
        self.control.uid()
    }

    /// The pid of its leader; see [`ProcessControl::pid`].
    pub fn pid(&self) -> Option<u32> {
        self.control.pid()
    }

    /// When it was spawned; see [`ProcessControl::started_at_ms`].
    pub fn started_at_ms(&self) -> Option<u64> {
        self.control.started_at_ms()
    }

    /// What acts on the process, beside whoever takes its events.
    pub fn control(&self) -> ProcessControl {
        self.control.clone()
    }

    /// The next event. None after [`Event::Closed`] or [`Event::Disconnected`], and ever after.
    ///
    /// Events come in order and without a hole. What was missed while the connection was broken is
    /// read again; what the server has dropped by then is told as [`Event::Gap`].
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: nothing is lost or repeated.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            match self.sequence.step() {
                Step::Deliver(event) => {
                    if matches!(event, Event::Closed { .. } | Event::Disconnected) {
                        // Our place is free for another process of this id.
                        self.leave();
                    } else if let Some(acknowledger) = &mut self.acknowledger {
                        acknowledger.take(&event);
                    }
                    return Some(event);
                }
                Step::Ended => return None,
                Step::Wait => {
                    let arrival = arrival(&mut self.subscription).await;
                    self.handle(Input::Arrived(arrival));
                }
                Step::Read { after } => {
                    let input = self.read(after).await;
                    self.handle(input);
                }
            }
        }
    }

    /// The process runs, by what the server said.
    pub(crate) fn set_started(&mut self, started: StartResult) {
        self.control.set_started(started);
    }

    /// There is no process any more whose events could come.
    pub(crate) fn leave(&mut self) {
        self.subscription = None;
        if let Some(acknowledger) = self.acknowledger.take() {
            acknowledger.end();
        }
    }

    /// Awaits `call`, and takes in what arrives meanwhile, so that its answer can get through.
    pub(crate) async fn collect_during<T>(
        &mut self,
        call: impl Future<Output = Result<T, CallError>>,
    ) -> Result<T, CallError> {
        let mut call = std::pin::pin!(call);
        loop {
            let arrived = tokio::select! {
                biased;
                outcome = &mut call => return outcome,
                arrival = arrival(&mut self.subscription), if self.subscription.is_some() => arrival,
            };
            self.handle(Input::Arrived(arrived));
        }
    }

    /// Goes on with the read after `after`, or takes in what arrives meanwhile: the answer may be
    /// behind it.
    async fn read(&mut self, after: Seq) -> Input {
        let reading = self.reading.get_or_insert_with(|| {
            let client = self.client.clone();
            let params = ReadParams::after_seq(self.control.id().clone(), after);
            Box::pin(async move { client.call::<Read>(&params).await })
        });
        tokio::select! {
            biased;
            page = reading => Input::Read(page),
            arrival = arrival(&mut self.subscription) => Input::Arrived(arrival),
        }
    }

    fn handle(&mut self, input: Input) {
        match input {
            Input::Arrived(Some(arrival)) => {
                if let (Arrival::Resumed, Some(acknowledger)) = (&arrival, &mut self.acknowledger) {
                    acknowledger.resume();
                }
                self.sequence.tell(arrival);
            }
            Input::Arrived(None) => {
                self.subscription = None;
                self.sequence.end();
            }
            Input::Read(page) => {
                self.reading = None;
                match page {
                    Ok(page) => self.sequence.page(page),
                    Err(error) => {
                        tracing::warn!(%error, "the events of a process could not be read again");
                        self.sequence.end();
                    }
                }
            }
        }
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process")
            .field("id", self.id())
            .finish_non_exhaustive()
    }
}

/// The next arrival; None if nothing more will arrive. Cancel safe.
async fn arrival(subscription: &mut Option<Subscription>) -> Option<Arrival> {
    match subscription {
        Some(subscription) => subscription.next().await,
        None => None,
    }
}
