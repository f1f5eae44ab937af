//! A client: its connection, what it has asked for, and what it is told.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;
use std::time::Duration;

use exec_tests::Marker;
use exec_tests::wait::PATIENCE;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use super::asked::Asked;
use super::child::Child;
use super::line::{Incoming, Line};
use super::log::Log;
use super::random::Random;

/// Most output in the answer to a read that catches up, in bytes.
const CATCH_UP_BYTES: u64 = 100_000;

/// How long all processes may take to come to their ends.
const SETTLED: Duration = Duration::from_mins(2);

/// A client, which does what it likes and believes nothing.
#[derive(Debug)]
pub(super) struct Client {
    /// Where the server listens; None on stdio.
    pub(super) url: Option<String>,
    pub(super) number: u64,
    /// By which what it has started is found from outside.
    pub(super) marker: Rc<Marker>,
    pub(super) random: Random,
    pub(super) log: Log,
    pub(super) line: Line,
    pub(super) session_id: String,
    pub(super) level: Level,
    next_id: u64,
    pub(super) asked: HashMap<u64, Asked>,
    pub(super) cancelled: HashSet<u64>,
    /// Errors that will come and belong to no request.
    pub(super) nobodys_errors: usize,
    pub(super) children: BTreeMap<String, Child>,
    pub(super) count: usize,
    is_settling: bool,
    pub(super) is_session_over: bool,
}

/// What a connection is told of processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    All,
    Lifecycle,
    None,
}

impl Level {
    /// Its name on the wire.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Lifecycle => "lifecycle",
            Self::None => "none",
        }
    }
}

impl Client {
    /// A client with a session of its own.
    pub(super) async fn websocket(
        url: &str,
        number: u64,
        marker: &Rc<Marker>,
        random: Random,
        log: Log,
    ) -> Self {
        let line = Line::websocket(url).await;
        let mut this = Self::new(Some(url.to_owned()), line, number, marker, random, log);
        this.open().await;
        this
    }

    /// The one client of a server on its pipes.
    pub(super) async fn stdio(
        line: Line,
        number: u64,
        marker: &Rc<Marker>,
        random: Random,
        log: Log,
    ) -> Self {
        let mut this = Self::new(None, line, number, marker, random, log);
        this.open().await;
        this
    }

    fn new(
        url: Option<String>,
        line: Line,
        number: u64,
        marker: &Rc<Marker>,
        random: Random,
        log: Log,
    ) -> Self {
        Self {
            url,
            number,
            marker: Rc::clone(marker),
            random,
            log,
            line,
            session_id: String::new(),
            level: Level::All,
            next_id: 1,
            asked: HashMap::new(),
            cancelled: HashSet::new(),
            nobodys_errors: 0,
            children: BTreeMap::new(),
            count: 0,
            is_settling: false,
            is_session_over: false,
        }
    }

    /// Whether its session outlives its connection.
    pub(super) fn can_resume(&self) -> bool {
        self.url.is_some()
    }

    /// Waits until all of its processes are over, and checks them; then closes the session.
    pub(super) async fn settle(&mut self) {
        self.is_settling = true;
        self.log.add("settles");
        let deadline = Instant::now() + SETTLED;
        while !self.has_settled() {
            assert!(Instant::now() < deadline, "these stay: {}", self.open_ends());
            self.end_all();
            self.type_again();
            self.look_after();
            self.listen(Duration::from_millis(20)).await;
        }
        for (name, child) in &self.children {
            self.log.add(format_args!("checks {name}"));
            child.check();
        }
        let id = self.ask(Asked::Plain, "session/close", &json!({}));
        self.answered(id).await;
    }

    pub(super) async fn leave(self) {
        self.line.finish().await;
    }

    /// Whether its processes are over, and all that it has said is answered, bad messages too.
    fn has_settled(&self) -> bool {
        self.children.values().all(Child::is_over) && self.asked.is_empty() && self.nobodys_errors == 0
    }

    /// What has not come to its end.
    fn open_ends(&self) -> String {
        let open = self.children.iter().filter(|(_, child)| !child.is_over());
        let mut all: Vec<String> = open
            .map(|(name, child)| format!("{name} at {}, {:?}", child.ledger.seq(), child.typing))
            .collect();
        all.extend(self.asked.iter().map(|(id, asked)| format!("{id} {asked:?}")));
        all.push(format!("{} refusals of bad messages", self.nobodys_errors));
        all.join("\n")
    }

    /// Waits for the answer to a request.
    pub(super) async fn answered(&mut self, id: u64) {
        let deadline = Instant::now() + PATIENCE;
        while self.asked.contains_key(&id) {
            assert!(Instant::now() < deadline, "{id} is not answered");
            self.listen(Duration::from_millis(20)).await;
        }
    }

    /// Takes in what comes in so much time.
    pub(super) async fn listen(&mut self, at_most: Duration) {
        let deadline = Instant::now() + at_most;
        while Instant::now() < deadline {
            let Ok(incoming) = timeout(deadline - Instant::now(), self.line.next()).await else {
                break;
            };
            match incoming {
                Incoming::Message(message) => self.take(&message),
                Incoming::Closing(code) => panic!("hung up on with {code}"),
                Incoming::End => panic!("hung up on without a word"),
            }
            self.look_after();
        }
    }

    /// Asks, and returns the request's id.
    pub(super) fn ask(&mut self, asked: Asked, method: &str, params: &Value) -> u64 {
        self.log.add(format_args!("{method} {params}"));
        self.ask_quietly(asked, method, params)
    }

    pub(super) fn ask_quietly(&mut self, asked: Asked, method: &str, params: &Value) -> u64 {
        let (id, request) = self.request(asked, method, params);
        self.line.send(request.to_string().as_bytes());
        id
    }

    /// A request that is still to be sent.
    pub(super) fn request(&mut self, asked: Asked, method: &str, params: &Value) -> (u64, Value) {
        let id = self.next_id;
        self.next_id += 1;
        self.asked.insert(id, asked);
        (id, json!({"id": id, "method": method, "params": params}))
    }

    pub(super) fn notify(&mut self, method: &str, params: &Value) {
        let notification = json!({"method": method, "params": params});
        self.line.send(notification.to_string().as_bytes());
    }

    /// Takes back a request that waits, if there is one.
    pub(super) fn cancel(&mut self) {
        let is_wait = |asked: &Asked| {
            matches!(
                asked,
                Asked::Read { .. } | Asked::ReadFrom { .. } | Asked::Wait { .. }
            )
        };
        let mut waits: Vec<u64> = self
            .asked
            .iter()
            .filter(|(_, asked)| is_wait(asked))
            .map(|(id, _)| *id)
            .collect();
        waits.sort_unstable();
        if !waits.is_empty() {
            let id = self.random.pick(&waits);
            self.log.add(format_args!("cancels {id}"));
            self.cancelled.insert(id);
            self.notify("$/cancelRequest", &json!({"id": id}));
        }
    }

    pub(super) fn child(&mut self, name: &str) -> &mut Child {
        self.children.get_mut(name).expect("it was started")
    }

    pub(super) fn start(&mut self, name: &str) {
        let params = self.child(name).plan.params.clone();
        self.ask(
            Asked::Start {
                name: name.to_owned(),
            },
            "process/start",
            &params,
        );
    }

    /// Reads on wherever something is not going to be told, and acknowledges what is known if that is waited for.
    pub(super) fn look_after(&mut self) {
        let level = self.level;
        let is_settling = self.is_settling;
        let mut reads = Vec::new();
        let mut acks = Vec::new();
        for (name, child) in &mut self.children {
            let is_needed =
                child.is_behind || child.ledger.has_hole() || (is_settling && level != Level::All);
            if child.uid.is_some() && !child.is_over() && is_needed && !child.is_read {
                child.is_read = true;
                reads.push((name.clone(), child.ledger.seq()));
            }
            let seq = child.ledger.seq();
            if is_settling && child.acknowledged.is_some_and(|known| known < seq) {
                child.acknowledged = Some(seq);
                acks.push((name.clone(), seq));
            }
        }
        for (name, after) in reads {
            let params = json!({"processId": name, "afterSeq": after, "maxBytes": CATCH_UP_BYTES, "waitMs": if is_settling { 300 } else { 0 }});
            let asked = Asked::Read {
                name,
                after,
                max_bytes: CATCH_UP_BYTES,
            };
            self.ask(asked, "process/read", &params);
        }
        for (name, seq) in acks {
            self.notify("process/ack", &json!({"processId": name, "seq": seq}));
        }
    }
}
