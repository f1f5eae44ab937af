//! Whose turn it is: file work on the same path is done in the order of its arrival.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use exec_protocol::HandleId;
use tokio_util::sync::CancellationToken;

/// What a piece of work does to a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Touch {
    /// It looks at it.
    Look(Place),
    /// It changes it.
    Change(Place),
}

/// What can be looked at or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// A path, and what lies below it.
    Path(PathBuf),
    /// An open file.
    Handle(HandleId),
}

/// The work that is to be done or under way.
///
/// Two pieces of it meet if both name a handle, or one names a path that the other one names, or one above it; and at
/// least one of them changes something there. Paths are compared as they are written: names that lead to one file by way of a symlink do not meet.
#[derive(Debug, Default)]
pub(super) struct Order {
    /// Held only for the length of a memory operation, never across an await.
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    /// In order of arrival.
    turns: BTreeMap<u64, Pending>,
}

#[derive(Debug)]
struct Pending {
    touches: Vec<Touch>,
    over: CancellationToken,
}

/// A place in the order. Dropping it makes way for those behind.
#[derive(Debug)]
pub(super) struct Turn {
    number: u64,
    order: Arc<Order>,
    /// Earlier work that meets this.
    earlier: Vec<CancellationToken>,
    over: CancellationToken,
}

impl Touch {
    /// It looks at a path.
    pub(crate) fn look(path: &Path) -> Self {
        Self::Look(Place::Path(path.to_owned()))
    }

    /// It changes a path.
    pub(crate) fn change(path: &Path) -> Self {
        Self::Change(Place::Path(path.to_owned()))
    }

    /// Whether it leaves everything as it is.
    pub(super) fn is_look(&self) -> bool {
        matches!(self, Self::Look(_))
    }

    fn place(&self) -> &Place {
        match self {
            Self::Look(place) | Self::Change(place) => place,
        }
    }

    fn meets(&self, other: &Self) -> bool {
        if self.is_look() && other.is_look() {
            return false;
        }
        match (self.place(), other.place()) {
            (Place::Path(one), Place::Path(other)) => {
                // Where a path goes up, only the file system knows where it leads.
                climbs(one) || climbs(other) || one.starts_with(other) || other.starts_with(one)
            }
            (Place::Handle(one), Place::Handle(other)) => one == other,
            (Place::Path(_), Place::Handle(_)) | (Place::Handle(_), Place::Path(_)) => false,
        }
    }
}

fn climbs(path: &Path) -> bool {
    path.components().any(|part| part == Component::ParentDir)
}

impl Order {
    /// Takes the last place.
    pub(super) fn enter(self: &Arc<Self>, touches: Vec<Touch>) -> Turn {
        let mut state = self.lock();
        let number = state.next;
        state.next += 1;
        let over = CancellationToken::new();
        let meets = |pending: &&Pending| {
            let mut pairs = pending
                .touches
                .iter()
                .flat_map(|theirs| touches.iter().map(move |ours| (theirs, ours)));
            pairs.any(|(theirs, ours)| theirs.meets(ours))
        };
        let earlier = state.turns.values().filter(meets);
        let earlier = earlier.map(|pending| pending.over.clone()).collect();
        let pending = Pending {
            touches,
            over: over.clone(),
        };
        state.turns.insert(number, pending);
        drop(state);
        Turn {
            number,
            order: Arc::clone(self),
            earlier,
            over,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of this lock can panic")
    }
}

impl Turn {
    /// Waits until all earlier work is over that meets this.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub(super) async fn comes(&self) {
        for earlier in &self.earlier {
            earlier.cancelled().await;
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.order.lock().turns.remove(&self.number);
        self.over.cancel();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;
    use proptest::prelude::*;

    fn look(path: &str) -> Touch {
        Touch::look(path.as_ref())
    }

    fn change(path: &str) -> Touch {
        Touch::change(path.as_ref())
    }

    fn is_its(turn: &Turn) -> bool {
        turn.comes().now_or_never().is_some()
    }

    #[test]
    fn a_look_waits_for_an_earlier_change_and_a_change_for_both() {
        let order = Arc::new(Order::default());
        let first = order.enter(vec![change("/a/b")]);
        let second = order.enter(vec![look("/a/b")]);
        let third = order.enter(vec![change("/a/b")]);
        assert_eq!([&first, &second, &third].map(is_its), [true, false, false]);
        drop(first);
        assert_eq!([&second, &third].map(is_its), [true, false]);
        drop(second);
        assert!(is_its(&third));
        drop(third);
        assert!(order.lock().turns.is_empty());
    }

    #[test]
    fn looks_and_strangers_do_not_wait() {
        let order = Arc::new(Order::default());
        let first = order.enter(vec![look("/a")]);
        let second = order.enter(vec![look("/a/b")]);
        let third = order.enter(vec![change("/ab"), change("/b/c")]);
        let fourth = order.enter(vec![look("/b/d")]);
        assert_eq!([&first, &second, &third, &fourth].map(is_its), [true; 4]);
        let fifth = order.enter(vec![look("/b/./c//d")]);
        let sixth = order.enter(vec![change("/x/../y")]);
        assert_eq!([&fifth, &sixth].map(is_its), [false; 2]);
    }

    #[test]
    fn a_handle_is_not_the_path_of_the_same_name() {
        let order = Arc::new(Order::default());
        let handle = |name: &str| Place::Handle(HandleId::new(name).unwrap());
        let first = order.enter(vec![Touch::Change(handle("/a")), look("/b")]);
        let second = order.enter(vec![change("/a")]);
        let third = order.enter(vec![Touch::Look(handle("/a"))]);
        let fourth = order.enter(vec![Touch::Change(handle("a"))]);
        assert_eq!(
            [&first, &second, &third, &fourth].map(is_its),
            [true, true, false, true]
        );
    }

    #[test]
    fn who_gives_up_makes_way() {
        let order = Arc::new(Order::default());
        let first = order.enter(vec![change("/a")]);
        let second = order.enter(vec![change("/a")]);
        let third = order.enter(vec![change("/a")]);
        drop(second);
        assert!(!is_its(&third));
        drop(first);
        assert!(is_its(&third));
    }

    proptest! {
        /// Whatever is over in whatever order: at no time is it the turn of two that meet.
        #[test]
        fn those_that_meet_are_never_at_work_together(
            work in prop::collection::vec((any::<bool>(), "(/[ab]){1,3}"), 1..12),
            over in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        ) {
            let order = Arc::new(Order::default());
            let mut turns: Vec<_> = work
                .iter()
                .map(|(changes, path)| if *changes { change(path) } else { look(path) })
                .map(|touch| (touch.clone(), order.enter(vec![touch])))
                .collect();
            for index in over {
                let its: Vec<_> = (0..turns.len()).filter(|at| is_its(&turns[*at].1)).collect();
                prop_assert!(its.is_empty() == turns.is_empty());
                for (one, other) in its.iter().flat_map(|one| its.iter().map(move |other| (one, other))) {
                    prop_assert!(one == other || !turns[*one].0.meets(&turns[*other].0));
                }
                if its.is_empty() {
                    break;
                }
                turns.remove(its[index.index(its.len())]);
            }
        }
    }
}
