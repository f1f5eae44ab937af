//! The one task that writes to a connection.

use std::sync::Arc;

use super::batch::Batch;
use super::outbox::{Due, Outbox};
use crate::transport::MessageSink;

/// Writes what is in `outbox` until the connection is to be closed or cannot be written to.
pub(super) async fn run(outbox: Arc<Outbox>, mut sink: Box<dyn MessageSink>) {
    let mut batch = Batch::default();
    loop {
        match outbox.fill(&mut batch) {
            Due::Write => {
                if let Err(error) = sink.send(&batch).await {
                    tracing::debug!(%error, "the connection cannot be written to");
                    break;
                }
            }
            Due::Close(reason) => {
                sink.close(reason).await;
                break;
            }
            Due::Nothing => outbox.due().await,
        }
    }
    outbox.break_off();
}
