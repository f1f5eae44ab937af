//! What a connection is told of tasks.

use std::sync::{Arc, Mutex};

use exec_protocol::task::{Settled, Updated};
use exec_protocol::{Notice, envelope};
use exec_tasks::{Subscription, Told};
use tokio_util::sync::CancellationToken;

use super::outbox::Outbox;
use crate::limits::WRITE_BATCH_BYTES;
use crate::server::Server;

/// What a connection is told of tasks: what it has asked for last.
#[derive(Debug)]
pub(super) struct TaskNews {
    outbox: Arc<Outbox>,
    /// Ends what tells it now. Held only to put another one in.
    current: Mutex<CancellationToken>,
}

impl TaskNews {
    pub(super) fn new(outbox: &Arc<Outbox>) -> Self {
        Self {
            outbox: Arc::clone(outbox),
            current: Mutex::default(),
        }
    }

    /// Tells of `subscription` from now on, and of nothing else, until the connection ends.
    pub(super) fn tell(&self, server: &Server, subscription: Subscription) {
        let current = CancellationToken::new();
        let earlier = {
            let mut place = self.current.lock().expect("no holder of this lock can panic");
            std::mem::replace(&mut *place, current.clone())
        };
        earlier.cancel();
        let (outbox, stopping) = (Arc::clone(&self.outbox), server.stopped().clone());
        server.tasks().spawn(async move {
            tokio::select! {
                () = current.cancelled() => {}
                () = stopping.cancelled() => {}
                () = outbox.ends() => {}
                () = write(&outbox, subscription) => {}
            }
        });
    }
}

/// Writes what there is to tell, a little at a time: what a slow client has not taken costs a position.
async fn write(outbox: &Outbox, mut subscription: Subscription) {
    while let Ok(told) = subscription.next().await {
        for told in told {
            let mut message = Vec::new();
            let style = outbox.style();
            match told {
                Told::Updated(params) => envelope::write_notice(&mut message, style, Updated::NAME, &params),
                Told::Settled(params) => {
                    envelope::write_notice(&mut message, style, Settled::NAME, &*params);
                }
            }
            outbox.push_answer(message);
        }
        loop {
            let load = outbox.load();
            if load.bytes <= WRITE_BATCH_BYTES {
                break;
            }
            outbox.relieved(load).await;
        }
    }
}
