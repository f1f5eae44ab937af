//! The agent works on files while a command prints without an end in sight.

use std::fs;
use std::path::Path;

use exec_protocol::Blob;
use exec_tests::websocket::RawWebsocket;
use exec_tests::{Wire, base64, blocks, fixture, on};
use serde_json::{Value, json};

use super::{open, request};

/// How much the command prints, in bytes.
const FLOOD_BYTES: u64 = 50 << 20;

/// After how much more of it there is another round of requests, in bytes.
const BETWEEN_ROUNDS: u64 = 4 << 20;

/// Most output that comes between requests and their answers, in bytes: what lies in the sockets' buffers and in the
/// server's is in front of them, and nothing else.
const MOST_BEFORE_ANSWERS: u64 = 8 << 20;

/// What may lie in the client's own buffer, in bytes.
const WAITING_BYTES: usize = 128 << 10;

/// Rounds that there must have been while the command printed.
const ROUNDS: u64 = 4;

/// A client that reads everything and counts the flood.
struct Reader {
    client: RawWebsocket,
    flood_bytes: u64,
    is_closed: bool,
    next_id: u64,
}

impl Reader {
    /// Takes in one message; returns it if it is an answer.
    async fn next(&mut self) -> Option<Value> {
        let message = self.client.next().await;
        match message["method"].as_str() {
            None => return Some(message),
            Some("process/output") => {
                let chunk = message["params"]["chunk"].as_str().expect("it has a chunk");
                let Blob(bytes) = Blob::from_base64(chunk).expect("it is base64");
                blocks::check(self.flood_bytes, &bytes);
                self.flood_bytes += bytes.len() as u64;
            }
            Some("process/exited") => assert_eq!(message["params"]["exitCode"], 0),
            Some("process/closed") => self.is_closed = true,
            Some(_) => panic!("{message}"),
        }
        None
    }

    /// Asks for all of these at once, and takes the flood in until each has its answer.
    async fn call(&mut self, requests: Vec<(&str, Value)>) -> Vec<Value> {
        let first_id = self.next_id;
        let mut results = vec![None; requests.len()];
        for (method, params) in requests {
            self.client
                .send_bytes(&request(self.next_id, method, &params))
                .await;
            self.next_id += 1;
        }
        let asked_at = self.flood_bytes;
        while results.contains(&None) {
            if let Some(mut answer) = self.next().await {
                let id = answer["id"].as_u64().unwrap_or_else(|| panic!("no id: {answer}"));
                let place = usize::try_from(id - first_id).expect("it is small");
                assert!(answer.get("error").is_none(), "{answer}");
                let twin = results[place].replace(answer["result"].take());
                assert_eq!(twin, None, "a second answer to {id}");
            }
            let meanwhile = self.flood_bytes - asked_at;
            assert!(
                meanwhile <= MOST_BEFORE_ANSWERS,
                "{meanwhile} bytes came before an answer: {results:?}"
            );
        }
        results.into_iter().flatten().collect()
    }

    /// Writes a file, looks at it, reads it and removes it: work on one path is done in the order of its arrival.
    async fn work_on_a_file(&mut self, directory: &Path, round: u64) {
        let file = directory.join(round.to_string());
        let uri = format!("file://{}", file.display());
        let path = json!({"path": uri, "sandbox": null});
        let data = base64(format!("round {round}\n"));
        let write = json!({"path": uri, "dataBase64": data, "sandbox": null});
        let remove = json!({"path": uri, "recursive": false, "force": false, "sandbox": null});
        let results = self
            .call(vec![
                ("fs/writeFile", write),
                ("fs/getMetadata", path.clone()),
                ("fs/readFile", path),
                ("fs/remove", remove),
            ])
            .await;
        assert_eq!(results[1]["isFile"], true, "{results:?}");
        assert_eq!(results[2], json!({"dataBase64": data}));
        assert_eq!((&results[0], &results[3]), (&json!({}), &json!({})));
        assert!(!file.exists());
    }
}

#[tokio::test]
async fn files_are_worked_on_while_a_command_prints_fifty_mebibytes() {
    on(Wire::Websocket, async |server| {
        let directory = tempfile::tempdir().expect("there is room for a directory");
        let path = directory.path().canonicalize().expect("it is there");
        let (client, _) = open(server).await;
        client.limit_waiting(WAITING_BYTES);
        let mut reader = Reader {
            client,
            flood_bytes: 0,
            is_closed: false,
            next_id: 2,
        };
        let argv = fixture::argv(["blocks", &FLOOD_BYTES.to_string()]);
        let start = json!({"processId": "p", "argv": argv});
        reader.call(vec![("process/start", start)]).await;
        let mut rounds = 0;
        while !reader.is_closed {
            let asked_at = reader.flood_bytes;
            reader.work_on_a_file(&path, rounds).await;
            // Only those count that came to their end with output still to come.
            rounds += u64::from(reader.flood_bytes < FLOOD_BYTES);
            while !reader.is_closed && reader.flood_bytes < asked_at + BETWEEN_ROUNDS {
                assert_eq!(reader.next().await, None, "an answer that nobody waits for");
            }
        }
        assert_eq!(reader.flood_bytes, FLOOD_BYTES);
        assert!(rounds >= ROUNDS, "{rounds} rounds");
        let left = fs::read_dir(&path).expect("it is there").count();
        assert_eq!(left, 0, "files are left behind");
    })
    .await;
}
