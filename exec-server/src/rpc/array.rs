//! The answer to a batch.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use exec_protocol::envelope::{MAX_BATCH_ELEMENTS, RequestId, Style};
use exec_protocol::{ErrorKind, RpcError};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, join_all};

use super::dispatch::{Answer, error};
use crate::limits::{MAX_BATCHED_BYTES, MAX_MESSAGE_BYTES};
use crate::stats::Stats;

/// Room in the answer to a batch for its brackets and for every element's refusal, in bytes: the id,
/// which has at most 1,024, and a few words.
const BATCH_REFUSALS_BYTES: usize = MAX_BATCH_ELEMENTS * 1280;

/// What one connection's batches hold of answers until their last elements are done, in bytes.
#[derive(Debug, Clone, Default)]
pub(super) struct Batched(Arc<AtomicUsize>);

/// The answer to a batch in the making: one array, when the last element is done.
///
/// An element whose answer would make the array longer than a message, or all batches hold too much, is answered
/// `messageTooLarge` instead, and those that come after it are refused with the same: what is held
/// is never more than a message, nor more than [`MAX_BATCHED_BYTES`] together.
pub(super) struct BatchAnswer {
    stats: Arc<Stats>,
    style: Style,
    room: Arc<Room>,
    elements: Vec<BoxFuture<'static, Vec<u8>>>,
}

/// Room for the answers to one batch, refusals not counted. Dropping it gives back what was taken.
#[derive(Debug)]
struct Room {
    taken: AtomicUsize,
    is_full: AtomicBool,
    among: Batched,
}

impl BatchAnswer {
    pub(super) fn new(stats: &Arc<Stats>, style: Style, among: &Batched) -> Self {
        Self {
            stats: Arc::clone(stats),
            style,
            room: Arc::new(Room::new(among)),
            elements: Vec::new(),
        }
    }

    /// How many elements want an answer.
    pub(super) fn len(&self) -> usize {
        self.elements.len()
    }

    /// Whether no further answer has room, so that none need be made.
    pub(super) fn is_full(&self) -> bool {
        self.room.is_full.load(Ordering::Relaxed)
    }

    /// Refuses the next element because there is no room for its answer.
    pub(super) fn refuse(&mut self, id: RequestId<'static>) {
        let answer = Answer::Now(no_room(&self.stats, self.style, Some(&id)));
        self.push(Some(id), answer);
    }

    /// Adds the answer to the next element.
    pub(super) fn push(&mut self, id: Option<RequestId<'static>>, answer: Answer) {
        let (style, room, stats) = (self.style, Arc::clone(&self.room), Arc::clone(&self.stats));
        self.elements.push(match answer {
            Answer::Now(answer) => Box::pin(std::future::ready(within(
                &stats,
                &room,
                style,
                id.as_ref(),
                answer,
            ))),
            Answer::Later(answer) => {
                Box::pin(async move { within(&stats, &room, style, id.as_ref(), answer.await) })
            }
        });
    }

    /// The answer to the whole. None if nothing in it wants one.
    pub(super) fn finish(self) -> Option<Answer> {
        let Self { elements, room, .. } = self;
        if elements.is_empty() {
            return None;
        }
        let mut array = Box::pin(async move {
            let mut out = vec![b'['];
            for answer in join_all(elements).await {
                if out.len() > 1 {
                    out.push(b',');
                }
                out.extend_from_slice(&answer);
            }
            out.push(b']');
            drop(room);
            out
        });
        Some(match array.as_mut().now_or_never() {
            Some(array) => Answer::Now(array),
            None => Answer::Later(array),
        })
    }
}

impl Room {
    fn new(among: &Batched) -> Self {
        Self {
            taken: AtomicUsize::new(0),
            is_full: AtomicBool::new(false),
            among: among.clone(),
        }
    }

    /// Takes so many bytes, if there are as many left here and in all. From the first time on that there are not, there is no
    /// room for anything.
    fn take(&self, bytes: usize) -> bool {
        let within = |most: usize| {
            move |taken: usize| {
                let taken = taken.checked_add(bytes)?;
                (taken <= most).then_some(taken)
            }
        };
        let (order, all) = (Ordering::Relaxed, &self.among.0);
        let here = within(MAX_MESSAGE_BYTES - BATCH_REFUSALS_BYTES);
        if !self.is_full.load(order) && self.taken.fetch_update(order, order, here).is_ok() {
            if all.fetch_update(order, order, within(MAX_BATCHED_BYTES)).is_ok() {
                return true;
            }
            self.taken.fetch_sub(bytes, order);
        }
        self.is_full.store(true, order);
        false
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.among.0.fetch_sub(*self.taken.get_mut(), Ordering::Relaxed);
    }
}

/// The answer, if there is room for it, which it takes; else one that says that there is none.
fn within(stats: &Stats, room: &Room, style: Style, id: Option<&RequestId<'_>>, answer: Vec<u8>) -> Vec<u8> {
    // One more for the comma.
    if room.take(answer.len() + 1) {
        return answer;
    }
    no_room(stats, style, id)
}

fn no_room(stats: &Stats, style: Style, id: Option<&RequestId<'_>>) -> Vec<u8> {
    let message = "the answers to the batch are too long together";
    error(
        stats,
        style,
        id,
        &RpcError::new(ErrorKind::MessageTooLarge, message),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_batch_holds_is_missing_to_the_others_until_it_is_done() {
        const LONG: usize = MAX_MESSAGE_BYTES - BATCH_REFUSALS_BYTES;
        let batched = Batched::default();
        let (one, two, three) = (Room::new(&batched), Room::new(&batched), Room::new(&batched));
        assert!(one.take(LONG) && two.take(LONG));
        assert!(!one.take(1), "a batch has no more than a message");
        assert!(!three.take(LONG), "all together have their bound");
        assert!(!three.take(1), "what comes behind a refusal is refused");
        drop((one, three));
        let fourth = Room::new(&batched);
        assert!(fourth.take(LONG));
        drop((two, fourth));
        assert_eq!(batched.0.load(Ordering::Relaxed), 0);
    }
}
