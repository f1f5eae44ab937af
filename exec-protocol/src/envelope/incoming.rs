//! Taking a message apart.

use std::borrow::Cow;
use std::fmt;

use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::nesting::{MAX_DEPTH, is_too_deep};
use super::request_id::{MAX_REQUEST_ID_BYTES, RequestId};
use crate::error::{ErrorKind, RpcError};

/// Most elements of one batch.
///
/// The elements of a batch are held until the last one is answered.
pub const MAX_BATCH_ELEMENTS: usize = 1000;

/// What a peer sent in one frame or line.
#[derive(Debug)]
pub enum Incoming<'a> {
    /// A message of its own.
    Single(Message<'a>),
    /// Several, whose answers go out as one array.
    Batch(Batch<'a>),
}

/// The elements of a batch, each of which may be bad for itself.
pub type Batch<'a> = Vec<Result<Message<'a>, EnvelopeError>>;

/// One JSON-RPC message. `params`, `result` and `error` are the text of a JSON value.
#[derive(Debug)]
pub enum Message<'a> {
    /// Wants exactly one answer.
    Request {
        /// Goes back with the answer.
        id: RequestId<'a>,
        /// Which method.
        method: Cow<'a, str>,
        /// None if absent or null.
        params: Option<&'a str>,
        /// How the peer writes.
        style: Style,
    },
    /// Wants no answer.
    Notification {
        /// Which notification.
        method: Cow<'a, str>,
        /// None if absent or null.
        params: Option<&'a str>,
        /// How the peer writes.
        style: Style,
    },
    /// Answers a request of ours.
    Response {
        /// The request's id. None if the peer could not tell it.
        id: Option<RequestId<'a>>,
        /// The text of the result, or the error.
        outcome: Result<&'a str, RpcError>,
        /// How the peer writes.
        style: Style,
    },
}

impl Message<'_> {
    /// How the peer writes.
    pub fn style(&self) -> Style {
        match self {
            Self::Request { style, .. } | Self::Notification { style, .. } | Self::Response { style, .. } => {
                *style
            }
        }
    }
}

/// Whether messages carry `"jsonrpc":"2.0"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Style {
    /// They do.
    #[default]
    Versioned,
    /// They do not.
    Bare,
}

/// Why a message was refused, and whom to tell.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct EnvelopeError {
    /// [`ErrorKind::ParseError`] or [`ErrorKind::InvalidRequest`].
    pub kind: ErrorKind,
    /// The id of the message, if it has a valid one.
    pub id: Option<RequestId<'static>>,
    /// What is wrong, for people.
    pub message: String,
}

impl EnvelopeError {
    fn parse(message: impl Into<String>) -> Self {
        Self {
            kind: ErrorKind::ParseError,
            id: None,
            message: message.into(),
        }
    }

    fn invalid(message: impl Into<String>) -> Self {
        Self {
            kind: ErrorKind::InvalidRequest,
            id: None,
            message: message.into(),
        }
    }

    fn about(mut self, id: Option<RequestId<'_>>) -> Self {
        self.id = id.map(RequestId::into_owned);
        self
    }
}

impl From<EnvelopeError> for RpcError {
    fn from(error: EnvelopeError) -> Self {
        Self::new(error.kind, error.message)
    }
}

/// Takes apart what came in one frame or line.
///
/// # Errors
///
/// [`EnvelopeError`] if it is not UTF-8, not JSON, nested too deeply, not a message, or an empty or
/// too long batch. A bad element of a batch is an error of that element only.
pub fn parse(bytes: &[u8]) -> Result<Incoming<'_>, EnvelopeError> {
    let text = std::str::from_utf8(bytes)
        .map_err(|error| EnvelopeError::parse(format!("not UTF-8 from byte {} on", error.valid_up_to())))?;
    if is_too_deep(bytes) {
        return Err(EnvelopeError::parse(format!(
            "nested deeper than {MAX_DEPTH} levels"
        )));
    }
    if text.trim_ascii_start().starts_with('[') {
        parse_batch(text).map(Incoming::Batch)
    } else {
        parse_message(text).map(Incoming::Single)
    }
}

fn parse_batch(text: &str) -> Result<Batch<'_>, EnvelopeError> {
    let elements: Elements<'_> =
        serde_json::from_str(text).map_err(|error| EnvelopeError::parse(error.to_string()))?;
    match elements.count {
        0 => Err(EnvelopeError::invalid("an empty batch")),
        count if count > MAX_BATCH_ELEMENTS => Err(EnvelopeError::invalid(format!(
            "a batch of {count} elements is longer than {MAX_BATCH_ELEMENTS}"
        ))),
        _ => Ok(elements
            .kept
            .into_iter()
            .map(|element| parse_message(element.get()))
            .collect()),
    }
}

/// The elements of an array, of which no more are kept than a batch may have.
struct Elements<'a> {
    kept: Vec<&'a RawValue>,
    count: usize,
}

impl<'de: 'a, 'a> Deserialize<'de> for Elements<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bounded;

        impl<'de> Visitor<'de> for Bounded {
            type Value = Elements<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Elements<'de>, A::Error> {
                let mut kept = Vec::new();
                while kept.len() < MAX_BATCH_ELEMENTS {
                    match array.next_element()? {
                        Some(element) => kept.push(element),
                        None => {
                            return Ok(Elements {
                                count: kept.len(),
                                kept,
                            });
                        }
                    }
                }
                let mut count = kept.len();
                while array.next_element::<IgnoredAny>()?.is_some() {
                    count += 1;
                }
                Ok(Elements { kept, count })
            }
        }

        deserializer.deserialize_seq(Bounded)
    }
}

/// The members of an envelope. Each is raw, so that a bad one does not hide the id.
#[derive(Deserialize)]
struct Members<'a> {
    #[serde(borrow, default)]
    jsonrpc: Option<&'a RawValue>,
    // Unlike the others, a null id differs from an absent one.
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    method: Option<&'a RawValue>,
    #[serde(borrow, default)]
    params: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    result: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

fn parse_message(text: &str) -> Result<Message<'_>, EnvelopeError> {
    // Serde would also fill the members from an array, by position.
    if !text.trim_ascii_start().starts_with('{') {
        return Err(refuse(text, "a message is an object"));
    }
    let members: Members<'_> =
        serde_json::from_str(text).map_err(|error| refuse(text, &error.to_string()).about(only_id(text)))?;
    let id = members.id.map(RawValue::get);
    let known_id = id.and_then(RequestId::new);
    let style = match members.jsonrpc.map(RawValue::get) {
        None => Style::Bare,
        Some(r#""2.0""#) => Style::Versioned,
        Some(_) => return Err(EnvelopeError::invalid("`jsonrpc` is not \"2.0\"").about(known_id)),
    };
    let Some(method) = members.method else {
        return parse_response(&members, known_id, style);
    };
    let Ok(method) = serde_json::from_str::<Text<'_>>(method.get()) else {
        return Err(EnvelopeError::invalid("`method` is not a string").about(known_id));
    };
    let params = members.params.map(RawValue::get);
    match (id, known_id) {
        (None, _) => Ok(Message::Notification {
            method: method.0,
            params,
            style,
        }),
        (Some(_), Some(id)) => Ok(Message::Request {
            id,
            method: method.0,
            params,
            style,
        }),
        (Some(_), None) => Err(EnvelopeError::invalid(format!(
            "`id` is not a string or a number of at most {MAX_REQUEST_ID_BYTES} bytes"
        ))),
    }
}

fn parse_response<'a>(
    members: &Members<'a>,
    id: Option<RequestId<'a>>,
    style: Style,
) -> Result<Message<'a>, EnvelopeError> {
    let outcome = match (members.error, members.result) {
        (Some(error), _) => match serde_json::from_str(error.get()) {
            Ok(error) => Err(error),
            // Whatever it answers was ours: its id must not come back as if it were the peer's.
            Err(_) => Err(RpcError::new(
                ErrorKind::Internal,
                "the peer sent an error that is none",
            )),
        },
        (None, Some(result)) => Ok(result.get()),
        (None, None) => return Err(EnvelopeError::invalid("neither a request nor a response").about(id)),
    };
    Ok(Message::Response { id, outcome, style })
}

/// The id of a message whose other members are not usable, such as one that came twice.
#[cold]
fn only_id(text: &str) -> Option<RequestId<'_>> {
    #[derive(Deserialize)]
    struct OnlyId<'a> {
        #[serde(borrow, default)]
        id: Option<&'a RawValue>,
    }

    let only: OnlyId<'_> = serde_json::from_str(text).ok()?;
    RequestId::new(only.id?.get())
}

/// A string, borrowed unless it has escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// Tells text that is not JSON from JSON that is not a message, for the given reason.
#[cold]
fn refuse(text: &str, reason: &str) -> EnvelopeError {
    match serde_json::from_str::<IgnoredAny>(text) {
        Ok(_) => EnvelopeError::invalid(reason),
        Err(error) => EnvelopeError::parse(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> (ErrorKind, Option<String>) {
        let error = parse(text.as_bytes()).expect_err(text);
        (error.kind, error.id.map(|id| id.as_json().to_owned()))
    }

    #[test]
    fn a_request_needs_no_version_and_echoes_any_string_or_number() {
        for id in [
            "1",
            "-1",
            "1.50",
            "1e3",
            "0",
            "\"x\"",
            "\"\"",
            r#""\u00fc""#,
            "123456789012345678901234567890",
        ] {
            let text = format!(r#"{{"id":{id},"method":"m"}}"#);
            let Ok(Incoming::Single(Message::Request {
                id: seen,
                method,
                params,
                style,
            })) = parse(text.as_bytes())
            else {
                panic!("{text}")
            };
            assert_eq!(seen.as_json(), id);
            assert_eq!((method.as_ref(), params, style), ("m", None, Style::Bare));
        }
    }

    #[test]
    fn a_null_member_equals_an_absent_one_but_for_the_id() {
        let text = r#" {"jsonrpc":null,"method":"m","params":null} "#;
        assert!(matches!(
            parse(text.as_bytes()),
            Ok(Incoming::Single(Message::Notification {
                params: None,
                style: Style::Bare,
                ..
            }))
        ));
        assert_eq!(
            refused(r#"{"id":null,"method":"m"}"#),
            (ErrorKind::InvalidRequest, None)
        );
    }

    #[test]
    fn what_is_not_json_is_a_parse_error() {
        for text in ["", "{", "nope", "{\"id\":1", "[1,", "{}}", "{'a':1}"] {
            assert_eq!(refused(text), (ErrorKind::ParseError, None), "{text}");
        }
        assert_eq!(
            parse(b"{\"method\":\"\xff\"}").unwrap_err().kind,
            ErrorKind::ParseError
        );
        assert_eq!(refused(&"[".repeat(200_000)).0, ErrorKind::ParseError);
    }

    #[test]
    fn json_that_is_no_message_is_an_invalid_request_with_the_id_if_it_has_one() {
        for text in [
            "1",
            "\"x\"",
            "null",
            "true",
            "{}",
            "[]",
            r#"{"id":[1],"method":"m"}"#,
        ] {
            assert_eq!(refused(text), (ErrorKind::InvalidRequest, None), "{text}");
        }
        for text in [
            r#"{"id":7}"#,
            r#"{"id":7,"method":1}"#,
            r#"{"id":7,"jsonrpc":"1.0","method":"m"}"#,
        ] {
            assert_eq!(
                refused(text),
                (ErrorKind::InvalidRequest, Some("7".into())),
                "{text}"
            );
        }
    }

    #[test]
    fn a_repeated_member_is_refused() {
        assert_eq!(
            refused(r#"{"id":1,"id":2,"method":"m"}"#),
            (ErrorKind::InvalidRequest, None)
        );
        for text in [
            r#"{"id":1,"method":"m","method":"n"}"#,
            r#"{"id":1,"method":"m","params":{},"params":{}}"#,
        ] {
            assert_eq!(
                refused(text),
                (ErrorKind::InvalidRequest, Some("1".into())),
                "{text}"
            );
        }
    }

    #[test]
    fn an_answer_is_an_answer_also_with_an_error_that_is_none() {
        assert!(matches!(
            parse(br#"{"id":7,"error":1}"#),
            Ok(Incoming::Single(Message::Response { outcome: Err(_), .. }))
        ));
    }

    #[test]
    fn the_elements_of_a_batch_stand_for_themselves() {
        let text = br#"[1, {"id":1,"method":"m"}, [], {"method":"n"}, {"id":2,"result":null}]"#;
        let Ok(Incoming::Batch(batch)) = parse(text) else {
            panic!()
        };
        let kinds: Vec<_> = batch
            .iter()
            .map(|element| element.as_ref().map_err(|error| error.kind))
            .collect();
        assert!(matches!(
            kinds.as_slice(),
            [
                Err(ErrorKind::InvalidRequest),
                Ok(Message::Request { .. }),
                Err(ErrorKind::InvalidRequest),
                Ok(Message::Notification { .. }),
                Ok(Message::Response {
                    outcome: Ok("null"),
                    ..
                }),
            ]
        ));
    }

    #[test]
    fn a_batch_has_at_most_a_thousand_elements() {
        let batch = |count: usize| format!("[{}]", vec!["1"; count].join(","));
        assert!(matches!(
            parse(batch(MAX_BATCH_ELEMENTS).as_bytes()),
            Ok(Incoming::Batch(elements)) if elements.len() == MAX_BATCH_ELEMENTS
        ));
        assert_eq!(
            refused(&batch(MAX_BATCH_ELEMENTS + 1)).0,
            ErrorKind::InvalidRequest
        );
    }

    #[test]
    fn a_long_id_is_refused_without_being_echoed() {
        let text = format!(r#"{{"id":"{}","method":"m"}}"#, "x".repeat(65_536));
        assert_eq!(refused(&text), (ErrorKind::InvalidRequest, None));
    }
}
