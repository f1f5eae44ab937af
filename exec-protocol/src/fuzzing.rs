//! What must hold for any bytes at all. Each function panics where it does not.
//!
//! Fuzzers call these, one for each of their targets; the tests call them with the inputs in `fuzz/corpus`, and with those
//! in `fuzz/reached`.

#![expect(clippy::missing_panics_doc, reason = "to panic is how a target says no")]

use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::envelope::{EnvelopeError, Incoming, Message, RequestId, Style, parse, write_error, write_result};
use crate::{
    CancelRequest, ErrorKind, Method, Notice, RpcError, environment, fs, initialize, parse_params, process,
    server, session, task,
};

/// Longest text about a message that was refused, in bytes: it must not repeat what the peer has sent.
const MAX_REFUSAL_BYTES: usize = 300;

/// Whatever is read of a message can be answered, under the id that it came with, byte for byte.
pub fn envelope(bytes: &[u8]) {
    let incoming = match parse(bytes) {
        Ok(incoming) => incoming,
        Err(error) => return refusal(bytes, error),
    };
    let text = std::str::from_utf8(bytes).expect("what was read is text");
    let is_json = serde_json::from_str::<IgnoredAny>(text).is_ok();
    assert!(is_json, "what is not JSON was read");
    match incoming {
        Incoming::Single(read) => message(bytes, &read),
        Incoming::Batch(elements) => {
            assert!(!elements.is_empty(), "an empty batch was read");
            for element in elements {
                match element {
                    Ok(read) => message(bytes, &read),
                    Err(error) => refusal(bytes, error),
                }
            }
        }
    }
}

/// The first line names a method or a notification; what names none chooses one by its first byte. Whatever of the rest is
/// read as its params, or as its result, is written so that it is read as the same again.
pub fn params(bytes: &[u8]) {
    let end = memchr::memchr(b'\n', bytes).unwrap_or(bytes.len());
    let (name, rest) = bytes.split_at(end);
    let Ok(text) = std::str::from_utf8(rest) else {
        return;
    };
    let by_first_byte = name.first().map_or(0, |byte| usize::from(*byte) % SHAPES.len());
    let (_, check) = SHAPES
        .iter()
        .find(|(known, _)| known.as_bytes() == name)
        .unwrap_or(&SHAPES[by_first_byte]);
    check(text.trim_start());
}

type Shape = (&'static str, fn(&str));

macro_rules! shapes {
    (methods $($method:ty)+; notices $($notice:ty)+;) => {
        const SHAPES: &[Shape] = &[
            $((<$method as Method>::NAME, call::<$method>),)+
            $((<$notice as Notice>::NAME, params_of::<<$notice as Notice>::Params>),)+
        ];
    };
}

shapes! {
    methods
        initialize::Initialize environment::Info environment::Status server::Info server::Stats session::Close
        process::Start process::Read process::Write process::Wait process::Signal process::Terminate
        process::CloseStdin process::Resize process::Get process::List process::Forget
        fs::Open fs::Close fs::ReadBlock fs::WriteBlock fs::ReadFile fs::WriteFile fs::Walk fs::Copy fs::Remove
        fs::CreateDirectory fs::ReadDirectory fs::GetMetadata fs::Canonicalize
        task::Submit task::Get task::List task::Logs task::Wait task::Stop task::StopGroup task::Remove task::Retry
        task::Write task::Resize task::Signal task::Clean task::Lanes task::Notices task::Ack task::Subscribe
        task::Summary;
    notices
        initialize::Initialized CancelRequest process::Ack process::OutputNotice process::GapNotice
        process::ExitedNotice process::ClosedNotice task::Updated task::Settled;
}

fn call<M: Method>(text: &str) {
    params_of::<M::Params>(text);
    if let Ok(result) = serde_json::from_str::<M::Result>(text) {
        is_written_as_read(&result, |text| serde_json::from_str(text).ok());
    }
}

fn params_of<P: Serialize + DeserializeOwned>(text: &str) {
    match parse_params::<P>(Some(text)) {
        Ok(params) => is_written_as_read(&params, |text| parse_params(Some(text)).ok()),
        Err(error) => {
            use ErrorKind::{InvalidBase64, InvalidParams, InvalidPath};
            assert!(matches!(error.kind, InvalidParams | InvalidBase64 | InvalidPath));
            let rpc = RpcError::from(error);
            answered(&RequestId::number(1), Style::Bare, Err(&rpc));
        }
    }
}

/// Compared as text: what is not written need not be equal.
fn is_written_as_read<T: Serialize>(value: &T, read: impl Fn(&str) -> Option<T>) {
    let text = serde_json::to_string(value).expect("what was read can be written");
    let again = read(&text).unwrap_or_else(|| panic!("what was written is refused: {text}"));
    let again = serde_json::to_string(&again).expect("it could be written before");
    assert_eq!(again, text);
}

fn message(bytes: &[u8], message: &Message<'_>) {
    let style = message.style();
    let id = match message {
        Message::Request { id, method, .. } => {
            assert!(method.len() <= bytes.len());
            Some(id)
        }
        Message::Notification { .. } => None,
        Message::Response { id, outcome, .. } => {
            if let Err(error) = outcome {
                answered(&RequestId::number(1), style, Err(error));
            }
            id.as_ref()
        }
    };
    if let Some(id) = id {
        stands_in(bytes, id);
        answered(id, style, Ok("{}"));
        assert_eq!(id.clone().into_owned(), *id);
    }
}

fn refusal(bytes: &[u8], error: EnvelopeError) {
    assert!(matches!(
        error.kind,
        ErrorKind::ParseError | ErrorKind::InvalidRequest
    ));
    assert!(!error.message.is_empty(), "nothing for people");
    assert!(error.message.len() <= MAX_REFUSAL_BYTES, "{error}");
    let id = error.id.clone();
    let rpc = RpcError::from(error);
    if let Some(id) = id {
        stands_in(bytes, &id);
        answered(&id, Style::Bare, Err(&rpc));
    }
    let mut answer = Vec::new();
    write_error(&mut answer, Style::Versioned, None, &rpc);
    serde_json::from_slice::<serde_json::Value>(&answer).expect("an answer is JSON");
}

fn stands_in(bytes: &[u8], id: &RequestId<'_>) {
    let is_there = memchr::memmem::find(bytes, id.as_json().as_bytes()).is_some();
    assert!(is_there, "an id that nobody has sent: {id}");
}

/// An answer under this id can be read, and has the id and the style that it was written with.
fn answered(id: &RequestId<'_>, style: Style, outcome: Result<&str, &RpcError>) {
    let mut answer = Vec::new();
    match outcome {
        Ok(result) => write_result(&mut answer, style, id, result),
        Err(error) => write_error(&mut answer, style, Some(id), error),
    }
    assert!(!answer.contains(&b'\n'), "an answer is a line");
    let read = parse(&answer).expect("an answer can be read");
    let Incoming::Single(Message::Response {
        id: read_id,
        outcome: read_outcome,
        style: read_style,
    }) = read
    else {
        panic!("an answer was read as something else");
    };
    assert_eq!((read_id.as_ref(), read_style), (Some(id), style));
    match (outcome, read_outcome) {
        (Ok(result), Ok(read)) => assert_eq!(read, result),
        (Err(error), Err(read)) => assert_eq!((read.code, &read.message), (error.code, &error.message)),
        (Ok(_), Err(_)) | (Err(_), Ok(_)) => panic!("an answer was read as its opposite"),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    fn replay(inputs: &str, check: fn(&[u8])) {
        let inputs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz").join(inputs);
        let mut seeds = 0;
        for entry in fs::read_dir(inputs).unwrap() {
            let path = entry.unwrap().path();
            // A failure names its input.
            println!("{}", path.display());
            check(&fs::read(path).unwrap());
            seeds += 1;
        }
        assert!(seeds > 0, "there are no inputs");
    }

    /// Each message has a file there, under its name.
    #[test]
    fn every_message_is_tried() {
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
        for directory in fs::read_dir(&golden).unwrap().map(|entry| entry.unwrap().path()) {
            if !directory.is_dir() {
                continue;
            }
            for file in fs::read_dir(&directory).unwrap() {
                let file = file.unwrap().path().with_extension("");
                let name = file.strip_prefix(&golden).unwrap().to_str().unwrap();
                let is_tried = super::SHAPES.iter().any(|(known, _)| *known == name);
                assert!(is_tried || file.is_dir() || name.starts_with("tasks/"), "{name}");
            }
        }
    }

    #[test]
    fn whatever_is_in_the_corpus_can_be_answered() {
        replay("corpus/envelope", super::envelope);
        replay("reached/envelope", super::envelope);
    }

    #[test]
    fn whatever_is_in_the_corpus_is_written_as_it_is_read() {
        replay("corpus/params", super::params);
    }
}
