//! What a client starts.

use exec_tests::fixture;
use serde_json::{Value, json};

use super::random::Random;
use super::speech::{Body, Speech};

/// Longest output of one process, in bytes: a flood where a ring keeps a few KiB, and no work for a slow machine.
const LONGEST_BYTES: u64 = 1 << 20;

/// Echoes on a terminal that leaves everything as it is, once it has said so.
const RAW_ECHO: &str = r#"stty raw -echo && echo raw && exec "$0" echo"#;

/// Leaves behind who holds its output, in its group and in a session of its own, and ends.
const TREE: &str = r#"sleep 100 & setsid sleep 100 & exec "$0" blocks "$1""#;

/// Leaves behind who holds nothing of it, and ends.
const DAEMON: &str = r#"setsid sleep 100 >/dev/null 2>&1 </dev/null & exec "$0" blocks "$1""#;

/// What a client starts, and what comes of it by itself.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) params: Value,
    pub(super) speech: Speech,
    pub(super) stdin: Stdin,
    /// Whether it closes by itself.
    pub(super) ends: bool,
    /// Whether it may end in another way than by itself and by the client.
    pub(super) has_limits: bool,
    /// Whether output is dropped rather than that it is held up; else as is usual for its connection.
    pub(super) is_skipped: Option<bool>,
}

/// What comes of what is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stdin {
    /// There is none.
    None,
    /// It comes back, from when the head of the speech was said; by the end of it the program ends, on a pipe.
    Echoed,
    /// It is not read.
    Unread,
}

impl Plan {
    pub(super) fn random(random: &mut Random, name: &str, can_keep: bool) -> Self {
        let mut plan = Self::program(random);
        let params = plan.params.as_object_mut().expect("they are an object");
        params.insert("processId".into(), json!(name));
        params.insert("startKey".into(), json!(format!("key of {name}")));
        params.insert("graceMs".into(), json!(random.pick(&[0, 50, 300, 1000])));
        if random.one_in(2) {
            params.insert("retainBytes".into(), json!(random.pick(&[1, 20_000, 100_000])));
        }
        if random.one_in(2) {
            let is_skipped = random.one_in(2);
            let skip_or_block = if is_skipped { "skip" } else { "block" };
            params.insert("onSlowClient".into(), json!(skip_or_block));
            plan.is_skipped = Some(is_skipped);
        }
        if random.one_in(8) {
            params.insert("onDisconnect".into(), json!("kill"));
        } else if can_keep && random.one_in(12) {
            params.insert("onDisconnect".into(), json!("keep"));
        }
        if random.one_in(12) {
            params.insert("timeoutMs".into(), json!(1 + random.length(2000)));
            plan.has_limits = true;
        }
        if random.one_in(12) {
            params.insert("idleTimeoutMs".into(), json!(1 + random.length(2000)));
            plan.has_limits = true;
        }
        if random.one_in(8) {
            params.insert("drainGraceMs".into(), json!(random.length(500)));
            // Who is not there in time does not get what comes late.
            plan.has_limits = true;
        }
        plan
    }

    fn program(random: &mut Random) -> Self {
        let bytes = random.length(LONGEST_BYTES);
        let count = bytes.to_string();
        match random.below(14) {
            0..3 => Self::of(&["blocks", &count], Body::Blocks, Some(bytes)),
            3 => {
                let total = Speech::on_terminal(bytes);
                Self::of(&["blocks", &count], Body::TerminalBlocks, Some(total)).on_terminal(random)
            }
            4..6 => Self::of(&["echo"], Body::Blocks, None).reading(Stdin::Echoed),
            6 => Self {
                stdin: Stdin::Echoed,
                ..Self::shell(RAW_ECHO, "", None)
                    .saying("raw\n")
                    .on_terminal(random)
            },
            7 => {
                let bursts = random.length(300).to_string();
                Self {
                    ends: true,
                    ..Self::of(&["bursts", &bursts, "3"], Body::Blocks, None)
                }
            }
            8 => Self {
                ends: false,
                ..Self::shell(TREE, &count, Some(bytes))
            },
            9 => Self::shell(DAEMON, &count, Some(bytes)),
            10 => Self::of(&["never-read"], Body::Nothing, None)
                .saying("ready\n")
                .reading(Stdin::Unread),
            11 => Self::of(&["ignore-term"], Body::Nothing, None).saying("ready\n"),
            12 => Self::of(&["last-words"], Body::Nothing, None).saying("ready\nbye\n"),
            _ => {
                let bytes = bytes.min(20_000);
                Self::of(&["single-bytes", &bytes.to_string()], Body::Digits, Some(bytes))
            }
        }
    }

    fn of(words: &[&str], body: Body, total: Option<u64>) -> Self {
        let program = fixture::path();
        let argv = [&[program.as_str()], words].concat();
        Self {
            params: json!({"argv": argv}),
            speech: Speech {
                head: "",
                body,
                total,
            },
            stdin: Stdin::None,
            ends: total.is_some(),
            has_limits: false,
            is_skipped: None,
        }
    }

    fn shell(script: &str, argument: &str, total: Option<u64>) -> Self {
        let argv = json!(["/bin/sh", "-c", script, fixture::path(), argument]);
        let mut plan = Self::of(&[], Body::Blocks, total);
        plan.params = json!({"argv": argv});
        plan
    }

    fn saying(mut self, head: &'static str) -> Self {
        self.speech.head = head;
        self
    }

    fn reading(mut self, stdin: Stdin) -> Self {
        self.params["pipeStdin"] = json!(true);
        self.stdin = stdin;
        self
    }

    fn on_terminal(mut self, random: &mut Random) -> Self {
        self.params["tty"] = json!(true);
        if random.one_in(2) {
            self.params["size"] = json!({"rows": 1 + random.below(100), "cols": 1 + random.below(100)});
        }
        self
    }

    pub(super) fn is_on_terminal(&self) -> bool {
        self.params["tty"] == true
    }

    pub(super) fn is_kept(&self) -> bool {
        self.params["onDisconnect"] == "keep"
    }

    pub(super) fn ends_with_connection(&self) -> bool {
        self.params["onDisconnect"] == "kill"
    }
}
