//! One recording, said again to our server.

use std::collections::{BTreeMap, HashMap};
use std::fs;

use exec_client::Transport;
use exec_protocol::process::{ReadResult, Stream};
use exec_tests::proxy::Proxy;
use exec_tests::wait::within_patience;
use exec_tests::{Peer, TestServer, base64};
use serde_json::Value;

use super::differences::{Answered, Rule, has_the_ends_of, rule};
use super::folders::{Folders, PATH};
use super::recording::{self, LEFT_OUT, Said};
use super::told::Told;

/// What the agent has asked.
struct Asked {
    method: String,
    params: Value,
}

/// A recording on its way. The agent says a line when everything that stands above it was answered or told.
pub(super) struct Replay<'a> {
    recording: &'a str,
    folders: &'a Folders,
    proxy: Proxy,
    peer: Option<Peer>,
    /// The session in the recording, and ours.
    session_id: Option<(String, String)>,
    asked: HashMap<u64, Asked>,
    /// Recorded answers that we have not looked for yet.
    due: Vec<Value>,
    /// What the recording tells of each process, so far.
    recorded: BTreeMap<String, Told>,
    /// What our server tells.
    told: BTreeMap<String, Told>,
}

impl<'a> Replay<'a> {
    /// Says all of it.
    ///
    /// # Panics
    ///
    /// If our server does not say what the recorded one said, but for the differences in the table.
    pub(super) async fn run(recording: &'a str, folders: &'a Folders, server: &TestServer) {
        let mut this = Self {
            recording,
            folders,
            proxy: Proxy::start(server.url(), Vec::new()).await,
            peer: None,
            session_id: None,
            asked: HashMap::new(),
            due: Vec::new(),
            recorded: BTreeMap::new(),
            told: BTreeMap::new(),
        };
        for said in recording::read(recording, |message| folders.put_into(message)) {
            match said {
                Said::Open => this.open().await,
                Said::Agent(text) => this.say(text).await,
                Said::Server(message) => this.expect(message),
            }
        }
        this.end().await;
    }

    async fn open(&mut self) {
        self.settle().await;
        if let Some(older) = self.peer.take() {
            assert!(self.asked.is_empty(), "{}: not answered", self.recording);
            self.proxy.cut();
            older.hang_up();
        }
        for told in self.told.values_mut().chain(self.recorded.values_mut()) {
            told.cut();
        }
        let transport = within_patience("a connection", Transport::websocket(self.proxy.url())).await;
        self.peer = Some(Peer::new(transport.expect("the proxy listens")));
    }

    /// Says a line, once it is its turn.
    async fn say(&mut self, mut text: String) {
        self.settle().await;
        let message: Value = serde_json::from_str(&text).expect("a message is JSON");
        let params = &message["params"];
        if let Some(resumed) = params["resumeSessionId"].as_str() {
            let (recorded, ours) = self.session_id.as_ref().expect("there was a session");
            assert_eq!(resumed, recorded);
            text = text.replace(recorded, ours);
        }
        if let Some(after) = params["afterSeq"].as_u64() {
            let ours = self.cursor(params, after);
            text = text.replace(&format!("\"afterSeq\":{after}"), &format!("\"afterSeq\":{ours}"));
        }
        if let Some(shortened) = params["dataBase64"].as_str()
            && shortened.contains(LEFT_OUT)
        {
            let payload = base64(patched_file());
            assert!(has_the_ends_of(&payload, shortened), "it was another file");
            text = text.replace(shortened, &payload);
        }
        if let Some(id) = message["id"].as_u64() {
            let message: Value = serde_json::from_str(&text).expect("only values were replaced");
            let asked = Asked {
                method: message["method"].as_str().expect("it has a method").to_owned(),
                params: message["params"].clone(),
            };
            assert!(self.asked.insert(id, asked).is_none(), "{id} is used twice");
        }
        let peer = self.peer.as_mut().expect("the connection is open");
        peer.send_text(text).await;
    }

    /// Our number for the place in a process's output that has this number in the recording.
    fn cursor(&self, params: &Value, recorded: u64) -> u64 {
        let process_id = params["processId"].as_str().expect("a process has an id");
        let bytes = self.recorded[process_id].output_up_to(recorded).len();
        self.told[process_id].cursor_at(bytes)
    }

    fn expect(&mut self, message: Value) {
        if message.get("id").is_some() {
            return self.due.push(message);
        }
        let process_id = message["params"]["processId"].as_str();
        let process_id = process_id.expect("it is about a process").to_owned();
        self.recorded.entry(process_id).or_default().notified(&message);
    }

    /// Waits for everything that the recording has so far.
    async fn settle(&mut self) {
        for recorded in std::mem::take(&mut self.due) {
            let id = recorded["id"].as_u64().expect("the agent counts its requests");
            let peer = self.peer.as_mut().expect("the connection is open");
            let wanted = |message: &Value| message["id"] == id;
            let ours = peer.claim(&format!("the answer to {id}"), wanted).await;
            // The agent leaves it out, and so must we.
            assert!(ours.get("jsonrpc").is_none(), "{ours}");
            let asked = self.asked.remove(&id).expect("it is answered once");
            self.check_answer(id, &asked, &recorded, &ours);
        }
        let recorded: Vec<(String, Told)> = self.recorded.clone().into_iter().collect();
        for (process_id, recorded) in recorded {
            self.notified_until(&process_id, |told| told.has_reached(&recorded))
                .await;
        }
    }

    /// Takes in what is told of a process until it is enough.
    async fn notified_until(&mut self, process_id: &str, is_enough: impl Fn(&Told) -> bool) {
        let peer = self.peer.as_mut().expect("the connection is open");
        let told = self.told.entry(process_id.to_owned()).or_default();
        while !is_enough(told) {
            let so_far = told.output_up_to(u64::MAX);
            let what = format!("more of {process_id} than {:?}", String::from_utf8_lossy(&so_far));
            let wanted = |message: &Value| message["params"]["processId"] == process_id;
            let message = peer.claim(&what, wanted).await;
            assert!(message.get("jsonrpc").is_none(), "{message}");
            told.notified(&message);
        }
    }

    fn check_answer(&mut self, id: u64, asked: &Asked, recorded: &Value, ours: &Value) {
        let Self { recording, .. } = *self;
        let method = asked.method.as_str();
        let answered = Answered {
            recording,
            id,
            method,
        };
        if let Some((Rule::Refused(code), reason)) = rule(recording, Some(id), method, "") {
            assert_eq!(ours["error"]["code"], code, "{answered:?}: {ours}: {reason}");
            assert_eq!(ours["error"]["data"]["kind"], "methodNotFound", "{ours}");
            return;
        }
        if let Some(error) = recorded.get("error") {
            // The message is for people.
            assert_eq!(ours["error"]["code"], error["code"], "{answered:?}: {ours}");
            assert!(ours["error"]["message"].is_string(), "{ours}");
            return;
        }
        let (recorded, ours) = (&recorded["result"], &ours["result"]);
        match method {
            "initialize" => self.check_session(recorded, ours),
            "process/read" => return self.check_read(answered, &asked.params, recorded, ours),
            _ => {}
        }
        answered.check(recorded, ours);
    }

    /// A resumed session is the same one.
    fn check_session(&mut self, recorded: &Value, ours: &Value) {
        let id = |result: &Value| result["sessionId"].as_str().expect("it has an id").to_owned();
        let ids = (id(recorded), id(ours));
        if let Some(before) = self.session_id.replace(ids.clone()) {
            assert_eq!(before, ids);
        }
    }

    /// What is read goes on where we were, and has at least what the recorded one had. Unless there is more by now, the
    /// state is the same.
    fn check_read(&mut self, answered: Answered<'_>, params: &Value, recorded: &Value, ours: &Value) {
        let process_id = params["processId"].as_str().expect("a process has an id");
        let after = params["afterSeq"].as_u64().expect("the agent says from where");
        let theirs: ReadResult = serde_json::from_value(recorded.clone()).expect("it was recorded");
        let result: ReadResult = serde_json::from_value(ours.clone()).expect("it is one");
        let told = self.told.get_mut(process_id).expect("it has said something");
        let begin = told.output_up_to(after).len();
        told.read(after, &result);
        let read = told.output_up_to(result.next_seq.0 - 1);
        let expected = self.recorded[process_id].output_up_to(theirs.next_seq.0 - 1);
        assert!(begin <= expected.len() && read.starts_with(&expected), "{ours}");
        if read.len() == expected.len() {
            answered.check(recorded, ours);
        }
    }

    /// Waits for the end of each process, and compares all that was told of it.
    async fn end(mut self) {
        self.settle().await;
        assert!(self.asked.is_empty(), "{}: not answered", self.recording);
        let recorded = std::mem::take(&mut self.recorded);
        for (process_id, recorded) in recorded {
            self.notified_until(&process_id, Told::is_closed).await;
            let told = &self.told[&process_id];
            told.check_end();
            self.check_output(&recorded, told);
            if recorded.is_closed() {
                recorded.check_end();
                assert_eq!(told.exit_code(), recorded.exit_code(), "{process_id}");
                assert_eq!(
                    told.output_after_exit(),
                    recorded.output_after_exit(),
                    "{process_id}"
                );
                continue;
            }
            let known = rule(self.recording, None, "process/closed", "");
            assert!(
                known.is_some_and(|(rule, _)| rule == Rule::ToItsEnd),
                "{process_id}"
            );
        }
        self.peer.take().expect("the connection is open").finish().await;
    }

    fn check_output(&self, recorded: &Told, told: &Told) {
        let known = rule(self.recording, None, "process/output", "/chunk");
        for stream in [Stream::Stdout, Stream::Stderr, Stream::Pty] {
            let (recorded, ours) = (recorded.output(stream), told.output(stream));
            if known.is_some_and(|(rule, _)| rule == Rule::Variables) {
                assert_eq!(
                    self.variables(&ours, true),
                    self.variables(&recorded, false),
                    "{stream:?}"
                );
            } else {
                let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
                assert!(
                    ours == recorded,
                    "{stream:?}: {:?} instead of {:?}",
                    text(&ours),
                    text(&recorded)
                );
            }
        }
    }

    /// Variables in order of their names, each behind the byte 1. Those of the machine must be those of ours.
    fn variables(&self, output: &[u8], are_ours: bool) -> Vec<String> {
        let text = String::from_utf8(output.to_vec()).expect("they are text");
        let (home, work) = (self.folders.home(), self.folders.work());
        let machine = [
            ("HOME", home.as_os_str()),
            ("PATH", PATH.as_ref()),
            ("PWD", work.as_os_str()),
        ];
        let mut variables: Vec<String> = text
            .split_terminator('\x01')
            .map(|variable| {
                let (name, value) = variable.split_once('=').expect("it has a value");
                match machine.iter().find(|(machine, _)| *machine == name) {
                    Some((_, expected)) => {
                        assert!(!are_ours || value == *expected, "{variable}");
                        name.to_owned()
                    }
                    None => variable.to_owned(),
                }
            })
            .collect();
        variables.sort();
        variables
    }
}

/// The big file of a recording, whose middle was left out of it.
pub(super) fn big_file() -> Vec<u8> {
    let lines = (0..90_000).map(|number| format!("line {number}\n"));
    lines.collect::<String>().into_bytes()
}

/// The big file with a line changed that is not in the recording.
pub(super) fn patched_file() -> Vec<u8> {
    let text = String::from_utf8(big_file()).expect("it is text");
    text.replace("line 45000\n", "LINE 45000\n").into_bytes()
}

/// Puts the files in place that were there before the recording.
pub(super) fn prepare(folders: &Folders) {
    let file = folders.work().join("big.txt");
    fs::write(file, big_file()).expect("the folder is there");
}
