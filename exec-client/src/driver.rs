//! The task behind a client: it carries messages over one connection after the other.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::acks::Acks;
use crate::error::Disconnected;
use crate::handshake::Connection;
use crate::inbound::sort;
use crate::order::{Order, cancellation};
use crate::pending::{Outgoing, Pending};
use crate::reconnect::{Reconnect, TAKEN_OVER_CLOSE_CODE};
use crate::routes::{Arrival, Routes};
use crate::transport::{MessageReceiver, MessageSender};

/// How long to wait for each further message once nothing can be sent any more.
///
/// What the server said before it hung up, its reason above all, is on its way or will never come.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// How long the server may go on talking after we said goodbye.
const GOODBYE_PATIENCE: Duration = Duration::from_secs(10);

/// What the handles of a client and its driver share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) pending: Pending,
    pub(crate) routes: Routes,
    pub(crate) acks: Acks,
    /// Asks the driver to end the connection.
    pub(crate) closing: CancellationToken,
}

/// Owns the connection.
#[derive(Debug)]
pub(crate) struct Driver {
    pub(crate) shared: Arc<Shared>,
    /// What to send, in order.
    pub(crate) outbox: mpsc::Receiver<Order>,
    /// None if a broken connection is the end.
    pub(crate) reconnect: Option<Reconnect>,
}

/// Why a connection is not carried on.
enum End {
    /// We were asked to close it.
    Closing,
    /// It broke, or the server ended it.
    Broken,
}

impl Driver {
    /// Carries messages until the client is closed, or the connection breaks for good.
    pub(crate) async fn run(mut self, connection: Connection) {
        let mut next = self.carry(connection, Vec::new()).await;
        while let Some((connection, repeated)) = next {
            self.shared.acks.resume();
            // Events that nobody will tell may have happened meanwhile.
            self.tell_resumed().await;
            next = self.carry(connection, repeated).await;
        }
        self.disconnect();
    }

    /// Carries messages over one connection, and returns the next one with the requests to repeat.
    async fn carry(&mut self, connection: Connection, repeated: Vec<u64>) -> Option<(Connection, Vec<u64>)> {
        let Connection {
            mut sender,
            mut receiver,
        } = connection;
        let shared = &self.shared;
        let mute = CancellationToken::new();
        let writing = async {
            write(&mut sender, repeated, &mut self.outbox, shared).await;
            mute.cancel();
            std::future::pending::<Infallible>().await
        };
        let end = tokio::select! {
            () = shared.closing.cancelled() => End::Closing,
            () = read(&mut receiver, &mute, shared) => End::Broken,
            never = writing => match never {},
        };
        match end {
            End::Closing => {
                self.disconnect();
                say_goodbye(sender, receiver).await;
                None
            }
            End::Broken if receiver.close_code() == Some(TAKEN_OVER_CLOSE_CODE) => {
                tracing::warn!("another connection took the session over");
                None
            }
            End::Broken => {
                // Both halves, so that the server sees the end of it.
                drop((sender, receiver));
                let repeated = shared.pending.cut();
                let resume = self.reconnect.as_ref()?.resume();
                let connection = shared.closing.run_until_cancelled(resume).await??;
                Some((connection, repeated))
            }
        }
    }

    async fn tell_resumed(&self) {
        for queue in self.shared.routes.queues() {
            deliver(&queue, Arrival::Resumed).await;
        }
    }

    /// Tells everyone who waits that nothing will come.
    fn disconnect(&mut self) {
        // First of all: a request that is entered later cannot be sent, and its caller notices.
        self.outbox.close();
        self.shared.pending.clear();
        self.shared.routes.clear();
    }
}

/// Reads until the connection ends, or nothing comes although we cannot send any more (`mute`).
/// Waits for consumers of events that lag, and for nothing else.
async fn read(receiver: &mut MessageReceiver, mute: &CancellationToken, shared: &Shared) {
    while let Some(message) = receive(receiver, mute).await {
        if let Some((queue, notice)) = sort(&message, shared) {
            deliver(&queue, Arrival::Notice(notice)).await;
        }
    }
}

async fn receive(receiver: &mut MessageReceiver, mute: &CancellationToken) -> Option<Bytes> {
    let too_late = async {
        mute.cancelled().await;
        sleep(LAST_WORDS).await;
    };
    tokio::select! {
        biased;
        message = receiver.receive() => message,
        () = too_late => None,
    }
}

async fn deliver(queue: &mpsc::Sender<Arrival>, arrival: Arrival) {
    // A consumer that went away wants no more.
    let _ = queue.send(arrival).await;
}

/// What is sent next.
enum Next {
    Ack(Bytes),
    /// None if there is nobody left who could give one.
    Order(Option<Order>),
}

/// Sends requests, the repeated ones first, and notifications, until it is no longer possible.
async fn write(
    sender: &mut MessageSender,
    repeated: Vec<u64>,
    outbox: &mut mpsc::Receiver<Order>,
    shared: &Shared,
) {
    let mut repeated = repeated.into_iter();
    loop {
        let order = async {
            match repeated.next() {
                Some(id) => Some(Order::Request(id)),
                None => outbox.recv().await,
            }
        };
        let next = tokio::select! {
            // An acknowledgement holds up no request: it is short, and much was taken before the next.
            // In this order one of an earlier process never comes behind the start of another that has
            // its id.
            biased;
            ack = shared.acks.next() => Next::Ack(ack),
            order = order => Next::Order(order),
        };
        let sent = match next {
            Next::Ack(ack) => sender.send(ack).await,
            Next::Order(None) => return,
            Next::Order(Some(Order::Request(id))) => send_request(sender, shared.pending.send(id)).await,
            Next::Order(Some(Order::Cancel(id))) => sender.send(cancellation(id)).await,
        };
        if sent.is_err() {
            return;
        }
    }
}

async fn send_request(sender: &mut MessageSender, outgoing: Option<Outgoing>) -> Result<(), Disconnected> {
    // Nobody may wait for its answer any more.
    let Some(Outgoing { request, notice }) = outgoing else {
        return Ok(());
    };
    sender.send(request).await?;
    match notice {
        Some(notice) => sender.send(notice).await,
        None => Ok(()),
    }
}

/// Ends the connection, and lets the server finish what it is saying: a server that cannot say it
/// does not leave.
async fn say_goodbye(sender: MessageSender, mut receiver: MessageReceiver) {
    let listen = async { while receiver.receive().await.is_some() {} };
    // Neither outcome matters: it is over either way.
    let _ = tokio::join!(sender.close(), timeout(GOODBYE_PATIENCE, listen));
}
