//! Putting a message together.
//!
//! Messages are appended to a buffer that the caller reuses: the wire is made of many small ones.

use serde::Serialize;

use super::incoming::Style;
use super::request_id::RequestId;
use crate::error::RpcError;
use crate::method::Notice as _;
use crate::process::{OutputNotice, Stream};
use crate::{Seq, blob};

impl Style {
    fn open(self) -> &'static [u8] {
        match self {
            Self::Versioned => br#"{"jsonrpc":"2.0","#,
            Self::Bare => b"{",
        }
    }
}

/// Appends the answer to a request that succeeded. `result` is the text of a JSON value.
pub fn write_result(out: &mut Vec<u8>, style: Style, id: &RequestId<'_>, result: &str) {
    begin_result(out, style, id);
    out.extend_from_slice(result.as_bytes());
    end_result(out);
}

/// Appends what comes before the result in the answer to a request.
pub fn begin_result(out: &mut Vec<u8>, style: Style, id: &RequestId<'_>) {
    out.extend_from_slice(style.open());
    out.extend_from_slice(b"\"id\":");
    out.extend_from_slice(id.as_json().as_bytes());
    out.extend_from_slice(b",\"result\":");
}

/// Appends what comes behind the result.
pub fn end_result(out: &mut Vec<u8>) {
    out.push(b'}');
}

/// Appends the answer to a request. `outcome` is the rest of the object: its `result` or `error`
/// member and the closing brace.
pub fn write_response(out: &mut Vec<u8>, style: Style, id: &RequestId<'_>, outcome: &str) {
    out.extend_from_slice(style.open());
    out.extend_from_slice(b"\"id\":");
    out.extend_from_slice(id.as_json().as_bytes());
    out.push(b',');
    out.extend_from_slice(outcome.as_bytes());
}

/// Appends the answer to a request that failed, or to something whose id could not be told.
pub fn write_error(out: &mut Vec<u8>, style: Style, id: Option<&RequestId<'_>>, error: &RpcError) {
    out.extend_from_slice(style.open());
    out.extend_from_slice(b"\"id\":");
    out.extend_from_slice(id.map_or("null", RequestId::as_json).as_bytes());
    out.extend_from_slice(b",\"error\":");
    write_json(out, error);
    out.push(b'}');
}

/// Appends a notification.
pub fn write_notice<P: Serialize>(out: &mut Vec<u8>, style: Style, method: &str, params: &P) {
    out.extend_from_slice(style.open());
    out.extend_from_slice(b"\"method\":");
    write_json(out, method);
    out.extend_from_slice(b",\"params\":");
    write_json(out, params);
    out.push(b'}');
}

/// Appends a request.
pub fn write_request<P: Serialize>(
    out: &mut Vec<u8>,
    style: Style,
    id: &RequestId<'_>,
    method: &str,
    params: &P,
) {
    out.extend_from_slice(style.open());
    out.extend_from_slice(b"\"id\":");
    out.extend_from_slice(id.as_json().as_bytes());
    out.extend_from_slice(b",\"method\":");
    write_json(out, method);
    out.extend_from_slice(b",\"params\":");
    write_json(out, params);
    out.push(b'}');
}

/// One chunk of output, on its way into a `process/output` notification.
#[derive(Debug, Clone, Copy)]
pub struct Output<'a> {
    /// The process id as JSON: escaped once per process, not once per chunk.
    pub process_id_json: &'a str,
    /// The chunk's number.
    pub seq: Seq,
    /// Where it was written to.
    pub stream: Stream,
    /// The raw bytes.
    pub bytes: &'a [u8],
}

/// Appends a `process/output` notification, encoding its bytes straight into the buffer.
///
/// The same text that [`write_notice`] makes of an [`OutputNotice`](crate::process::OutputParams),
/// without a copy in between.
pub fn write_output(out: &mut Vec<u8>, style: Style, output: Output<'_>) {
    out.extend_from_slice(style.open());
    out.extend_from_slice(b"\"method\":\"");
    out.extend_from_slice(OutputNotice::NAME.as_bytes());
    out.extend_from_slice(b"\",\"params\":{\"processId\":");
    out.extend_from_slice(output.process_id_json.as_bytes());
    out.extend_from_slice(b",\"seq\":");
    write_json(out, &output.seq);
    out.extend_from_slice(b",\"stream\":\"");
    out.extend_from_slice(output.stream.as_str().as_bytes());
    out.extend_from_slice(b"\",\"chunk\":\"");
    blob::append_base64(out, output.bytes);
    out.extend_from_slice(b"\"}}");
}

pub(super) fn write_json<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    serde_json::to_writer(out, value).expect("a Vec takes any write, and our types have string keys only");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::OutputParams;
    use crate::{Blob, ErrorKind, ProcessId};
    use proptest::prelude::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_style_decides_over_the_version() {
        let id = RequestId::number(7);
        let error = RpcError::new(ErrorKind::ParseError, "x");
        for (style, version) in [(Style::Bare, ""), (Style::Versioned, r#""jsonrpc":"2.0","#)] {
            assert_eq!(
                written(|out| write_result(out, style, &id, "[1]")),
                format!(r#"{{{version}"id":7,"result":[1]}}"#)
            );
            assert_eq!(
                written(|out| write_error(out, style, None, &error)),
                format!(
                    r#"{{{version}"id":null,"error":{{"code":-32700,"message":"x","data":{{"kind":"parseError"}}}}}}"#
                )
            );
            assert_eq!(
                written(|out| write_request(out, style, &id, "m", &crate::Empty {})),
                format!(r#"{{{version}"id":7,"method":"m","params":{{}}}}"#)
            );
        }
    }

    proptest! {
        #[test]
        fn output_written_by_hand_is_what_serde_writes(
            name in ".{0,20}",
            seq in any::<u64>(),
            bytes in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            let process_id = ProcessId::new(&name).unwrap();
            let process_id_json = serde_json::to_string(&process_id).unwrap();
            let (seq, stream) = (Seq(seq), Stream::Stderr);
            let by_hand = written(|out| {
                write_output(out, Style::Bare, Output { process_id_json: &process_id_json, seq, stream, bytes: &bytes });
            });
            let params = OutputParams { process_id, seq, stream, chunk: Blob::from(bytes) };
            prop_assert_eq!(by_hand, written(|out| write_notice(out, Style::Bare, OutputNotice::NAME, &params)));
        }
    }
}
