//! The agent looks around: many requests at once, before the first of them is answered.

use std::collections::BTreeMap;
use std::fs;

use exec_tests::{Wire, base64, on};
use serde_json::{Value, json};

use super::{call, initialize, initialized, request};

/// Requests at once; their ids begin with this.
const FIRST_ID: u64 = 2;

/// How many.
const REQUESTS: u64 = 45;

/// What is expected of an answer.
#[derive(Debug)]
enum Expected {
    /// A result with this member.
    Result(&'static str, Value),
    /// An error with this code.
    Error(i64),
}

/// What stands in the file of this number.
fn content(number: u64) -> String {
    format!("file {number}\n").repeat(usize::try_from(number).expect("it is small") * 100)
}

/// The request with this number and what is expected of it, in a directory with a file for each number.
fn asked(number: u64, directory: &str) -> (&'static str, Value, Expected) {
    let file = format!("file://{directory}/{number}");
    let path = json!({"path": file, "sandbox": null});
    match number % 5 {
        0 => {
            let size = json!(content(number).len());
            ("fs/getMetadata", path, Expected::Result("size", size))
        }
        1 => {
            let data = json!(base64(content(number)));
            ("fs/readFile", path, Expected::Result("dataBase64", data))
        }
        2 => {
            let path = json!({"path": format!("{file}.not-there"), "sandbox": null});
            ("fs/getMetadata", path, Expected::Error(-32004))
        }
        3 => {
            let path = json!({"path": format!("file://{directory}/no/such/{number}"), "sandbox": null});
            ("fs/readFile", path, Expected::Error(-32004))
        }
        _ => {
            let shell = json!({"name": "bash", "path": "/bin/bash"});
            ("environment/info", Value::Null, Expected::Result("shell", shell))
        }
    }
}

/// A request for what we do not have, as the agent asks for it.
fn foreign(number: u64, directory: &str) -> (&'static str, Value, Expected) {
    let uri = format!("file://{directory}/{number}");
    let (method, params) = if number.is_multiple_of(2) {
        (
            "fs/watchMissing",
            json!({"watchId": number, "missing": [uri], "present": null}),
        )
    } else {
        (
            "environmentConfig/read",
            json!({"cwd": uri, "configPaths": [["mcp_servers"]], "requirementsPaths": [["mcp_servers"]]}),
        )
    };
    (method, params, Expected::Error(-32601))
}

/// Says `initialized` and asks everything in one write; each `foreign_each`th request, if any, is for what we do not have.
async fn all_are_answered_once(foreign_each: Option<u64>) {
    let folders = super::folders::Folders::new();
    let directory = folders.work().display().to_string();
    for number in 0..REQUESTS {
        let file = folders.work().join(number.to_string());
        fs::write(file, content(number)).expect("the folder is there");
    }
    exec_tests::on_program(folders.program(), async |server| {
        let (mut client, _) = initialize(server, None).await;
        let mut packet = initialized();
        let mut expected = BTreeMap::new();
        for number in 0..REQUESTS {
            let is_foreign = foreign_each.is_some_and(|each| number.is_multiple_of(each));
            let asked = if is_foreign {
                foreign(number, &directory)
            } else {
                asked(number, &directory)
            };
            let (method, params, answer) = asked;
            packet.extend(request(FIRST_ID + number, method, &params));
            expected.insert(FIRST_ID + number, (method, answer));
        }
        client.send_bytes(&packet).await;
        while !expected.is_empty() {
            let answer = client.next().await;
            let id = answer["id"].as_u64().unwrap_or_else(|| panic!("no id: {answer}"));
            let asked = expected.remove(&id);
            let (method, asked) = asked.unwrap_or_else(|| panic!("nobody waits for {answer}"));
            match asked {
                Expected::Result(member, value) => assert_eq!(answer["result"][member], value, "{method}"),
                Expected::Error(code) => assert_eq!(answer["error"]["code"], code, "{method}: {answer}"),
            }
        }
        // Nothing is left to be said but the answer to what is asked now.
        client
            .send_bytes(&request(FIRST_ID + REQUESTS, "environment/info", &Value::Null))
            .await;
        assert_eq!(client.next().await["id"], FIRST_ID + REQUESTS);
    })
    .await;
}

#[tokio::test]
async fn forty_five_requests_at_once_are_all_answered_once() {
    all_are_answered_once(None).await;
}

#[tokio::test]
async fn requests_for_what_is_not_there_take_nothing_from_their_neighbours() {
    all_are_answered_once(Some(7)).await;
    all_are_answered_once(Some(2)).await;
}

#[tokio::test]
async fn what_is_not_there_is_refused_and_a_command_runs_all_the_same() {
    on(Wire::Websocket, async |server| {
        let (mut client, _) = super::open(server).await;
        let (first, first_params, _) = foreign(0, "/");
        let (second, second_params, _) = foreign(1, "/");
        let start = json!({"processId": "p", "argv": ["/bin/echo", "hi"]});
        let packet = [
            request(2, first, &first_params),
            request(3, "process/start", &start),
            request(4, second, &second_params),
        ];
        client.send_bytes(&packet.concat()).await;
        let (mut codes, mut methods) = (BTreeMap::new(), Vec::new());
        while codes.len() < 3 || methods.len() < 3 {
            let message = client.next().await;
            match message["id"].as_u64() {
                Some(id) => {
                    let twin = codes.insert(id, message["error"]["code"].clone());
                    assert_eq!(twin, None, "{message}");
                }
                None => methods.push(message["method"].clone()),
            }
        }
        let refused = json!(-32601);
        assert_eq!(
            codes,
            BTreeMap::from([(2, refused.clone()), (3, Value::Null), (4, refused)])
        );
        assert_eq!(methods, ["process/output", "process/exited", "process/closed"]);
        let ended = call(&mut client, 5, "process/terminate", json!({"processId": "p"})).await;
        assert_eq!(ended["running"], false);
    })
    .await;
}
