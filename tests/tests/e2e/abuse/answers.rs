//! A client that asks without end and takes no answer: it is read no more, and what is held for it has a bound.

use exec_server::limits::{
    MAX_BATCHED_BYTES, MAX_MATCH_TEXT_BYTES, MAX_MESSAGE_BYTES, MAX_REQUESTS_IN_FLIGHT, MAX_UNREAD_BYTES,
    MAX_WAITING_BYTES, WAITS_MEMORY_BYTES,
};
use exec_tests::{Peer, fixture};
use serde_json::{Value, json};

use super::raw::{Raw, parse};
use super::{assert_grown_within, is_answered, on_raw_wires};

/// Requests in a flood. With the lengths below they are more than all sockets on the way hold.
const REQUESTS: usize = 100_000;

/// What a request costs beside its texts while it waits, or its answer does, in bytes, rounded up.
const REQUEST_BYTES: usize = 2 << 10;

/// What a connection holds that has sent so many requests and takes no answer, each of which is at most so long, in KiB: those
/// that wait to be written, one that is made, one that is written, and a copy of either.
pub(super) fn unread_kib(requests: usize, longest_answer: usize) -> u64 {
    let requests = requests.min(MAX_REQUESTS_IN_FLIGHT);
    ((MAX_UNREAD_BYTES + requests * REQUEST_BYTES + 4 * longest_answer) >> 10) as u64
}

/// Sends messages and takes no answer until the server reads no more, or has read all; looks at what that costs; then reads
/// so many answers to them.
async fn flood(
    raw: &mut Raw,
    other: Option<&mut Peer>,
    messages: &[u8],
    answers: usize,
    held_kib: u64,
) -> Flooded {
    let before = raw.server.anonymous_kib();
    let taken = raw.send_until_held_up(messages).await;
    raw.until_idle().await;
    if let Some(other) = other {
        is_answered(other).await;
    }
    assert_grown_within(raw.server, before, held_kib);
    let answers = raw.exchange(&messages[taken..], answers).await;
    assert_grown_within(raw.server, before, held_kib);
    Flooded {
        answers,
        is_held_up: taken < messages.len(),
    }
}

/// What came of a flood.
struct Flooded {
    answers: Vec<String>,
    is_held_up: bool,
}

/// An id that no other request has, and that makes a request long enough.
fn id(number: usize) -> String {
    format!("{number:0200}")
}

/// Checks that an answer is the one to this request.
fn assert_answers(answer: &str, number: usize) {
    let id = format!(r#""id":"{}""#, id(number));
    assert!(
        answer.contains(&id),
        "not the answer to request {number}: {answer}"
    );
}

/// Lets a process `p` say a million bytes, and waits for its end.
async fn say_a_million(raw: &mut Raw) {
    raw.start(json!({"processId": "p", "argv": fixture::argv(["emit", "1000000"])}))
        .await;
    let closed = json!({"processIds": ["p"], "until": {"kind": "closed"}, "waitMs": 30_000});
    assert_eq!(
        raw.call("process/wait", closed).await["result"]["timedOut"],
        false
    );
}

/// Starts a process `w` that says nothing before its stdin ends.
async fn start_silent(raw: &mut Raw) {
    raw.start(json!({"processId": "w", "argv": fixture::argv(["echo"]), "pipeStdin": true}))
        .await;
}

on_raw_wires! {
    async fn refusals_of_a_hundred_thousand_requests_wait_for_their_reader(raw: &mut Raw, other: Option<&mut Peer>) {
        let request = |number| raw.message(&format!(r#"{{"id":"{}","method":"x"}}"#, id(number)));
        let requests: Vec<u8> = (0..REQUESTS).flat_map(request).collect();
        let flooded = flood(raw, other, &requests, REQUESTS, unread_kib(REQUESTS, 1 << 10)).await;
        assert!(flooded.is_held_up, "it is read on while it takes no answer");
        for (number, answer) in flooded.answers.iter().enumerate() {
            assert_answers(answer, number);
        }
    }

    async fn batches_of_a_thousand_count_with_their_length(raw: &mut Raw, other: Option<&mut Peer>) {
        const BATCHES: usize = REQUESTS / 1000;
        let batch = |batch: usize| {
            let element = |number| format!(r#"{{"id":"{}","method":"x"}}"#, id(batch * 1000 + number));
            let elements: Vec<_> = (0..1000).map(element).collect();
            raw.message(&format!("[{}]", elements.join(",")))
        };
        let batches: Vec<u8> = (0..BATCHES).flat_map(batch).collect();
        let flooded = flood(raw, other, &batches, BATCHES, unread_kib(BATCHES, 1 << 20)).await;
        assert!(flooded.is_held_up, "it is read on while it takes no answer");
        for (batch, answer) in flooded.answers.iter().enumerate() {
            assert_eq!(answer.matches("methodNotFound").count(), 1000);
            assert_answers(answer, batch * 1000);
            assert_answers(answer, batch * 1000 + 999);
        }
    }

    async fn lists_are_put_together_when_there_is_room_for_them(raw: &mut Raw, other: Option<&mut Peer>) {
        const PROCESSES: usize = 50;
        // Some 42 MB of them.
        const LISTS: usize = 200;
        for number in 0..PROCESSES {
            let metadata = "x".repeat(4000);
            raw.start(json!({"processId": number.to_string(), "argv": ["/bin/true"], "metadata": metadata})).await;
        }
        let list = |number| raw.message(&format!(r#"{{"id":"{}","method":"process/list"}}"#, id(number)));
        let lists: Vec<u8> = (0..LISTS).flat_map(list).collect();
        let flooded = flood(raw, other, &lists, LISTS, unread_kib(LISTS, PROCESSES * 8000)).await;
        for (number, answer) in flooded.answers.iter().enumerate() {
            assert_answers(answer, number);
            assert_eq!(answer.matches("maxRssBytes").count(), PROCESSES);
        }
    }

    async fn reads_are_put_off_until_there_is_room_for_them(raw: &mut Raw, other: Option<&mut Peer>) {
        // Some 80 MB of them.
        const READS: usize = 60;
        say_a_million(raw).await;
        let read = |number| raw.message(&format!(r#"{{"id":"{}","method":"process/read","params":{{"processId":"p"}}}}"#, id(number)));
        let reads: Vec<u8> = (0..READS).flat_map(read).collect();
        let mut flooded = flood(raw, other, &reads, READS, unread_kib(READS, 2 << 20)).await;
        // Those that were put off may overtake each other.
        let by_id = |answer: &String| answer.split(r#""id":""#).nth(1).map(|rest| rest[..200].to_owned());
        flooded.answers.sort_by_key(by_id);
        for (number, answer) in flooded.answers.iter().enumerate() {
            assert_answers(answer, number);
            assert!(answer.contains(r#""endOffset":1000000"#));
        }
    }

    async fn batches_that_wait_share_the_room_for_what_they_hold(raw: &mut Raw, other: Option<&mut Peer>) {
        // Some 93 MB of them.
        const BATCHES: usize = 70;
        say_a_million(raw).await;
        start_silent(raw).await;
        let before = raw.server.anonymous_kib();
        let batch = |number| {
            let read = json!({"id": number, "method": "process/read", "params": {"processId": "p"}});
            let wait = json!({"id": "wait", "method": "process/read", "params": {"processId": "w", "waitMs": 60_000}});
            raw.message(&json!([read, wait]).to_string())
        };
        let batches: Vec<u8> = (0..BATCHES).flat_map(batch).collect();
        raw.send(&batches).await;
        if let Some(other) = other {
            is_answered(other).await;
        }
        // Those that find no room are answered: a batch in which something is refused waits for nothing that comes behind it.
        let ask = raw.message(r#"{"id":"behind","method":"environment/info"}"#);
        let mut answers = raw.exchange(&ask, 1).await;
        while !answers.last().is_some_and(|answer| answer.contains(r#""behind""#)) {
            answers.extend(raw.exchange(b"", 1).await);
        }
        assert_grown_within(raw.server, before, (MAX_BATCHED_BYTES >> 10) as u64);
        let close = raw.message(r#"{"id":"close","method":"process/closeStdin","params":{"processId":"w"}}"#);
        answers.extend(raw.exchange(&close, BATCHES + 2 - answers.len()).await);
        let batches: Vec<Value> = answers.iter().map(|answer| parse(answer)).filter(Value::is_array).collect();
        assert_eq!(batches.len(), BATCHES);
        let is_refused = |batch: &&Value| batch[0]["error"]["data"]["kind"] == "messageTooLarge";
        let read = BATCHES - batches.iter().filter(is_refused).count();
        let fit = MAX_BATCHED_BYTES / 1_333_333;
        assert!((fit / 2..=fit).contains(&read), "{read} answers were held");
    }

    async fn long_requests_that_wait_are_not_taken_in_without_end(raw: &mut Raw, other: Option<&mut Peer>) {
        start_silent(raw).await;
        let padding = "x".repeat(8 << 20);
        let read = format!(r#"{{"id":1,"method":"process/read","params":{{"processId":"w","waitMs":60000,"padding":"{padding}"}}}}"#);
        let read = raw.message(&read);
        let before = raw.server.anonymous_kib();
        let mut taken = 0;
        while raw.send_until_held_up(&read).await == read.len() {
            taken += read.len();
            // What sockets hold is beside it.
            assert!(taken < MAX_WAITING_BYTES + 2 * MAX_MESSAGE_BYTES, "{taken} bytes of requests that wait were taken in");
        }
        if let Some(other) = other {
            is_answered(other).await;
        }
        assert_grown_within(raw.server, before, ((MAX_WAITING_BYTES + MAX_MESSAGE_BYTES) >> 10) as u64);
    }

    async fn waits_count_with_the_texts_that_they_may_find(raw: &mut Raw, other: Option<&mut Peer>) {
        const PROCESSES: usize = 16;
        // Their texts alone take all the room.
        const WAITS: usize = WAITS_MEMORY_BYTES / (PROCESSES * MAX_MATCH_TEXT_BYTES);
        say_a_million(raw).await;
        let silent: Vec<_> = (1..PROCESSES).map(|number| format!("w{number}")).collect();
        for id in &silent {
            raw.start(json!({"processId": id, "argv": fixture::argv(["echo"]), "pipeStdin": true})).await;
        }
        let ids: Vec<_> = silent.into_iter().chain(["p".to_owned()]).collect();
        let params = |wait_ms| json!({"processIds": ids, "mode": "all", "until": {"kind": "pattern", "regex": "9"}, "waitMs": wait_ms});
        let before = raw.server.anonymous_kib();
        let fired = raw.call("process/wait", params(100)).await["result"]["fired"].take();
        assert_eq!(fired.as_array().map(Vec::len), Some(1), "there is room for one: {fired}");
        let wait = |number| raw.message(&json!({"id": number, "method": "process/wait", "params": params(60_000)}).to_string());
        let waits: Vec<u8> = (0..WAITS).flat_map(wait).collect();
        raw.send(&waits).await;
        let fired = raw.call("process/wait", params(100)).await["result"]["fired"].take();
        assert_eq!(fired, json!([]), "there is room for more than all");
        assert_grown_within(raw.server, before, (WAITS_MEMORY_BYTES >> 10) as u64);
        if let Some(other) = other {
            is_answered(other).await;
        }
    }
}
