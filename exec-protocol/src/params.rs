//! From the text of a request's params to their type.

use serde::de::DeserializeOwned;

use crate::error::{ErrorKind, RpcError};
use crate::process::TargetError;
use crate::{blob, path};

/// Why params were refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ParamsError {
    /// What is wrong, for programs.
    pub kind: ErrorKind,
    /// Which member it is about, as a path (`argv[1]`), where that is known.
    pub field: Option<String>,
    /// What is wrong, for people.
    pub message: String,
}

impl From<ParamsError> for RpcError {
    fn from(error: ParamsError) -> Self {
        let mut rpc = Self::new(error.kind, error.message);
        rpc.data.field = error.field;
        rpc
    }
}

/// Parses the params of a request. None is read as `{}`, and unknown members are ignored.
///
/// # Errors
///
/// [`ParamsError`] if `text` is not an object (positional params are not supported) or a member is
/// missing, repeated or of the wrong type or value.
pub fn parse_params<T: DeserializeOwned>(text: Option<&str>) -> Result<T, ParamsError> {
    let text = text.map_or("{}", str::trim_start);
    // Serde would fill a struct from an array by position.
    if !text.starts_with('{') {
        return Err(ParamsError {
            kind: ErrorKind::InvalidParams,
            field: None,
            message: "params must be an object".into(),
        });
    }
    serde_json::from_str(text).map_err(|error| explain::<T>(text, &error))
}

/// Parses a second time to find out which member is wrong: the path costs time, and only bad params
/// pay for it.
#[cold]
fn explain<T: DeserializeOwned>(text: &str, error: &serde_json::Error) -> ParamsError {
    let message = without_position(&error.to_string()).to_owned();
    // Serde keeps only the text of a custom error, so that is what its kind is known by.
    let kind = if message.starts_with(&blob::InvalidBase64.to_string()) {
        ErrorKind::InvalidBase64
    } else if message.starts_with(path::INVALID_PATH) {
        ErrorKind::InvalidPath
    } else {
        ErrorKind::InvalidParams
    };
    let mut parser = serde_json::Deserializer::from_str(text);
    let field = serde_path_to_error::deserialize::<_, T>(&mut parser)
        .err()
        .map(|error| error.path().to_string())
        .filter(|path| path != ".")
        // The path leads to where a member is missing, or one too many; only the message names it.
        .or_else(|| named_member(&message).map(str::to_owned));
    ParamsError { kind, field, message }
}

/// The position counts within the params, which the peer sees as a part of its message only; the member
/// is told instead.
fn without_position(message: &str) -> &str {
    message
        .rsplit_once(" at line ")
        .map_or(message, |(message, _)| message)
}

fn named_member(message: &str) -> Option<&str> {
    if message == TargetError::Both.to_string() {
        return Some("uid");
    }
    message.strip_prefix("missing field `")?.split('`').next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::{ReadParams, ResizeParams, StartParams, WriteParams};

    fn refused<T: DeserializeOwned + std::fmt::Debug>(text: &str) -> (ErrorKind, Option<String>) {
        let error = parse_params::<T>(Some(text)).unwrap_err();
        (error.kind, error.field)
    }

    #[test]
    fn the_kind_and_the_member_are_told() {
        use ErrorKind::{InvalidBase64, InvalidParams, InvalidPath};
        let field = |name: &str| Some(name.to_owned());
        assert_eq!(refused::<WriteParams>("[1,2]"), (InvalidParams, None));
        assert_eq!(refused::<WriteParams>("7"), (InvalidParams, None));
        assert_eq!(refused::<WriteParams>("{}"), (InvalidParams, field("processId")));
        assert_eq!(
            refused::<WriteParams>(r#"{"processId":1}"#),
            (InvalidParams, field("processId"))
        );
        assert_eq!(
            refused::<WriteParams>(r#"{"processId":"p","chunk":"%"}"#),
            (InvalidBase64, field("chunk"))
        );
        assert_eq!(
            refused::<StartParams>(r#"{"processId":"p","argv":["a",1]}"#),
            (InvalidParams, field("argv[1]"))
        );
        for (more, name) in [
            (r#""limits":{"cpuSeconds":-1}"#, "limits.cpuSeconds"),
            (r#""limits":{"openFiles":1.5}"#, "limits.openFiles"),
            (
                r#""limits":{"tree":{"memoryBytes":"1"}}"#,
                "limits.tree.memoryBytes",
            ),
            (r#""limits":{"memory":1}"#, "limits.memory"),
            (r#""limits":{"tree":{"cpu":1}}"#, "limits.tree.cpu"),
            (r#""umask":"8""#, "umask"),
            (r#""umask":18"#, "umask"),
        ] {
            assert_eq!(
                refused::<StartParams>(&format!(r#"{{"processId":"p","argv":["a"],{more}}}"#)),
                (InvalidParams, field(name)),
                "{more}"
            );
        }
        assert_eq!(
            refused::<StartParams>(r#"{"processId":"p","argv":["a"],"cwd":"relative"}"#),
            (InvalidPath, field("cwd"))
        );
    }

    #[test]
    fn a_repeated_member_is_refused_also_inside_an_environment() {
        assert_eq!(
            refused::<StartParams>(r#"{"processId":"p","processId":"q","argv":["a"]}"#).0,
            ErrorKind::InvalidParams
        );
        assert_eq!(
            refused::<StartParams>(r#"{"processId":"p","argv":["a"],"env":{"A":"1","A":"2"}}"#).0,
            ErrorKind::InvalidParams
        );
        assert_eq!(
            refused::<StartParams>(r#"{"processId":"p","argv":["a"],"labels":{"A":"1","A":"2"}}"#).0,
            ErrorKind::InvalidParams
        );
    }

    #[test]
    fn a_process_has_one_of_its_names_and_null_is_none() {
        let wrong = |text| {
            let error = parse_params::<WriteParams>(Some(text)).unwrap_err();
            assert_eq!(error.kind, ErrorKind::InvalidParams, "{text}");
            (error.field.unwrap_or_default(), error.message)
        };
        let missing = ("processId".to_owned(), "missing field `processId`".to_owned());
        for neither in [
            "{}",
            r#"{"chunk":"AA=="}"#,
            r#"{"processId":null}"#,
            r#"{"uid":null}"#,
            r#"{"uid":null,"processId":null,"eof":true}"#,
        ] {
            assert_eq!(wrong(neither), missing, "{neither}");
        }
        for both in [
            r#"{"processId":"p","uid":"u"}"#,
            r#"{"uid":"p","chunk":"AA==","processId":"p"}"#,
        ] {
            assert_eq!(wrong(both).0, "uid", "{both}");
        }
        for twice in [
            r#"{"processId":"p","processId":"p"}"#,
            r#"{"uid":"u","uid":"u"}"#,
            r#"{"uid":null,"uid":"u"}"#,
        ] {
            assert!(wrong(twice).1.starts_with("duplicate field"), "{twice}");
        }
    }

    #[test]
    fn the_wrong_member_is_told_whichever_name_the_process_has() {
        let field = |name: &str| (ErrorKind::InvalidParams, Some(name.to_owned()));
        assert_eq!(refused::<ReadParams>(r#"{"uid":7}"#), field("uid"));
        assert_eq!(
            refused::<ReadParams>(r#"{"uid":"u","afterSeq":-1}"#),
            field("afterSeq")
        );
        assert_eq!(
            refused::<ResizeParams>(r#"{"uid":"u","size":{"rows":"x"}}"#),
            field("size.rows")
        );
        assert_eq!(refused::<ResizeParams>(r#"{"processId":"p"}"#), field("size"));
    }
}
