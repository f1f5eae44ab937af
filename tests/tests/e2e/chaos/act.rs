//! What a client does next.

use exec_tests::base64;
use serde_json::{Value, json};

use super::asked::Asked;
use super::child::Child;
use super::client::{Client, Level};
use super::ledger::Ledger;
use super::plan::{Plan, Stdin};
use super::speech::typed;
use super::typing::{By, Typing, Write};

/// Processes of one client that are not over, at a time.
const MOST_ACTIVE: usize = 6;

/// Longest write, in bytes: several fill the queue of a process that does not read.
const LONGEST_WRITE: u64 = 600_000;

/// Longest wait that a client asks for, in milliseconds.
const LONGEST_WAIT_MS: u64 = 1500;

impl Client {
    /// Does something.
    pub(super) async fn act(&mut self) {
        match self.random.below(100) {
            0..18 => self.start_another(),
            18..36 => self.type_more(),
            36..50 => self.read(),
            50..56 => self.wait(),
            56..60 => self.signal(),
            60..66 => self.terminate_one(),
            66..69 => self.resize(),
            69..72 => self.forget(),
            72..77 => self.acknowledge(),
            77..80 => self.look(),
            80..82 => self.flood(),
            82..84 => self.send_garbage(),
            84..87 => self.cancel(),
            87..89 => self.stop_reading().await,
            89..91 => self.refused_start(),
            91.. if self.can_resume() => self.break_off().await,
            _ => self.type_again(),
        }
    }

    fn start_another(&mut self) {
        if self.children.values().filter(|child| !child.is_over()).count() >= MOST_ACTIVE {
            return;
        }
        self.count += 1;
        let name = format!("{}.{}", self.number, self.count);
        let can_keep = self.can_resume();
        let mut plan = Plan::random(&mut self.random, &name, can_keep);
        plan.params = self.marker.on(plan.params);
        let is_told_all = self.level == Level::All;
        let ledger = Ledger::new(
            plan.speech.clone(),
            plan.is_skipped.unwrap_or(!is_told_all),
            is_told_all,
        );
        let typing = Typing::new(&mut self.random);
        let mut child = Child::new(plan, ledger, typing);
        let acknowledges = self.random.one_in(5);
        child.acknowledged = acknowledges.then_some(0);
        self.children.insert(name.clone(), child);
        self.start(&name);
        if acknowledges {
            self.notify("process/ack", &json!({"processId": name, "seq": 0}));
        }
        if self.random.one_in(4) {
            // The same start again is the same process.
            self.start(&name);
        }
    }

    fn type_more(&mut self) {
        let Some(name) = self.some(Child::takes_input) else {
            return;
        };
        let bytes = 1 + self.random.length(LONGEST_WRITE);
        let ends = self.random.one_in(6);
        let child = self.child(&name);
        let eof = ends && child.plan.stdin == Stdin::Echoed && !child.plan.is_on_terminal();
        if let Some(write) = child.typing.add(bytes, eof) {
            self.write(&name, write);
        }
    }

    /// Sends writes again that were refused, or whose answers were lost.
    pub(super) fn type_again(&mut self) {
        let mut writes = Vec::new();
        for (name, child) in &mut self.children {
            if child.is_over() || child.is_terminated {
                child.typing.give_up();
            }
            writes.extend(
                child
                    .typing
                    .again()
                    .into_iter()
                    .map(|write| (name.clone(), write)),
            );
        }
        for (name, write) in writes {
            self.write(&name, write);
        }
    }

    fn write(&mut self, name: &str, write: Write) {
        let mut params = json!({"processId": name, "eof": write.eof});
        match self.child(name).typing.by() {
            By::Id => params["writeId"] = json!(format!("write {}", write.number)),
            By::Offset => params["offset"] = json!(write.offset),
        }
        self.log
            .add(format_args!("process/write {params}, {} bytes", write.bytes));
        params["chunk"] = json!(base64(typed(write.offset, write.bytes)));
        let asked = Asked::Write {
            name: name.to_owned(),
            number: write.number,
        };
        self.ask_quietly(asked, "process/write", &params);
    }

    fn read(&mut self) {
        let Some(name) = self.some(|child| child.uid.is_some() && !child.is_forgotten) else {
            return;
        };
        let waits = self.random.one_in(2);
        let wait_ms = if waits {
            self.random.below(LONGEST_WAIT_MS)
        } else {
            0
        };
        let max_bytes = self.random.pick(&[0, 1, 5000, 100_000, 1 << 20]);
        let peek = self.random.one_in(2);
        let mut params = json!({"waitMs": wait_ms, "maxBytes": max_bytes, "peek": peek});
        let (seq, offset) = (self.child(&name).ledger.seq(), self.child(&name).ledger.offset());
        let asked = if self.random.one_in(2) {
            // Where it stands, or anywhere before.
            let after = if self.random.one_in(2) {
                seq
            } else {
                self.random.below(seq + 1)
            };
            params["afterSeq"] = json!(after);
            Asked::Read {
                name: name.clone(),
                after,
                max_bytes,
            }
        } else {
            let offset = if self.random.one_in(2) {
                offset
            } else {
                self.random.below(offset + 1)
            };
            params["afterOffset"] = json!(offset);
            Asked::ReadFrom {
                name: name.clone(),
                offset,
                max_bytes,
            }
        };
        self.name_it(&mut params, &name);
        self.ask(asked, "process/read", &params);
    }

    fn wait(&mut self) {
        let Some(name) = self.some(|child| child.uid.is_some() && !child.is_forgotten) else {
            return;
        };
        let kind = self
            .random
            .pick(&["exited", "closed", "output", "pattern", "silent"]);
        let until = json!({"kind": kind, "regex": "00[0-9]3\n|x+", "silentMs": 100});
        let wait_ms = self.random.below(LONGEST_WAIT_MS);
        let params = json!({"processIds": [name], "until": until, "waitMs": wait_ms});
        self.ask(Asked::Wait { name, kind }, "process/wait", &params);
    }

    fn signal(&mut self) {
        let Some(name) = self.some(|child| !child.is_over()) else {
            return;
        };
        let signal = self
            .random
            .pick(&["continue", "windowChange", "stop", "interrupt", "SIGUSR1", "kill"]);
        let child = self.child(&name);
        child.is_disturbed |= !["continue", "windowChange"].contains(&signal);
        child.is_stopped = signal == "stop" || (child.is_stopped && signal != "continue");
        self.about(&name, "process/signal", json!({"signal": signal}));
    }

    fn terminate_one(&mut self) {
        if let Some(name) = self.some(|child| !child.is_over()) {
            let grace_ms = self.random.pick(&[None, Some(0), Some(100)]);
            self.terminate(&name, grace_ms);
        }
    }

    fn terminate(&mut self, name: &str, grace_ms: Option<u64>) {
        let child = self.child(name);
        child.is_disturbed |= child.ledger.exit.is_none();
        child.is_terminated = true;
        child.typing.give_up();
        self.about(name, "process/terminate", json!({"graceMs": grace_ms}));
    }

    fn resize(&mut self) {
        if let Some(name) = self.some(|child| child.uid.is_some() && !child.is_forgotten) {
            let size = json!({"rows": 1 + self.random.below(200), "cols": 1 + self.random.below(200)});
            self.about(&name, "process/resize", json!({"size": size}));
        }
    }

    fn forget(&mut self) {
        // One that is not closed is not forgotten; and may be closed by now. Whom a kept one has left behind could not be reached any
        // more before the end of the server.
        let name = if self.random.one_in(3) {
            self.some(|child| child.uid.is_some() && !child.is_over() && !child.plan.is_kept())
        } else {
            self.some(|child| {
                child.uid.is_some() && child.is_over() && !child.is_forgotten && !child.plan.is_kept()
            })
        };
        if let Some(name) = name {
            self.about(&name, "process/forget", json!({}));
        }
    }

    fn acknowledge(&mut self) {
        if let Some(name) = self.some(|child| child.acknowledged.is_some() && !child.is_over()) {
            let seq = self.child(&name).ledger.seq();
            self.child(&name).acknowledged = Some(seq);
            self.notify("process/ack", &json!({"processId": name, "seq": seq}));
        }
    }

    fn look(&mut self) {
        match self.random.below(4) {
            0 => drop(self.ask(Asked::Plain, "process/list", &json!({}))),
            1 => drop(self.ask(Asked::Plain, "server/stats", &json!({}))),
            2 => drop(self.ask(Asked::Refused("methodNotFound"), "no/such", &json!({}))),
            _ => {
                if let Some(name) = self.some(|child| child.uid.is_some() && !child.is_forgotten) {
                    self.about(&name, "process/get", json!({}));
                }
            }
        }
    }

    /// Sees to it that every process comes to its end.
    pub(super) fn end_all(&mut self) {
        let open: Vec<String> = self
            .children
            .iter()
            .filter(|(_, child)| child.uid.is_some() && !child.is_over() && !child.is_terminated)
            .map(|(name, _)| name.clone())
            .collect();
        for name in open {
            let child = self.child(&name);
            let is_typed = child.plan.stdin == Stdin::Echoed && !child.plan.is_on_terminal();
            if is_typed && !child.is_disturbed && child.ledger.exit.is_none() {
                if let Some(write) = child.typing.add(1, true) {
                    self.write(&name, write);
                }
            } else if !child.plan.ends || child.is_stopped {
                let grace_ms = self.random.below(300);
                self.terminate(&name, Some(grace_ms));
            }
        }
    }

    /// Asks something about a process.
    fn about(&mut self, name: &str, method: &'static str, mut params: Value) {
        self.name_it(&mut params, name);
        let name = name.to_owned();
        self.ask(Asked::About { name, method }, method, &params);
    }

    /// By its name, or by the server's.
    fn name_it(&mut self, params: &mut Value, name: &str) {
        let by_uid = self.random.one_in(3);
        match &self.child(name).uid {
            Some(uid) if by_uid => params["uid"] = json!(uid),
            Some(_) | None => params["processId"] = json!(name),
        }
    }

    /// One of the processes of which this is so.
    fn some(&mut self, is_so: impl Fn(&Child) -> bool) -> Option<String> {
        let names: Vec<String> = self
            .children
            .iter()
            .filter(|(_, child)| is_so(child))
            .map(|(name, _)| name.clone())
            .collect();
        (!names.is_empty()).then(|| self.random.pick(&names))
    }
}
