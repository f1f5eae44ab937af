//! Output that is fetched by `process/read`.

use serde::Deserialize;

use super::push::Content;
use crate::client::{Client, Failure, Notifications, Start, Streams};
use crate::clock;
use crate::event::Event;
use crate::figure::{CPU, Figure, RATE, Record, Run};
use crate::stats::{mib_per_second, seconds_per_gib};
use crate::tally::Tally;

/// How long a read waits if there is nothing.
const WAIT_MS: u32 = 1000;

/// See the module.
pub(crate) const PULL: Figure = Figure {
    name: "pull",
    about: "head -c N /dev/zero with notifications off and onSlowClient block, fetched by process/read until it \
            is closed and empty",
    server,
    floors: &[],
    most_runs: u32::MAX,
};

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    result: ReadResult<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReadResult<'a> {
    #[serde(borrow)]
    chunks: Vec<Chunk<'a>>,
    next_seq: u64,
    closed: bool,
}

#[derive(Deserialize)]
struct Chunk<'a> {
    seq: u64,
    chunk: &'a str,
}

fn server(run: &Run<'_>, record: &mut Record) -> Result<(), Failure> {
    let (server, mut client) = run.connect(Notifications::None)?;
    let argv = Content::Zeros.argv(run.program, run.sizes.output_bytes);
    let argv: Vec<&str> = argv.iter().map(String::as_str).collect();
    let expected = Content::Zeros.expected(run.sizes.output_bytes);
    let cpu = server.cpu()?;
    let start_ns = clock::now_ns();
    let id = client.requests.start(
        1,
        Start {
            argv: &argv,
            streams: Streams::Pipes,
        },
    )?;
    client.answer(id)?;
    let tally = fetch(&mut client)?;
    let time_ns = clock::since(start_ns);
    record.add(RATE, mib_per_second(tally.bytes(), time_ns));
    record.add(CPU, seconds_per_gib(server.cpu()?.since(cpu), tally.bytes()));
    record.check(&tally, expected);
    Ok(())
}

/// Reads until there is nothing more. The next read is under way while the answer to the last is looked at, as a
/// reader does it that is in a hurry.
fn fetch(client: &mut Client) -> Result<Tally, Failure> {
    let mut tally = Tally::default();
    client.requests.read(1, 0, WAIT_MS)?;
    loop {
        let (message, requests) = client.next_message()?;
        let Event::Answer { message, .. } = Event::parse(message) else {
            // A server that does not know how to be silent pushes as well.
            Event::parse(message).refusal()?;
            continue;
        };
        let early = next_seq_of(message);
        if let Some(next_seq) = early {
            requests.read(1, next_seq.saturating_sub(1), WAIT_MS)?;
        }
        let Answer { result } =
            serde_json::from_slice(message).map_err(|error| Failure::Wrong(error.to_string()))?;
        if early.is_none() {
            requests.read(1, result.next_seq.saturating_sub(1), WAIT_MS)?;
        }
        for chunk in &result.chunks {
            tally.output(chunk.seq, chunk.chunk.as_bytes())?;
        }
        if result.closed && result.chunks.is_empty() {
            return Ok(tally);
        }
    }
}

/// The member `nextSeq` behind the chunks, without reading those.
fn next_seq_of(message: &[u8]) -> Option<u64> {
    const NAME: &[u8] = b"\"nextSeq\":";
    let tail = &message[message.len().saturating_sub(512)..];
    let found = memchr::memmem::rfind(tail, NAME)?;
    Some(crate::event::number(&tail[found + NAME.len()..])?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_cursor_is_found_behind_the_chunks() {
        let answer = concat!(
            r#"{"id":1,"result":{"chunks":[{"seq":1,"stream":"stdout","chunk":"aGk="}],"#,
            r#""nextSeq":22,"closed":false}}"#
        )
        .as_bytes();
        assert_eq!(next_seq_of(answer), Some(22));
        let Answer { result } = serde_json::from_slice(answer).unwrap();
        assert_eq!((result.next_seq, result.chunks.len()), (22, 1));
    }
}
