//! The one task that writes to a connection.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::Poll;

use super::batch::{Batch, Pace};
use super::outbox::{Due, Outbox};
use crate::transport::MessageSink;

/// Writes what is in `outbox` until the connection is to be closed or cannot be written to.
pub(super) async fn run(outbox: Arc<Outbox>, mut sink: Box<dyn MessageSink>) {
    let mut batch = Batch::default();
    let mut pace = Pace::Free;
    loop {
        match outbox.fill(&mut batch, pace) {
            Due::Write => match send(sink.as_mut(), &mut batch).await {
                Ok(seen) => pace = seen,
                Err(error) => {
                    tracing::debug!(%error, "the connection cannot be written to");
                    break;
                }
            },
            Due::Close(reason) => {
                sink.close(reason).await;
                break;
            }
            Due::Nothing => {
                let broken = tokio::select! {
                    biased;
                    () = outbox.due() => None,
                    error = sink.idle() => Some(error),
                };
                if let Some(error) = broken {
                    tracing::debug!(%error, "the connection cannot be written to");
                    break;
                }
                behind_the_others().await;
            }
        }
    }
    outbox.break_off();
}

/// Writes the batch, and says whether the wire took it at once.
async fn send(sink: &mut dyn MessageSink, batch: &mut Batch) -> io::Result<Pace> {
    let mut sending = sink.send(batch);
    match poll_fn(|cx| Poll::Ready(sending.as_mut().poll(cx))).await {
        Poll::Ready(sent) => sent.map(|()| Pace::Free),
        Poll::Pending => sending.await.map(|()| Pace::Held),
    }
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
