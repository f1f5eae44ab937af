//! A server that says anything at all. The fuzzers have this file, too.

use std::time::Duration;

use bytes::Bytes;
use exec_client::{Client, Event, Process, Transport};
use exec_protocol::process::StartParams;
use exec_protocol::{ProcessId, Seq};
use tokio::runtime::Builder;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Messages of a connection that were not received yet.
const MESSAGES: usize = 4;

/// Longer than any wait of the client, on a clock that does not wait.
const FOR_EVER: Duration = Duration::from_hours(1);

/// What lets the client go on: the answers to its `initialize` and to its first start.
const WELCOME: [&str; 2] = [
    r#"{"id":0,"result":{"sessionId":"s","environmentInfo":{"shell":{"name":"sh","path":"/bin/sh"},"cwd":"file:///"}}}"#,
    r#"{"id":1,"result":{"processId":"p","sandboxType":"none"}}"#,
];

/// Each line is a message of the server: the client's first, or those behind its first start. Whatever they are, the client
/// does not wait for ever, and tells the events of its process in order, without a hole, to an end.
pub(crate) fn client(bytes: &[u8]) {
    let runtime = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("it has no I/O");
    runtime.block_on(async {
        for welcome in [&WELCOME[..0], &WELCOME] {
            let conversation = timeout(FOR_EVER, converse(welcome, bytes));
            conversation.await.expect("the client waits for ever");
        }
    });
}

async fn converse(welcome: &[&'static str], bytes: &[u8]) {
    let (to_client, incoming) = mpsc::channel(MESSAGES);
    let (outgoing, mut from_client) = mpsc::channel::<Bytes>(MESSAGES);
    // It hangs up at its end.
    let server = async move {
        for answer in welcome {
            // Each answers a request; what follows the first of them is a notification.
            from_client.recv().await;
            if to_client
                .send(Bytes::from_static(answer.as_bytes()))
                .await
                .is_err()
            {
                return;
            }
            if *answer == WELCOME[0] {
                from_client.recv().await;
            }
        }
        let mut lines = bytes.split(|byte| *byte == b'\n');
        loop {
            tokio::select! {
                biased;
                heard = from_client.recv() => if heard.is_none() { return },
                place = to_client.reserve() => match (place, lines.next()) {
                    (Ok(place), Some(line)) => place.send(Bytes::copy_from_slice(line)),
                    _ => return,
                },
            }
        }
    };
    let client = async {
        let transport = Transport::memory(outgoing, incoming);
        let Ok(client) = Client::connect(transport, "hostile").await else {
            return;
        };
        let params = StartParams::new(ProcessId::new("p").expect("it is short"), ["true"]);
        if let Ok(mut process) = client.start(&params).await {
            are_in_order(&mut process).await;
        }
        client.close().await;
    };
    tokio::join!(server, client);
}

async fn are_in_order(process: &mut Process) {
    let mut last = Seq::ZERO;
    let mut has_ended = false;
    while let Some(event) = process.next().await {
        assert!(!has_ended, "{event:?} behind the end");
        let (first, to) = match &event {
            Event::Output { seq, .. } | Event::Closed { seq, .. } => (*seq, *seq),
            // In a gap it has the number of the gap's end.
            Event::Exited { seq, .. } if *seq == last => (last.next(), last),
            Event::Exited { seq, .. } => (*seq, *seq),
            Event::Gap { from_seq, to_seq, .. } => (*from_seq, *to_seq),
            Event::Disconnected => (last.next(), last),
        };
        assert_eq!(first, last.next(), "{event:?} behind {last:?}");
        last = to;
        has_ended = matches!(event, Event::Closed { .. } | Event::Disconnected);
    }
    assert!(has_ended, "the events just stopped behind {last:?}");
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    #[test]
    fn whatever_a_server_says_events_come_in_order_to_an_end() {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/client");
        let mut seeds = 0;
        for entry in fs::read_dir(corpus).unwrap() {
            let path = entry.unwrap().path();
            // A failure names its input.
            println!("{}", path.display());
            super::client(&fs::read(path).unwrap());
            seeds += 1;
        }
        assert!(seeds > 0, "there are no inputs");
    }
}
