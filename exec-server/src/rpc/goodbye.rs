//! The last words of a connection.

use std::time::Duration;

use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout_at};
use tokio_util::task::AbortOnDropHandle;

use super::outbox::Outbox;
use crate::limits::GOODBYE;

/// Waits until the writer is done, as long as it gets on.
pub(super) async fn say_goodbye(
    writer: &mut AbortOnDropHandle<()>,
    outbox: &Outbox,
    at_most: Duration,
) -> Result<(), Elapsed> {
    let give_up = Instant::now() + at_most;
    loop {
        let before = outbox.batches();
        match timeout_at(give_up.min(Instant::now() + GOODBYE), &mut *writer).await {
            // A writer that panicked is reported by its task.
            Ok(_) => return Ok(()),
            Err(elapsed) if outbox.batches() == before || Instant::now() >= give_up => return Err(elapsed),
            Err(_) => {}
        }
    }
}
