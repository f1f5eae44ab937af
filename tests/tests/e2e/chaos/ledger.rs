//! What a client knows of one process, and whether that can be.

use std::collections::{BTreeMap, BTreeSet};

use exec_protocol::process::{Gap, ReadResult, Stream};
use serde_json::Value;

use super::speech::{Body, Digits, Speech};
use super::told::{Exit, Told, What};

/// What a client knows of one process, from notifications and answers, over all of its connections.
///
/// Taking something in checks it: numbers and offsets follow each other without a hole, each byte is the one that belongs
/// there, and what is not told lies in a gap, where one may be.
#[derive(Debug)]
pub(super) struct Ledger {
    speech: Speech,
    digits: Digits,
    /// Every event up to here is accounted for,
    seq: u64,
    /// and every byte before this offset.
    offset: u64,
    /// Where the chunks that are known begin, and how long they are.
    chunks: BTreeMap<u64, (u64, usize)>,
    /// Numbers of events without bytes, from reads.
    silent: BTreeSet<u64>,
    /// The last number that was told on any connection.
    told: u64,
    /// The number that must be told next on this connection, if that is known.
    next_told: Option<u64>,
    /// What was told behind a hole, as it was resumed.
    ahead: Vec<Told>,
    /// Whether output may be dropped before it is told.
    pub(super) may_lose: bool,
    /// Bytes that were lost.
    pub(super) lost: u64,
    exited: Option<u64>,
    pub(super) exit: Option<Exit>,
    closed: Option<u64>,
}

impl Ledger {
    /// Of a process that is about to be started. What it says is told from its first event on if `from_start`.
    pub(super) fn new(speech: Speech, may_lose: bool, from_start: bool) -> Self {
        Self {
            speech,
            digits: Digits::default(),
            seq: 0,
            offset: 0,
            chunks: BTreeMap::new(),
            silent: BTreeSet::new(),
            told: 0,
            next_told: from_start.then_some(1),
            ahead: Vec::new(),
            may_lose,
            lost: 0,
            exited: None,
            exit: None,
            closed: None,
        }
    }

    /// Every event up to here is accounted for.
    pub(super) fn seq(&self) -> u64 {
        self.seq
    }

    /// Every byte before this is accounted for.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether everything is accounted for, up to the close.
    pub(super) fn is_complete(&self) -> bool {
        self.closed == Some(self.seq)
    }

    /// Whether something was told that lies behind what is known.
    pub(super) fn has_hole(&self) -> bool {
        !self.ahead.is_empty()
    }

    /// Another connection has the session. What lies behind a hole will have to be read.
    pub(super) fn resume(&mut self) {
        self.next_told = None;
        self.ahead.clear();
        self.may_lose = true;
    }

    /// Takes in a notification, on a connection that is told everything.
    pub(super) fn tell(&mut self, method: &str, params: &Value) {
        let told = self.told(method, params);
        if let Some(next) = self.next_told {
            assert_eq!(told.first, next, "{method} has the wrong number");
        }
        self.next_told = Some(told.last + 1);
        self.ahead.push(told);
        self.catch_up();
    }

    /// Takes in a notification, on a connection that is told of exits and closes only.
    pub(super) fn tell_silent(&mut self, method: &str, params: &Value) {
        let told = self.told(method, params);
        let is_silent = matches!(told.what, What::Exited(_) | What::Closed);
        assert!(is_silent, "{method} was not asked for");
    }

    /// Takes in the answer to a read of what follows this number.
    pub(super) fn read(&mut self, after: u64, is_all: bool, answer: &ReadResult) {
        let mut seq = after;
        let mut offset = self.offset_behind(after);
        if let Some(gap) = answer.gap {
            self.check_gap(gap);
            assert!(gap.to_seq.0 > after, "{gap:?} lies before {after}");
            assert!(
                offset.is_none_or(|offset| gap.from_offset <= offset),
                "{gap:?} begins too late"
            );
            (seq, offset) = (gap.to_seq.0, Some(gap.to_offset));
            self.lose(gap);
        }
        for chunk in &answer.chunks {
            self.skip(seq, chunk.seq.0 - 1);
            let at = chunk.offset.expect("the server has offsets");
            assert!(
                offset.is_none_or(|offset| offset == at),
                "{at} follows {offset:?}"
            );
            self.check_chunk(chunk.seq.0, at, &chunk.chunk.0);
            self.settle_silent();
            if chunk.seq.0 == self.seq + 1 {
                self.advance(chunk.seq.0, chunk.stream, &chunk.chunk.0);
            }
            seq = chunk.seq.0;
            offset = Some(at + chunk.chunk.0.len() as u64);
        }
        let end = answer.next_seq.0 - 1;
        self.skip(seq, end);
        self.settle_silent();
        self.take_state(answer);
        let is_end = answer.closed && is_all && answer.chunks.is_empty() && answer.gap.is_none();
        if is_end {
            assert!(
                self.closed.is_none_or(|closed| closed == end),
                "{end} is not the close"
            );
            self.closed = Some(end);
        }
        self.catch_up();
    }

    /// Checks the answer to a read of so many bytes from this offset.
    pub(super) fn read_from(&mut self, mut offset: u64, max_bytes: u64, answer: &ReadResult) {
        if let Some(gap) = answer.gap {
            self.check_gap(gap);
            assert_eq!(gap.from_offset, offset, "{gap:?} does not begin at the cursor");
            offset = gap.to_offset;
        }
        let begin = offset;
        for chunk in &answer.chunks {
            assert_eq!(chunk.offset, Some(offset), "a hole in what is read");
            self.speech.check(offset, &chunk.chunk.0);
            offset += chunk.chunk.0.len() as u64;
        }
        assert!(
            offset - begin <= max_bytes,
            "{} bytes of {max_bytes}",
            offset - begin
        );
        assert_eq!(answer.next_offset, Some(offset));
        self.take_state(answer);
    }

    /// Checks that this can be the number of the exit, or of the close.
    pub(super) fn fired(&self, kind: &str, seq: u64) {
        let known = match kind {
            "exited" => self.exited,
            "closed" => self.closed,
            _ => None,
        };
        assert!(
            known.is_none_or(|known| known == seq),
            "{kind} has fired at {seq} and was {known:?}"
        );
    }

    /// Checks a process that has closed, and of which everything is accounted for.
    pub(super) fn check_complete(&self, is_disturbed: bool) {
        assert!(self.is_complete(), "not complete");
        let exit = self.exit.as_ref().expect("it has exited before it closed");
        assert!(
            self.silent.len() <= 2,
            "more than an exit and a close without bytes: {:?}",
            self.silent
        );
        for silent in &self.silent {
            let is_event = Some(*silent) == self.closed || self.exited.is_none_or(|exited| exited == *silent);
            assert!(is_event, "{silent} is no event");
        }
        if let Some(total) = self.speech.total.filter(|_| !is_disturbed) {
            assert_eq!(self.offset, total, "it has said something else");
            assert_eq!((exit.code, &exit.reason[..]), (0, "exited"));
        }
    }

    fn told(&mut self, method: &str, params: &Value) -> Told {
        assert!(
            self.closed.is_none_or(|closed| closed > self.told),
            "{method} after the close"
        );
        let told = Told::new(method, params);
        let seq = told.first;
        match &told.what {
            What::Output(..) => {}
            What::Gap(gap) => self.check_gap(*gap),
            What::Exited(exit) => {
                assert!(self.exited.is_none(), "a second exit");
                self.exited = Some(seq);
                self.take_exit(exit);
            }
            What::Closed => {
                assert!(self.closed.is_none_or(|closed| closed == seq), "another close");
                assert!(
                    self.exited.is_none_or(|exited| exited < seq),
                    "closed before the exit"
                );
                self.closed = Some(seq);
            }
        }
        assert!(seq > self.told, "{seq} is told again, {} was told", self.told);
        self.told = told.last;
        told
    }

    /// Accounts for what was told, as far as nothing is missing before it.
    fn catch_up(&mut self) {
        while self.ahead.first().is_some_and(|told| told.first <= self.seq + 1) {
            let Told { first, last, what } = self.ahead.remove(0);
            match what {
                What::Output(stream, bytes) if first > self.seq => {
                    self.check_chunk(first, self.offset, &bytes);
                    self.advance(first, stream, &bytes);
                }
                // It was read already.
                What::Output(_, bytes) => {
                    if let Some((offset, _)) = self.chunks.get(&first) {
                        self.check_chunk(first, *offset, &bytes);
                    }
                }
                What::Gap(gap) if last > self.seq => {
                    let is_exact = first <= self.seq || gap.from_offset == self.offset;
                    assert!(is_exact, "{gap:?} begins elsewhere");
                    self.lose(gap);
                }
                What::Gap(_) => {}
                What::Exited(_) | What::Closed => self.seq = self.seq.max(first),
            }
        }
    }

    fn check_chunk(&mut self, seq: u64, offset: u64, bytes: &[u8]) {
        self.speech.check(offset, bytes);
        let known = self.chunks.insert(seq, (offset, bytes.len()));
        let is_same = known.is_none_or(|known| known == (offset, bytes.len()));
        assert!(is_same, "{seq} was {known:?} and is {:?}", (offset, bytes.len()));
    }

    fn advance(&mut self, seq: u64, stream: Stream, bytes: &[u8]) {
        if self.speech.body == Body::Digits {
            self.digits.take(stream, bytes);
        }
        self.seq = seq;
        self.offset += bytes.len() as u64;
    }

    /// Takes in that something was dropped, if it is not known.
    fn lose(&mut self, gap: Gap) {
        if gap.to_seq.0 > self.seq {
            assert!(
                self.may_lose,
                "{gap:?} of a process that is held up for its client, behind {}",
                self.seq
            );
            self.lost += gap.to_offset - self.offset;
            (self.seq, self.offset) = (gap.to_seq.0, gap.to_offset);
            self.digits.lose();
        }
    }

    /// Between these two there are events without bytes.
    fn skip(&mut self, from: u64, to: u64) {
        assert!(from <= to && to - from <= 2, "{to} follows {from}");
        for silent in from + 1..=to {
            assert!(!self.chunks.contains_key(&silent), "{silent} is left out");
            self.silent.insert(silent);
        }
    }

    fn settle_silent(&mut self) {
        while self.silent.contains(&(self.seq + 1)) {
            self.seq += 1;
        }
    }

    fn take_state(&mut self, answer: &ReadResult) {
        assert!(answer.exited || !answer.closed, "closed before the exit");
        assert!(answer.failure.is_none() && !answer.sandbox_denied);
        if let Some(code) = answer.exit_code {
            let reason = serde_json::to_value(answer.end_reason).expect("it is a name");
            self.take_exit(&Exit::new(code, &reason));
        }
    }

    fn take_exit(&mut self, exit: &Exit) {
        let known = self.exit.get_or_insert_with(|| exit.clone());
        assert_eq!(known, exit, "it has exited twice");
    }

    fn check_gap(&self, gap: Gap) {
        assert!(gap.to_seq >= gap.from_seq && gap.bytes > 0, "{gap:?}");
        assert_eq!(gap.bytes, gap.to_offset - gap.from_offset, "{gap:?}");
        if let Some(total) = self.speech.total {
            assert!(gap.to_offset <= total, "{gap:?} is more than was said");
        }
    }

    fn offset_behind(&self, seq: u64) -> Option<u64> {
        match self.chunks.get(&seq) {
            Some((offset, length)) => Some(offset + *length as u64),
            None => (seq == self.seq).then_some(self.offset),
        }
    }
}
