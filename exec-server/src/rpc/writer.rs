//! The one task that writes to a connection.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use super::batch::Batch;
use super::outbox::{Due, Outbox};
use crate::transport::MessageSink;

/// Writes what is in `outbox` until the connection is to be closed or cannot be written to.
pub(super) async fn run(outbox: Arc<Outbox>, mut sink: Box<dyn MessageSink>) {
    let mut batch = Batch::default();
    loop {
        match outbox.fill(&mut batch) {
            Due::Write => {
                if let Err(error) = sink.send(&mut batch).await {
                    tracing::debug!(%error, "the connection cannot be written to");
                    break;
                }
            }
            Due::Close(reason) => {
                sink.close(reason).await;
                break;
            }
            Due::Nothing => {
                outbox.due().await;
                behind_the_others().await;
            }
        }
    }
    outbox.break_off();
}

/// Lets those run that were woken already: what they have to say goes out in the same write, and a keystroke
/// reaches its process before its answer takes its time.
async fn behind_the_others() {
    let mut has_yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut has_yielded, true) {
            return Poll::Ready(());
        }
        // To the end of the queue, and no further: tokio's own yield asks the system for events first.
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
