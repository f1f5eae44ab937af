//! What was torn when no server looked is put in order by the next one, and what is there is told.

use std::fs;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use exec_protocol::task::{LogsResult, TaskRecord};
use exec_tests::{Peer, TestServer, Wire, blocks, fixture};
use serde_json::json;

use super::{StateDir, count_lines, get, notices, output, submit, was_lost, written};

/// What each task has written when the server is killed, in bytes: neither whole blocks nor whole lines.
const WRITTEN: u64 = 300_001;

/// Bytes of the header of an index, and of a record in it.
const HEADER: u64 = 256;
const RECORD: u64 = 64;

/// What somebody does to the files of a log, and how much of the output must be left.
struct Harm {
    name: &'static str,
    /// Does it to the raw log and the index.
    does: fn(&Path, &Path),
    left: u64,
}

const HARMS: [Harm; 12] = [
    Harm {
        name: "nothing",
        does: |_, _| {},
        left: WRITTEN,
    },
    Harm {
        name: "raw-in-a-block",
        does: |raw, _| cut(raw, 123_457),
        left: 123_457,
    },
    Harm {
        name: "raw-behind-a-line",
        does: |raw, _| cut(raw, 16),
        left: 16,
    },
    Harm {
        name: "raw-empty",
        does: |raw, _| cut(raw, 0),
        left: 0,
    },
    Harm {
        name: "index-empty",
        does: |_, index| cut(index, 0),
        left: WRITTEN,
    },
    Harm {
        name: "index-in-the-header",
        does: |_, index| cut(index, HEADER - 1),
        left: WRITTEN,
    },
    Harm {
        name: "index-in-a-record",
        does: |_, index| cut(index, HEADER + RECORD / 2 + 1),
        left: WRITTEN,
    },
    Harm {
        name: "both",
        does: |raw, index| {
            cut(raw, 4_097);
            cut(index, HEADER + RECORD - 1);
        },
        left: 4_097,
    },
    Harm {
        name: "index-with-garbage",
        does: |_, index| append(index, &[0xa5; 1_000]),
        left: WRITTEN,
    },
    Harm {
        name: "index-with-zeros",
        does: |_, index| append(index, &[0; 4_096]),
        left: WRITTEN,
    },
    Harm {
        name: "header-of-another-file",
        does: |_, index| over(index, 0, &[0xff; 256]),
        left: WRITTEN,
    },
    Harm {
        name: "no-index",
        does: |_, index| fs::remove_file(index).unwrap(),
        left: WRITTEN,
    },
];

fn cut(path: &Path, bytes: u64) {
    fs::File::options()
        .write(true)
        .open(path)
        .unwrap()
        .set_len(bytes)
        .unwrap();
}

fn over(path: &Path, position: u64, bytes: &[u8]) {
    let file = fs::File::options().write(true).open(path).unwrap();
    file.write_all_at(bytes, position).unwrap();
}

fn append(path: &Path, bytes: &[u8]) {
    let length = fs::metadata(path).unwrap().len();
    over(path, length, bytes);
}

/// Starts a task for each harm, waits until its output is kept, and kills the server.
async fn crash_with_output(state: &StateDir) {
    let server = state.server(Wire::Websocket).await;
    let mut peer = server.session().await;
    peer.call("task/lanes", json!({"lane": "l", "maxParallel": 100}))
        .await;
    let then_stay = r#""$0" "$@" && exec sleep 1000"#;
    for harm in &HARMS {
        let mut argv = vec!["/bin/sh".to_owned(), "-c".to_owned(), then_stay.to_owned()];
        argv.extend(fixture::argv(["blocks", &WRITTEN.to_string()]));
        submit(&mut peer, json!({"taskId": harm.name, "argv": argv, "lane": "l"})).await;
    }
    for harm in &HARMS {
        written(&mut peer, harm.name, WRITTEN).await;
    }
    server.crash().await;
    peer.hang_up();
}

/// What is told of a log agrees with itself and with what was written.
fn check(harm: &Harm, record: &TaskRecord, bytes: &[u8], told: &LogsResult) {
    assert!(was_lost(record), "{record:?}");
    assert_eq!(bytes.len() as u64, harm.left, "{}", harm.name);
    blocks::check(0, bytes);
    assert_eq!(told.total_lines, count_lines(bytes), "{}", harm.name);
    assert_eq!((told.total_bytes, &told.omitted[..]), (harm.left, &[][..]));
    assert_eq!((told.log.first_offset, told.log.end_offset), (0, harm.left));
    assert_eq!(record.attempts[0].log, told.log);
    assert_eq!(record.attempts[0].bytes.stdout, harm.left, "{}", harm.name);
}

/// Looks at each log in some other ways too, which need the index.
async fn look_around(peer: &mut Peer, harm: &Harm) {
    let id = harm.name;
    for params in [
        json!({"taskId": id}),
        json!({"taskId": id, "head": 3, "tail": 3}),
        json!({"taskId": id, "range": {"unit": "line", "from": 1, "to": 3}}),
        json!({"taskId": id, "grep": {"regex": "^0+7$", "before": 1}}),
    ] {
        peer.call("task/logs", params).await;
    }
    let lines = peer.call("task/logs", json!({"taskId": id, "head": 1})).await;
    let first = lines["parts"][0]["text"].as_str().unwrap_or_default();
    let is_first = first.starts_with("000000000000000\n");
    assert!(is_first || harm.left == 0, "{id}: {first:?}");
}

#[tokio::test]
async fn a_log_that_was_torn_in_any_way_is_told_as_far_as_it_is_there() {
    let state = StateDir::new();
    crash_with_output(&state).await;
    for harm in &HARMS {
        (harm.does)(&state.raw_log(harm.name), &state.index(harm.name));
    }
    // A second start finds what the first one has put in order.
    for _ in 0..2 {
        let server: TestServer = state.server(Wire::Websocket).await;
        let mut peer = server.session().await;
        for harm in &HARMS {
            let record = get(&mut peer, harm.name).await;
            let (bytes, told) = output(&mut peer, harm.name, 1, 0).await;
            check(harm, &record, &bytes, &told);
            look_around(&mut peer, harm).await;
        }
        assert_eq!(notices(&mut peer).await.len(), HARMS.len());
        peer.finish().await;
        server.finish().await;
    }
}
