//! What came of the processes that are waited for.

use exec_protocol::ProcessId;
use exec_protocol::process::{Fired, Unmet, UnmetReason, UntilKind, WaitMode, WaitResult};

use crate::output::{Cursor, Outcome};

/// What came of each process, in its place.
#[derive(Debug)]
pub(super) struct Outcomes {
    mode: WaitMode,
    places: Vec<Option<Outcome>>,
    /// How many of them are filled.
    known: usize,
    has_fired: bool,
}

impl Outcomes {
    /// Of so many processes, of none of which anything is known.
    pub(super) fn new(mode: WaitMode, processes: usize) -> Self {
        Self {
            mode,
            places: (0..processes).map(|_| None).collect(),
            known: 0,
            has_fired: false,
        }
    }

    /// Takes note of what came of one. Each comes once.
    pub(super) fn put(&mut self, place: usize, outcome: Outcome) {
        self.has_fired |= matches!(outcome, Outcome::Fired { .. });
        self.known += 1;
        self.places[place] = Some(outcome);
    }

    /// Whether there is nothing left to wait for.
    pub(super) fn are_enough(&self) -> bool {
        self.known == self.places.len() || (self.mode == WaitMode::Any && self.has_fired)
    }

    /// The answer.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: only the answer is lost.
    pub(super) async fn into_result(
        self,
        ids: Vec<ProcessId>,
        kind: UntilKind,
        text_bytes: usize,
        timed_out: bool,
    ) -> WaitResult {
        let mut result = WaitResult {
            fired: Vec::new(),
            unmet: Vec::new(),
            timed_out,
        };
        for (id, outcome) in ids.into_iter().zip(self.places) {
            let mut unmet = |process_id, reason| result.unmet.push(Unmet { process_id, reason });
            match outcome {
                Some(Outcome::Fired {
                    at: Cursor { seq, offset },
                    found,
                }) => {
                    let text = match found {
                        Some(found) => Some(found.text(text_bytes).await),
                        None => None,
                    };
                    result.fired.push(Fired {
                        process_id: id,
                        kind,
                        seq,
                        offset,
                        text,
                    });
                }
                Some(Outcome::Closed) => unmet(id, UnmetReason::Closed),
                Some(Outcome::Evicted) => unmet(id, UnmetReason::Evicted),
                None => {}
            }
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Came {
        Fired,
        Closed,
        Evicted,
    }

    fn outcome(came: Came) -> Outcome {
        match came {
            Came::Fired => Outcome::Fired {
                at: Cursor::default(),
                found: None,
            },
            Came::Closed => Outcome::Closed,
            Came::Evicted => Outcome::Evicted,
        }
    }

    fn came() -> impl Strategy<Value = Vec<Came>> {
        let one = prop_oneof![Just(Came::Fired), Just(Came::Closed), Just(Came::Evicted)];
        prop::collection::vec(one, 0..8)
    }

    /// What the contract says, word by word.
    fn is_enough(mode: WaitMode, all: usize, so_far: &[Came]) -> bool {
        match mode {
            WaitMode::Any => so_far.contains(&Came::Fired) || so_far.len() == all,
            WaitMode::All => so_far.len() == all,
        }
    }

    proptest! {
        #[test]
        fn it_is_enough_when_one_has_fired_or_each_is_known(came in came(), is_all in any::<bool>()) {
            let mode = if is_all { WaitMode::All } else { WaitMode::Any };
            let mut outcomes = Outcomes::new(mode, came.len());
            for (place, one) in came.iter().enumerate() {
                prop_assert_eq!(outcomes.are_enough(), is_enough(mode, came.len(), &came[..place]));
                // From the last to the first: the answer is in the order of the places all the same.
                outcomes.put(came.len() - 1 - place, outcome(*one));
            }
            prop_assert!(outcomes.are_enough());
            let ids: Vec<_> = (0..came.len()).map(|place| ProcessId::new(&place.to_string()).unwrap()).collect();
            let answering = outcomes.into_result(ids.clone(), UntilKind::Exited, 0, false);
            let result = answering.now_or_never().unwrap();
            let of = |wanted: &[Came]| -> Vec<_> {
                let places = came.iter().rev().zip(&ids);
                places.filter(|(came, _)| wanted.contains(came)).map(|(_, id)| id.clone()).collect()
            };
            let fired: Vec<_> = result.fired.into_iter().map(|fired| fired.process_id).collect();
            let unmet: Vec<_> = result.unmet.into_iter().map(|unmet| unmet.process_id).collect();
            prop_assert_eq!((fired, unmet), (of(&[Came::Fired]), of(&[Came::Closed, Came::Evicted])));
        }
    }
}
