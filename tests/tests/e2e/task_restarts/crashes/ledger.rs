//! What a client knows of its tasks, whatever becomes of servers.

use std::collections::{BTreeMap, BTreeSet};

use exec_protocol::process::EndReason;
use exec_protocol::task::{List, ListParams, TaskRecord, TaskState};
use exec_tests::{Peer, blocks};
use serde_json::{Value, json};

use super::super::{StateDir, count_lines, ended, notices, output};

/// What a client knows of its tasks.
#[derive(Default)]
pub(super) struct Ledger {
    submissions: usize,
    tasks: BTreeMap<String, Known>,
    /// Who each notice was about.
    notices: BTreeMap<u64, String>,
    acknowledged: BTreeSet<u64>,
}

struct Known {
    /// The server has said that it has it.
    is_certain: bool,
    bytes: u64,
    /// How many attempts there may be.
    most_attempts: u32,
    /// As it was told last.
    record: Option<TaskRecord>,
}

impl Known {
    /// What a record can say of this task, and could not take back.
    fn check(&self, record: &TaskRecord) {
        assert!(record.attempt_count <= self.most_attempts, "{record:?}");
        assert_eq!(record.attempts.len(), record.attempt_count as usize);
        if let Some(before) = &self.record {
            assert!(record.attempt_count >= before.attempt_count, "{record:?}");
            if before.state.is_ended() {
                assert_eq!(before.attempts, record.attempts);
                assert_eq!(
                    (before.state, before.end_reason),
                    (record.state, record.end_reason)
                );
                assert_eq!(before.ended_at_ms, record.ended_at_ms);
            }
        }
        let running = record.state == TaskState::Running;
        for attempt in &record.attempts {
            match (attempt.state, attempt.end_reason) {
                (TaskState::Running, None) => assert!(running, "{record:?}"),
                (TaskState::Completed, Some(EndReason::Exited)) => {
                    assert_eq!(attempt.exit_code, Some(0));
                    assert_eq!(attempt.bytes.stdout, self.bytes);
                    assert_eq!(record.state, TaskState::Completed);
                }
                (TaskState::Interrupted, Some(EndReason::ServerLost)) => {
                    assert!(attempt.bytes.stdout <= self.bytes, "{record:?}");
                }
                _ => panic!("{record:?}"),
            }
            assert_eq!(attempt.log.first_offset, 0);
            assert_eq!(attempt.log.end_offset, attempt.bytes.stdout);
            assert_eq!(attempt.log.stopped, None);
        }
    }
}

impl Ledger {
    /// The number of the next submission.
    pub(super) fn next(&self) -> usize {
        self.submissions
    }

    /// A task is about to be submitted.
    pub(super) fn submitted(&mut self, params: &Value, is_certain: bool) {
        let id = params["taskId"].as_str().unwrap().to_owned();
        let (_, bytes) = id.split_once('.').unwrap();
        let most_attempts = params["retry"]["maxAttempts"].as_u64().unwrap_or(1);
        let known = Known {
            is_certain,
            bytes: bytes.parse().unwrap(),
            most_attempts: u32::try_from(most_attempts).unwrap(),
            record: None,
        };
        self.tasks.insert(id, known);
        self.submissions += 1;
    }

    /// Compares what is known with what a server knows.
    pub(super) async fn compare(&mut self, peer: &mut Peer) {
        let params = ListParams {
            limit: Some(1_000),
            ..ListParams::default()
        };
        let list = peer.call_typed::<List>(&params).await;
        assert_eq!(list.next, None);
        let mut records: BTreeMap<_, _> = list
            .records
            .into_iter()
            .map(|record| (record.task_id.as_str().to_owned(), record))
            .collect();
        let mut missing = Vec::new();
        for (id, known) in &mut self.tasks {
            match records.remove(id) {
                Some(record) => {
                    known.check(&record);
                    known.is_certain = true;
                    known.record = Some(record);
                }
                None if known.is_certain => missing.push(id.clone()),
                None => {}
            }
        }
        assert!(
            missing.is_empty(),
            "of {} tasks are lost {missing:?}",
            self.tasks.len()
        );
        assert!(records.is_empty(), "nobody submitted {records:?}");
        // A submission that did not come to be will not come to be later.
        self.tasks.retain(|_, known| known.is_certain);
        self.compare_notices(peer).await;
    }

    async fn compare_notices(&mut self, peer: &mut Peer) {
        let told = notices(peer).await;
        let numbers: BTreeSet<_> = told.iter().map(|notice| notice.notice_id).collect();
        assert_eq!(numbers.len(), told.len());
        for (number, id) in &self.notices {
            let is_pending = !self.acknowledged.contains(number);
            assert_eq!(numbers.contains(number), is_pending, "notice {number} of {id}");
        }
        for notice in told {
            let id = notice.task_id.as_str().to_owned();
            let number = notice.notice_id;
            assert!(notice.state.is_ended());
            let known = self.notices.insert(number, id.clone());
            assert!(known.is_none_or(|known| known == id), "{number} is of two tasks");
        }
    }

    /// Acknowledges what there is.
    pub(super) async fn acknowledge(&mut self, peer: &mut Peer) {
        let pending: Vec<_> = self
            .notices
            .keys()
            .copied()
            .filter(|number| !self.acknowledged.contains(number))
            .collect();
        let answer = peer.call("task/ack", json!({"noticeIds": pending})).await;
        assert_eq!(answer["acked"], pending.len());
        self.acknowledged.extend(pending);
    }

    /// Waits until all tasks have ended.
    pub(super) async fn all_end(&self, peer: &mut Peer) {
        for id in self.tasks.keys() {
            ended(peer, id).await;
        }
    }

    /// Each task has ended, and that was told once.
    pub(super) fn check_notices(&self) {
        let mut told: Vec<_> = self.notices.values().collect();
        told.sort();
        assert_eq!(told, self.tasks.keys().collect::<Vec<_>>());
    }

    /// Each attempt has run once: those of dead servers perhaps not at all.
    pub(super) fn check_journal(&self, lines: &[String]) {
        let distinct: BTreeSet<_> = lines.iter().collect();
        assert_eq!(distinct.len(), lines.len(), "run twice by one server");
        for (id, known) in &self.tasks {
            let runs = lines.iter().filter(|line| line.split(' ').next() == Some(id));
            let record = known.record.as_ref().expect("it was told of");
            let ended = record
                .attempts
                .iter()
                .filter(|attempt| attempt.exit_code.is_some());
            let possible = ended.count()..=record.attempts.len();
            assert!(possible.contains(&runs.count()), "{record:?}");
        }
        let strangers = lines.iter().filter(|line| {
            !line
                .split(' ')
                .next()
                .is_some_and(|id| self.tasks.contains_key(id))
        });
        assert_eq!(strangers.collect::<Vec<_>>(), [""; 0]);
    }

    /// What is kept of each attempt is the beginning of what it wrote.
    pub(super) async fn check_outputs(&self, state: &StateDir, peer: &mut Peer) {
        let mut interrupted = 0;
        for (id, known) in &self.tasks {
            let record = known.record.as_ref().expect("it was told of");
            for attempt in &record.attempts {
                let path = state.logs_of(id).join(format!("{}.log", attempt.attempt));
                if attempt.bytes.stdout == 0 && !path.exists() {
                    continue;
                }
                let (bytes, told) = output(peer, id, attempt.attempt, 0).await;
                blocks::check(0, &bytes);
                assert_eq!(bytes.len() as u64, attempt.bytes.stdout);
                assert_eq!(
                    (told.total_bytes, &told.omitted[..]),
                    (bytes.len() as u64, &[][..])
                );
                assert_eq!(told.total_lines, count_lines(&bytes), "{record:?}");
                interrupted += usize::from(attempt.state == TaskState::Interrupted && !bytes.is_empty());
            }
        }
        assert!(interrupted > 0, "none was killed in the middle of its output");
    }
}
