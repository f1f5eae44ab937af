//! How long output is kept, and the memory that is set aside for it.

use super::{OutputLog, Reservation, State, wait_until};

impl OutputLog {
    /// Sets a part of the server's memory aside for this.
    pub(crate) fn set_reservation(&self, reservation: Reservation) {
        self.lock().reservation = Some(reservation);
    }

    /// Drops everything, to make room for others. There is no such process any more.
    pub(crate) fn discard(&self) {
        let mut state = self.lock();
        state.is_discarded = true;
        state.ring.clear();
        let reservation = state.reservation.take();
        let (readers, owner) = (state.readers.take(), state.owner.take());
        drop(state);
        drop(reservation);
        readers.wake();
        owner.wake();
    }

    /// Whether this may be dropped to make room for others: nobody is still to be told of its end.
    pub(crate) fn is_expendable(&self) -> bool {
        let state = self.lock();
        state.close_was_told || state.subscriber.is_none()
    }

    /// The part of the server's memory that is set aside for this, in bytes.
    pub(crate) fn reserved(&self) -> usize {
        self.lock().reservation.as_ref().map_or(0, Reservation::bytes)
    }

    /// Waits until the time that an ended process is kept for runs, or stops to: it runs once a client was told of the
    /// close, while one is attached.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub(crate) async fn retention_runs(&self, runs: bool) {
        let is_so = |state: &mut State| {
            let is_running = state.close_was_told && state.subscriber.is_some();
            (is_running == runs).then_some(())
        };
        wait_until(&self.state, State::owner_list, is_so).await;
    }

    /// Waits until everything was dropped to make room for others.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub(crate) async fn discarded(&self) {
        let is_so = |state: &mut State| state.is_discarded.then_some(());
        wait_until(&self.state, State::owner_list, is_so).await;
    }
}
