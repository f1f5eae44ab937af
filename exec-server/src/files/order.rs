//! Whose turn it is: file work on the same path is done in the order of its arrival.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use exec_protocol::HandleId;
use tokio_util::sync::CancellationToken;

/// How many of those that have to be waited for are asked whether they wait for others.
const NEAREST: usize = 8;

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
    /// A path, and what lies below it; without anything in it that means nothing.
    Path(OsString),
    /// Some path that only the file system knows.
    SomePath,
    /// An open file.
    Handle(HandleId),
}

/// The work that is to be done or under way.
///
/// Two pieces of it meet if both name a handle, or one names a path that the other one names, or one above it; and at
/// least one of them changes something there. Paths are compared as they are written: names that lead to one file by way
/// of a symlink do not meet.
#[derive(Debug, Default)]
pub(super) struct Order {
    /// Held only for the length of a memory operation, never across an await.
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    /// In order of arrival.
    turns: BTreeMap<u64, Arc<Link>>,
}

/// A piece of work, for those that come behind it.
#[derive(Debug)]
struct Link {
    touches: Vec<Touch>,
    over: CancellationToken,
    /// What it has to wait for itself. If it is given up before it has, those behind it wait in its stead.
    ///
    /// Held only for the length of a memory operation, never across an await.
    earlier: Mutex<Vec<Arc<Link>>>,
}

/// A place in the order. Dropping it makes way for those behind.
#[derive(Debug)]
pub(super) struct Turn {
    number: u64,
    order: Arc<Order>,
    link: Arc<Link>,
}

impl Place {
    fn path(path: &Path) -> Self {
        // It goes up, maybe from where a symlink leads.
        if path.components().any(|part| part == Component::ParentDir) {
            return Self::SomePath;
        }
        Self::Path(path.components().collect::<PathBuf>().into_os_string())
    }

    /// Whether it is this one, above it or below it.
    fn is_on_the_way_of(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Path(one), Self::Path(other)) => is_above(one, other) || is_above(other, one),
            (Self::Handle(one), Self::Handle(other)) => one == other,
            (Self::Handle(_), _) | (_, Self::Handle(_)) => false,
            (Self::SomePath, _) | (_, Self::SomePath) => true,
        }
    }
}

/// Whether a path is the other one or one above it.
fn is_above(one: &OsString, other: &OsString) -> bool {
    let rest = other.as_encoded_bytes().strip_prefix(one.as_encoded_bytes());
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/") || one == "/")
}

impl Touch {
    /// It looks at a path.
    pub(crate) fn look(path: &Path) -> Self {
        Self::Look(Place::path(path))
    }

    /// It changes a path.
    pub(crate) fn change(path: &Path) -> Self {
        Self::Change(Place::path(path))
    }

    /// It changes a path, and may make those above it, as many as are missing: nobody knows what that is until it is done.
    pub(crate) fn make_with_parents() -> Self {
        Self::Change(Place::SomePath)
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
        !(self.is_look() && other.is_look()) && self.place().is_on_the_way_of(other.place())
    }
}

impl Order {
    /// Takes the last place.
    pub(super) fn enter(self: &Arc<Self>, touches: Vec<Touch>) -> Turn {
        let mut state = self.lock();
        let number = state.next;
        state.next += 1;
        let mut earlier: Vec<Arc<Link>> = Vec::new();
        for other in state.turns.values().rev() {
            // Who waits for it already is waited for. The nearest tell; to ask all of them would take too long.
            let mut nearest = earlier.iter().take(NEAREST);
            let mut is_implied = || nearest.any(|nearer| nearer.meets(&other.touches));
            if other.meets(&touches) && !is_implied() {
                earlier.push(Arc::clone(other));
            }
        }
        let link = Arc::new(Link {
            touches,
            over: CancellationToken::new(),
            earlier: Mutex::new(earlier),
        });
        state.turns.insert(number, Arc::clone(&link));
        drop(state);
        Turn {
            number,
            order: Arc::clone(self),
            link,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of this lock can panic")
    }
}

impl Link {
    fn meets(&self, touches: &[Touch]) -> bool {
        let mut pairs = self
            .touches
            .iter()
            .flat_map(|ours| touches.iter().map(move |theirs| (ours, theirs)));
        pairs.any(|(ours, theirs)| ours.meets(theirs))
    }

    fn earlier(&self) -> MutexGuard<'_, Vec<Arc<Self>>> {
        self.earlier.lock().expect("no holder of this lock can panic")
    }
}

impl Turn {
    /// Waits until all earlier work is over that meets this.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub(super) async fn comes(&self) {
        loop {
            let Some(earlier) = self.link.earlier().last().cloned() else {
                return;
            };
            earlier.over.cancelled().await;
            let inherited = earlier.earlier().clone();
            let mut ours = self.link.earlier();
            ours.pop();
            for link in inherited {
                if !ours.iter().any(|known| Arc::ptr_eq(known, &link)) {
                    ours.push(link);
                }
            }
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.order.lock().turns.remove(&self.number);
        self.link.over.cancel();
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
        /// Whatever is over or given up in whatever order: at no time is it the turn of two that meet, and it is always
        /// somebody's.
        #[test]
        fn those_that_meet_are_never_at_work_together(
            work in prop::collection::vec((any::<bool>(), "(/[ab]){1,3}"), 1..12),
            over in prop::collection::vec((any::<bool>(), any::<prop::sample::Index>()), 0..12),
        ) {
            let order = Arc::new(Order::default());
            let mut turns: Vec<_> = work
                .iter()
                .map(|(changes, path)| if *changes { change(path) } else { look(path) })
                .map(|touch| (touch.clone(), order.enter(vec![touch])))
                .collect();
            for (gives_up, index) in over {
                let its: Vec<_> = (0..turns.len()).filter(|at| is_its(&turns[*at].1)).collect();
                prop_assert!(its.is_empty() == turns.is_empty());
                for (one, other) in its.iter().flat_map(|one| its.iter().map(move |other| (one, other))) {
                    prop_assert!(one == other || !turns[*one].0.meets(&turns[*other].0));
                }
                if turns.is_empty() {
                    break;
                }
                turns.remove(if gives_up { index.index(turns.len()) } else { its[index.index(its.len())] });
            }
        }
    }
}
