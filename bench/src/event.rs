//! What a server says, read in place.
//!
//! The messages that come by the hundred thousand have a fast path: their members in the order in which every
//! known server writes them. Any other order is understood as well, by way of serde.

use serde::Deserialize;
use serde_json::value::RawValue;

/// A message of the server. Processes are numbers, because we named them `p` and a number.
#[derive(Debug, PartialEq)]
pub(crate) enum Event<'a> {
    /// Some output; the chunk is still base64.
    Output { process: u32, seq: u64, chunk: &'a [u8] },
    /// The program has ended.
    Exited { process: u32, seq: u64 },
    /// Nothing more will come.
    Closed { process: u32, seq: u64 },
    /// The answer to a request that succeeded. The whole message.
    Answer { id: u64, message: &'a [u8] },
    /// The answer to one that failed.
    Refused { id: u64, message: &'a [u8] },
    /// Something else.
    Other,
}

impl<'a> Event<'a> {
    /// Reads a message. What is no message of this protocol is [`Event::Other`].
    pub(crate) fn parse(message: &'a [u8]) -> Self {
        fast_output(message)
            .or_else(|| fast_answer(message))
            .unwrap_or_else(|| slow(message))
    }
}

/// Whether an answer says that stdin is full for now.
pub(crate) fn is_stdin_full(message: &[u8]) -> bool {
    memchr::memmem::find(message, b"\"stdinFull\"").is_some()
}

fn fast_output(message: &[u8]) -> Option<Event<'_>> {
    let rest = message.strip_prefix(br#"{"method":"process/output","params":{"processId":"p"#)?;
    let (process, rest) = number(rest)?;
    let (seq, rest) = number(rest.strip_prefix(br#"","seq":"#)?)?;
    let rest = rest.strip_prefix(br#","stream":""#)?;
    let stream = memchr::memchr(b'"', rest)?;
    let chunk = rest[stream..].strip_prefix(br#"","chunk":""#)?;
    let end = chunk.len().checked_sub(3)?;
    let chunk = (&chunk[end..] == b"\"}}").then(|| &chunk[..end])?;
    Some(Event::Output {
        process: u32::try_from(process).ok()?,
        seq,
        chunk,
    })
}

fn fast_answer(message: &[u8]) -> Option<Event<'_>> {
    let (id, rest) = number(message.strip_prefix(br#"{"id":"#)?)?;
    rest.starts_with(br#","result":"#)
        .then_some(Event::Answer { id, message })
}

/// The number in front, and what follows it.
pub(crate) fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let text = std::str::from_utf8(&bytes[..digits]).ok()?;
    Some((text.parse().ok()?, &bytes[digits..]))
}

#[derive(Deserialize)]
struct Loose<'a> {
    id: Option<u64>,
    method: Option<&'a str>,
    #[serde(borrow)]
    params: Option<Params<'a>>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Params<'a> {
    process_id: Option<&'a str>,
    seq: Option<u64>,
    chunk: Option<&'a str>,
}

fn slow(message: &[u8]) -> Event<'_> {
    let Ok(loose) = serde_json::from_slice::<Loose<'_>>(message) else {
        return Event::Other;
    };
    match (loose.id, loose.method, loose.params) {
        (Some(id), None, _) if loose.error.is_some() => Event::Refused { id, message },
        (Some(id), None, _) => Event::Answer { id, message },
        (_, Some(method), Some(params)) => notice(method, &params).unwrap_or(Event::Other),
        _ => Event::Other,
    }
}

fn notice<'a>(method: &str, params: &Params<'a>) -> Option<Event<'a>> {
    let process = params.process_id?.strip_prefix('p')?.parse().ok()?;
    let seq = params.seq?;
    match method {
        "process/output" => Some(Event::Output {
            process,
            seq,
            chunk: params.chunk?.as_bytes(),
        }),
        "process/exited" => Some(Event::Exited { process, seq }),
        "process/closed" => Some(Event::Closed { process, seq }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_is_read_in_any_order() {
        let expected = Event::Output {
            process: 12,
            seq: 7,
            chunk: b"aGk=",
        };
        let usual = concat!(
            r#"{"method":"process/output","params":{"processId":"p12","seq":7,"#,
            r#""stream":"pty","chunk":"aGk="}}"#
        )
        .as_bytes();
        assert!(fast_output(usual).is_some());
        assert_eq!(Event::parse(usual), expected);
        let other = concat!(
            r#"{"params":{"chunk":"aGk=","seq":7,"x":[1],"processId":"p12"},"#,
            r#""jsonrpc":"2.0","method":"process/output"}"#
        )
        .as_bytes();
        assert_eq!(Event::parse(other), expected);
    }

    #[test]
    fn an_answer_is_a_result_or_an_error() {
        let yes = br#"{"id":3,"result":{}}"#;
        assert_eq!(Event::parse(yes), Event::Answer { id: 3, message: yes });
        let no = br#"{"error":{"code":-32603,"message":"x","data":{"kind":"stdinFull"}},"id":4}"#;
        assert_eq!(Event::parse(no), Event::Refused { id: 4, message: no });
        assert!(is_stdin_full(no));
    }

    #[test]
    fn an_end_is_told_apart_from_noise() {
        let closed = br#"{"method":"process/closed","params":{"processId":"p1","seq":3}}"#;
        assert_eq!(Event::parse(closed), Event::Closed { process: 1, seq: 3 });
        assert_eq!(Event::parse(b"{"), Event::Other);
        assert_eq!(Event::parse(br#"{"method":"x","params":{}}"#), Event::Other);
    }
}
