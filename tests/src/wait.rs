//! Bounded waits, for things that can be looked at again and again.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

/// Longest time any single expectation may take.
///
/// A liveness bound, not a pause: a passing test never waits for it, however slow the machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// What a person would call at once, and what no wait of the server (2 s and more) fits into.
const PROMPT: Duration = Duration::from_secs(1);

/// Between two looks. Only so short that a test is not slowed by it.
const BETWEEN_LOOKS: Duration = Duration::from_millis(5);

/// Awaits `future`, which is described by `what`.
///
/// # Panics
///
/// If that takes longer than [`PATIENCE`].
///
/// # Cancel safety
///
/// As that of `future`.
pub async fn within_patience<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future)
        .await
        .unwrap_or_else(|_| panic!("waited {PATIENCE:?} in vain for {what}"))
}

/// Awaits what must be so at once, in human terms.
///
/// # Panics
///
/// If it takes longer than a second.
///
/// # Cancel safety
///
/// As that of `future`.
pub async fn promptly<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(PROMPT, future)
        .await
        .unwrap_or_else(|_| panic!("{what} took longer than {PROMPT:?}"))
}

/// Looks until `is_so`.
///
/// # Panics
///
/// If that takes longer than [`PATIENCE`].
///
/// # Cancel safety
///
/// Cancel safe.
pub async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(
            Instant::now() < deadline,
            "waited {PATIENCE:?} in vain until {what}"
        );
        sleep(BETWEEN_LOOKS).await;
    }
}
