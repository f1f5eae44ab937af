//! Output in order, then the exit, then the close: once, and last.

use exec_tests::{Peer, fixture, on_every_wire};
use serde_json::json;

/// Processes that run at a time.
const PIPELINED: usize = 30;

/// Processes in all.
const RUNS: usize = 300;

/// Starts short writers in groups, and compares all that each of them said.
async fn no_short_writer_loses_a_byte(peer: &mut Peer, tty: bool) {
    for group in 0..RUNS / PIPELINED {
        let mut requests = Vec::new();
        for run in 0..PIPELINED {
            let id = format!("{group}.{run}");
            let argv = ["/bin/sh", "-c", "echo one; echo two; echo \"$0\"", &id];
            requests.push((
                peer.request(
                    "process/start",
                    json!({"processId": id, "argv": argv, "tty": tty}),
                )
                .await,
                id,
            ));
        }
        for (request, id) in requests {
            peer.response(request).await.expect("it is started");
            let transcript = peer.output_until_closed(&id).await;
            let expected = format!("one\ntwo\n{id}\n");
            assert_eq!(transcript.text().replace("\r\n", "\n"), expected, "{id}");
            assert_eq!(transcript.exit_code, Some(0), "{id}");
            assert_eq!(transcript.output_after_exit(), b"", "{id}");
        }
    }
}

on_every_wire! {
    async fn three_hundred_short_writers_on_pipes_lose_no_byte(peer: &mut Peer) {
        no_short_writer_loses_a_byte(peer, false).await;
    }

    async fn three_hundred_short_writers_on_terminals_lose_no_byte(peer: &mut Peer) {
        no_short_writer_loses_a_byte(peer, true).await;
    }

    async fn both_streams_of_a_process_are_whole_and_numbered_together(peer: &mut Peer) {
        let transcript = peer.run(json!({"processId": "p", "argv": fixture::argv(["records", "2000", "both"])})).await;
        let lines = |remainder| (0..2000).filter(|n| n % 2 == remainder).fold(String::new(), |all, n| format!("{all}{n}\n"));
        assert_eq!(String::from_utf8_lossy(&transcript.stdout), lines(0));
        assert_eq!(String::from_utf8_lossy(&transcript.stderr), lines(1));
    }
}
