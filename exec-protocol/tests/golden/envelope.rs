//! What is around a message, and the errors.

use exec_protocol::envelope::{
    Incoming, Message, Output, RequestId, Style, parse, write_error, write_notice, write_output,
    write_request, write_result,
};
use exec_protocol::process::{ClosedNotice, ClosedParams, Stream, Terminate, TerminateParams};
use exec_protocol::{ErrorKind, Method as _, Notice as _, ProcessId, RpcError, Seq};

use crate::file::lines_of;
use crate::output::closed_core_only;

#[test]
fn every_error_kind_keeps_its_code_and_its_name() {
    let kinds: Vec<_> = ErrorKind::ALL
        .iter()
        .map(|kind| format!("{} {}", kind.code() as i32, kind.as_str()))
        .collect();
    assert_eq!(kinds, lines_of("errors"));
}

#[test]
fn envelopes_are_written_as_their_file_shows() {
    let failed = RpcError::new(ErrorKind::ProgramNotFound, "no \"x\"")
        .with_errno(Some(2))
        .with_field("argv[0]");
    let unreadable = RpcError::new(ErrorKind::ParseError, "not JSON");
    let process_id = ProcessId::new("p\n").unwrap();
    let closed = ClosedParams {
        process_id: process_id.clone(),
        ..closed_core_only()
    };
    let chunk = Output {
        process_id_json: r#""p\n""#,
        seq: Seq(1),
        stream: Stream::Pty,
        bytes: b"\x00\xff\n",
    };
    let terminate = TerminateParams {
        process: process_id.into(),
        grace_ms: None,
    };
    let (seven, eight) = (RequestId::number(7), RequestId::number(8));
    let (text, exponent) = (
        id_of(r#"{"id":"a\u00fc \"1\"","method":"m"}"#),
        id_of(r#"{"id":1.50e3,"method":"m"}"#),
    );
    let (versioned, bare) = (Style::Versioned, Style::Bare);

    let mut envelopes = Envelopes::default();
    for style in [versioned, bare] {
        envelopes.add(|out| write_result(out, style, &seven, r#"{"running":true}"#));
    }
    // An id goes back as it came, whatever it is.
    envelopes.add(|out| write_result(out, versioned, &text, "null"));
    envelopes.add(|out| write_result(out, bare, &exponent, "null"));
    for (id, error) in [(Some(&seven), &failed), (None, &unreadable)] {
        for style in [versioned, bare] {
            envelopes.add(|out| write_error(out, style, id, error));
        }
    }
    for style in [versioned, bare] {
        envelopes.add(|out| write_notice(out, style, ClosedNotice::NAME, &closed));
    }
    for style in [versioned, bare] {
        envelopes.add(|out| write_output(out, style, chunk));
    }
    for style in [versioned, bare] {
        envelopes.add(|out| write_request(out, style, &eight, Terminate::NAME, &terminate));
    }
    assert_eq!(envelopes.0, lines_of("envelope"));
}

#[test]
fn what_is_written_can_be_read_again() {
    for line in lines_of("envelope") {
        let Ok(Incoming::Single(message)) = parse(line.as_bytes()) else {
            panic!("{line}")
        };
        let (Message::Request { style, .. }
        | Message::Notification { style, .. }
        | Message::Response { style, .. }) = message;
        assert_eq!(style == Style::Versioned, line.contains("jsonrpc"), "{line}");
    }
}

#[derive(Default)]
struct Envelopes(Vec<String>);

impl Envelopes {
    fn add(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let mut out = Vec::new();
        write(&mut out);
        self.0.push(String::from_utf8(out).unwrap());
    }
}

fn id_of(request: &'static str) -> RequestId<'static> {
    match parse(request.as_bytes()) {
        Ok(Incoming::Single(Message::Request { id, .. })) => id,
        other => panic!("{request} is read as {other:?}"),
    }
}
