//! A good conversation in which one byte is another: nobody else notices, and on lines it goes on.

use exec_tests::websocket::{HANDSHAKE, Opcode, Part, frame};
use exec_tests::{Options, TestServer, Wire, base64, fixture, on_with};
use futures_util::future::join_all;
use serde_json::json;

use super::handshake::is_heard_out;
use super::{AT_A_TIME, HELLO, PROBE, PROBE_ID, is_answered};
use crate::witness;

/// How many places are tried beside those of the first message.
const PLACES: usize = 300;

/// Numbers that are the same for the same seed (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 32).expect("it has 32 bits") % end
    }

    /// These bytes with another one in this place: one bit of it, or all of it.
    fn spoil(&mut self, bytes: &[u8], place: usize) -> Vec<u8> {
        let difference = match self.below(2) {
            0 => 1 << self.below(8),
            _ => 1 + self.below(255),
        };
        let mut bytes = bytes.to_vec();
        bytes[place] ^= u8::try_from(difference).expect("it is below 256");
        bytes
    }
}

/// Another one each time. It is shown when a test fails.
fn seed() -> u64 {
    u64::from(std::process::id()) << 20 | 1
}

/// What is said once a session is open.
fn requests() -> [String; 4] {
    let start = json!({
        "processId": "p", "argv": fixture::argv(["echo"]), "pipeStdin": true, "onDisconnect": "kill",
    });
    [
        json!({"id": "start", "method": "process/start", "params": start}).to_string(),
        json!({"id": "write", "method": "process/write", "params": {"processId": "p", "chunk": base64("hi\n")}}).to_string(),
        json!({"id": "reads", "method": "process/read", "params": {"processId": "p", "afterSeq": 0}}).to_string(),
        json!({"id": "ends!", "method": "process/terminate", "params": {"processId": "p"}}).to_string(),
    ]
}

/// All of it as it goes over a socket: the HTTP request, and a frame for each message.
fn over_websocket() -> Vec<Vec<u8>> {
    let upgrade = format!("GET / HTTP/1.1\r\nHost: localhost\r\n{HANDSHAKE}").into_bytes();
    let requests = requests();
    let messages = HELLO.into_iter().chain(requests.iter().map(String::as_str));
    let frames = messages.map(|text| frame(Opcode::Text, Part::Last, text.as_bytes()));
    [upgrade].into_iter().chain(frames).collect()
}

#[tokio::test]
async fn one_bad_byte_on_a_websocket_costs_only_that_connection() {
    let options = Options {
        detached_session: Some(std::time::Duration::from_secs(1)),
        ..Options::default()
    };
    let seed = seed();
    println!("the seed is {seed}");
    on_with(Wire::Websocket, options, async |server| {
        nobody_else_notices(server, Random(seed)).await;
    })
    .await;
}

async fn nobody_else_notices(server: &TestServer, mut random: Random) {
    let parts = over_websocket();
    let (upgrade, first) = (parts[0].len(), parts[1].len());
    let good = parts.concat();
    let mut places: Vec<_> = (upgrade..upgrade + first).collect();
    places.extend((0..PLACES).map(|_| random.below(good.len())));
    let conversations: Vec<_> = places
        .into_iter()
        .map(|place| random.spoil(&good, place))
        .collect();

    let mut other = server.session().await;
    witness::start(&mut other).await;
    for (round, some) in conversations.chunks(AT_A_TIME).enumerate() {
        join_all(some.iter().map(|bytes| is_heard_out(server, bytes))).await;
        witness::answers(&mut other, &format!("still here in round {round}")).await;
    }
    witness::end(&mut other).await;
    other.finish().await;
}

#[tokio::test]
async fn one_bad_byte_on_stdio_costs_only_its_line() {
    let seed = seed();
    println!("the seed is {seed}");
    let mut random = Random(seed);
    let requests = requests();
    let mut input = HELLO.map(|line| line.as_bytes().to_vec()).to_vec();
    for turn in 0..PLACES {
        let line = requests[turn % requests.len()].as_bytes();
        let place = random.below(line.len());
        input.push(random.spoil(line, place));
        input.push(PROBE.replace("probe", &format!("probe {turn}")).into());
    }
    let answers = is_answered(&input.join(&b'\n')).await;
    for turn in 0..PLACES {
        let probe = format!("\"probe {turn}\"");
        assert_eq!(answers.iter().filter(|id| **id == probe).count(), 1, "{probe}");
    }
}

#[tokio::test]
async fn one_bad_byte_anywhere_in_the_first_line_does_not_keep_a_client_out() {
    let seed = seed();
    println!("the seed is {seed}");
    let mut random = Random(seed);
    let [hello, initialized] = HELLO.map(|line| line.as_bytes().to_vec());
    let again = HELLO[0].replace("hello", "once more").into_bytes();
    let inputs: Vec<_> = (0..hello.len())
        .map(|place| {
            [
                random.spoil(&hello, place),
                again.clone(),
                initialized.clone(),
                PROBE.into(),
            ]
            .join(&b'\n')
        })
        .collect();
    for some in inputs.chunks(AT_A_TIME) {
        for answers in join_all(some.iter().map(|input| is_answered(input))).await {
            assert!(answers.iter().any(|id| id == PROBE_ID), "{answers:?}");
        }
    }
}
