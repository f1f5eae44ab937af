//! What a client makes of what it is told.

use exec_protocol::process::ReadResult;
use serde_json::{Value, json};

use super::asked::{Answer, Asked, answer};
use super::child::Child;
use super::client::{Client, Level};
use super::log::shown;
use super::told::parse;

impl Client {
    /// Takes in a message.
    pub(super) fn take(&mut self, message: &Value) {
        if let Some(answers) = message.as_array() {
            assert!(!answers.is_empty(), "an empty batch");
            for answer in answers {
                self.take(answer);
            }
        } else if let Some(method) = message["method"].as_str() {
            self.notified(method, &message["params"]);
        } else if message["id"].is_null() {
            self.nobodys_errors = self
                .nobodys_errors
                .checked_sub(1)
                .expect("no bad message was sent");
            let error = answer(message).expect_err("nobody asked");
            assert!(
                ["parseError", "invalidRequest"].contains(&&error.data.kind[..]),
                "{error:?}"
            );
        } else {
            let id = message["id"].as_u64().expect("it is one of ours");
            let asked = self.asked.remove(&id);
            let asked = asked.unwrap_or_else(|| panic!("nobody asked {id}: {}", shown(message)));
            self.answered_by(id, &asked, answer(message));
        }
    }

    fn notified(&mut self, method: &str, params: &Value) {
        let name = params["processId"].as_str().expect("it is about a process");
        let level = self.level;
        if method != "process/output" {
            self.log.add(format_args!("← {method} {params}"));
        }
        let child = self.child(name);
        match level {
            Level::All => child.ledger.tell(method, params),
            Level::Lifecycle => child.ledger.tell_silent(method, params),
            Level::None => panic!("{method} was not asked for"),
        }
    }

    fn answered_by(&mut self, id: u64, asked: &Asked, answer: Answer) {
        let is_cancelled = self.cancelled.remove(&id);
        if let Asked::Read { name, .. } = asked {
            self.child(name).is_read = false;
        }
        let result = match answer {
            Ok(result) => result,
            Err(error) => {
                self.log
                    .add(format_args!("← {id} {asked:?}: {}", error.data.kind));
                let is_allowed = self.may_refuse(asked, &error.data.kind, is_cancelled);
                assert!(is_allowed, "{asked:?} is refused: {error:?}");
                if let Asked::Write { name, number } = asked {
                    self.child(name).typing.take(*number, 0, false);
                }
                return;
            }
        };
        match asked {
            Asked::Start { name } => {
                assert_eq!(result["processId"], name[..]);
                let uid: String = parse(&result["uid"]);
                let child = self.child(name);
                let known = child.uid.get_or_insert_with(|| uid.clone());
                assert_eq!(*known, uid, "{name} was started twice");
            }
            Asked::Read {
                name,
                after,
                max_bytes,
            } => {
                let result: ReadResult = parse(&result);
                let (after, is_all) = (*after, *max_bytes > 0);
                let is_news = !result.chunks.is_empty() || result.gap.is_some();
                self.log.add(format_args!(
                    "← read of {name} after {after}: {} chunks, gap {:?}, next {:?}, closed {}",
                    result.chunks.len(),
                    result.gap,
                    result.next_seq,
                    result.closed
                ));
                let child = self.child(name);
                child.ledger.read(after, is_all, &result);
                if is_all && !is_news {
                    child.is_behind = false;
                }
            }
            Asked::ReadFrom {
                name,
                offset,
                max_bytes,
            } => {
                let (offset, max_bytes) = (*offset, *max_bytes);
                self.child(name)
                    .ledger
                    .read_from(offset, max_bytes, &parse(&result));
            }
            Asked::Write { name, number } => self.child(name).written(*number, &result),
            Asked::Wait { name, kind } => {
                for fired in result["fired"].as_array().expect("a list") {
                    assert_eq!(
                        (&fired["processId"], &fired["kind"]),
                        (&json!(name), &json!(kind))
                    );
                    let seq = parse(&fired["seq"]);
                    self.child(name).ledger.fired(kind, seq);
                }
            }
            Asked::About {
                name,
                method: "process/forget",
            } if result["forgotten"] == true => {
                let child = self.child(name);
                child.is_given_up |= !child.ledger.is_complete();
                child.is_forgotten = true;
            }
            Asked::About { .. } | Asked::Plain => {}
            Asked::Refused(kind) => panic!("it should be refused as {kind}"),
        }
    }

    fn may_refuse(&self, asked: &Asked, kind: &str, is_cancelled: bool) -> bool {
        let child = asked.name().map(|name| &self.children[name]);
        let is_gone = child.is_some_and(|child| child.is_forgotten || child.is_given_up);
        let is_old = child.is_some_and(Child::is_over);
        match (asked, kind) {
            // It had not begun when the session was closed.
            (Asked::Start { .. } | Asked::Refused(_), "unknownSession") => self.is_session_over,
            (Asked::Refused(expected), kind) => kind == *expected,
            (Asked::Read { .. } | Asked::ReadFrom { .. } | Asked::Wait { .. }, "cancelled") => is_cancelled,
            (
                Asked::Read { .. } | Asked::ReadFrom { .. } | Asked::Wait { .. } | Asked::About { .. },
                "unknownProcess",
            ) => is_gone,
            (
                Asked::Read { .. } | Asked::ReadFrom { .. } | Asked::Wait { .. } | Asked::About { .. },
                "expiredProcess",
            ) => is_old,
            (
                Asked::About {
                    method: "process/resize",
                    ..
                },
                "invalidParams",
            ) => child.is_some_and(|child| !child.plan.is_on_terminal()),
            (Asked::Write { .. }, "stdinFull") => true,
            _ => false,
        }
    }
}
