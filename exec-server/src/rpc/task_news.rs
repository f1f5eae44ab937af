//! What a connection is told of tasks.

use std::sync::Arc;

use exec_protocol::task::{Settled, Updated};
use exec_protocol::{Notice, envelope};
use exec_tasks::{Subscription, Told};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::outbox::Outbox;
use crate::limits::WRITE_BATCH_BYTES;
use crate::server::Server;

/// What a connection is told of tasks: what it has asked for last.
#[derive(Debug)]
pub(super) struct TaskNews {
    outbox: Arc<Outbox>,
    /// What tells it now.
    current: Mutex<Option<Telling>>,
}

/// Somebody who tells of tasks.
#[derive(Debug)]
struct Telling {
    ends: CancellationToken,
    task: JoinHandle<()>,
}

impl TaskNews {
    pub(super) fn new(outbox: &Arc<Outbox>) -> Self {
        Self {
            outbox: Arc::clone(outbox),
            current: Mutex::default(),
        }
    }

    /// Tells of `subscription` from now on, and of nothing else, until the connection ends.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: nothing may be told then.
    pub(super) async fn tell(&self, server: &Server, subscription: Subscription) {
        let mut current = self.current.lock().await;
        if let Some(Telling { ends, task }) = current.take() {
            ends.cancel();
            // So that nothing of it comes behind the answer. It cannot fail: it is only told to end.
            let _ = task.await;
        }
        let ends = CancellationToken::new();
        let (outbox, stopping, ended) = (Arc::clone(&self.outbox), server.stopped().clone(), ends.clone());
        let task = server.tasks().spawn(async move {
            tokio::select! {
                () = ended.cancelled() => {}
                () = stopping.cancelled() => {}
                () = outbox.ends() => {}
                () = write(&outbox, subscription) => {}
            }
        });
        *current = Some(Telling { ends, task });
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
