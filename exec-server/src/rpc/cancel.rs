//! Requests that can be taken back.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use exec_protocol::envelope::RequestId;
use tokio_util::sync::CancellationToken;

/// The requests of one connection that wait and may be taken back.
#[derive(Debug, Clone, Default)]
pub(super) struct Cancellable {
    /// Held only for the length of a memory operation, never across an await.
    waiting: Arc<Mutex<HashMap<RequestId<'static>, Waiting>>>,
}

/// Those that wait under one id. A client that has several of the same can only take all of them back.
#[derive(Debug, Default)]
struct Waiting {
    token: CancellationToken,
    requests: usize,
}

/// A request that waits. Dropping it takes it out.
#[derive(Debug)]
pub(super) struct CancelGuard {
    id: RequestId<'static>,
    token: CancellationToken,
    among: Cancellable,
}

impl Cancellable {
    /// Takes a request in that waits from now on.
    pub(super) fn insert(&self, id: RequestId<'static>) -> CancelGuard {
        let mut all = self.lock();
        let waiting = all.entry(id.clone()).or_default();
        waiting.requests += 1;
        let token = waiting.token.clone();
        drop(all);
        CancelGuard {
            id,
            token,
            among: self.clone(),
        }
    }

    /// Takes a request back, if it still waits.
    pub(super) fn cancel(&self, id: &RequestId<'static>) {
        let token = self.lock().get(id).map(|waiting| waiting.token.clone());
        if let Some(token) = token {
            token.cancel();
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<RequestId<'static>, Waiting>> {
        self.waiting.lock().expect("no holder of this lock can panic")
    }
}

impl CancelGuard {
    /// Waits until the request is taken back.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub(super) async fn cancelled(&self) {
        self.token.cancelled().await;
    }
}

impl Drop for CancelGuard {
    fn drop(&mut self) {
        let mut all = self.among.lock();
        if let Some(waiting) = all.get_mut(&self.id) {
            waiting.requests -= 1;
            if waiting.requests == 0 {
                all.remove(&self.id);
            }
        }
    }
}
