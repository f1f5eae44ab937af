//! A process of a client.

use serde_json::Value;

use super::ledger::Ledger;
use super::plan::{Plan, Stdin};
use super::typing::{By, Typing};

/// A process of a client, and what the client has done to it.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Child {
    pub(super) plan: Plan,
    pub(super) ledger: Ledger,
    pub(super) typing: Typing,
    /// The server's name for it, once its start was answered.
    pub(super) uid: Option<String>,
    /// Whether it may end in another way than by itself.
    pub(super) is_disturbed: bool,
    /// Whether it was asked to end.
    pub(super) is_terminated: bool,
    /// Whether it does not run until it is told to.
    pub(super) is_stopped: bool,
    /// Whether the server was asked to forget it, and has.
    pub(super) is_forgotten: bool,
    /// Whether it may be gone, with what it has said.
    pub(super) is_given_up: bool,
    /// Whether a read of the client's is under way that follows what it knows.
    pub(super) is_read: bool,
    /// Whether there may be something that nobody will tell.
    pub(super) is_behind: bool,
    /// The last number that was acknowledged, by a client that does so.
    pub(super) acknowledged: Option<u64>,
}

impl Child {
    pub(super) fn new(plan: Plan, ledger: Ledger, typing: Typing) -> Self {
        Self {
            is_disturbed: plan.has_limits,
            plan,
            ledger,
            typing,
            uid: None,
            is_terminated: false,
            is_stopped: false,
            is_forgotten: false,
            is_given_up: false,
            is_read: false,
            is_behind: false,
            acknowledged: None,
        }
    }

    /// Whether nothing more is to be expected of it.
    pub(super) fn is_over(&self) -> bool {
        self.is_given_up || (self.uid.is_some() && self.ledger.is_complete())
    }

    /// Whether it can be typed into.
    pub(super) fn takes_input(&self) -> bool {
        let is_ready = match self.plan.stdin {
            Stdin::None => false,
            Stdin::Echoed => self.ledger.offset() >= self.plan.speech.head.len() as u64,
            Stdin::Unread => true,
        };
        is_ready && self.uid.is_some() && !self.is_terminated && !self.is_over()
    }

    /// Takes in the answer to a write.
    pub(super) fn written(&mut self, number: u64, result: &Value) {
        let accepted = result["acceptedBytes"].as_u64();
        match result["status"].as_str() {
            Some("accepted") => self
                .typing
                .take(number, accepted.expect("it says how much"), true),
            Some("full") => {
                assert_eq!(self.typing.by(), By::Offset, "full without an offset");
                self.typing
                    .take(number, accepted.expect("it says how much"), false);
            }
            Some("stdinClosed") => {
                assert!(self.is_disturbed, "its stdin is closed");
                self.typing.give_up();
            }
            Some("unknownProcess") => {
                assert!(self.is_forgotten || self.is_given_up, "it is unknown");
                self.typing.give_up();
            }
            other => panic!("{other:?} is no status of a write"),
        }
    }

    /// Checks it, once it is over.
    pub(super) fn check(&self) {
        if self.is_given_up {
            return;
        }
        self.ledger.check_complete(self.is_disturbed);
        if self.plan.stdin == Stdin::Echoed && !self.is_disturbed {
            let typed = self.typing.whole().expect("it has ended without an end of file");
            let echo = self.ledger.offset() - self.plan.speech.head.len() as u64;
            assert_eq!(echo, typed, "what was typed has not come back");
        }
    }
}
