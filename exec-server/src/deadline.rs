//! Waiting for a moment that may never come.

use tokio::time::{Instant, sleep_until};

/// Waits until then; for ever if there is no then.
///
/// # Cancel safety
///
/// Cancel safe.
pub(crate) async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}
