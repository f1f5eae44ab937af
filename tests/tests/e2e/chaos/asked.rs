//! What a client has asked for, and what it may be answered.

use exec_protocol::RpcError;
use serde_json::Value;

use super::told::parse;

/// A request that has no answer yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asked {
    /// To start a process.
    Start { name: String },
    /// Output behind a number.
    Read {
        name: String,
        after: u64,
        max_bytes: u64,
    },
    /// Output from an offset on.
    ReadFrom {
        name: String,
        offset: u64,
        max_bytes: u64,
    },
    /// To type something.
    Write { name: String, number: u64 },
    /// To know when something is so.
    Wait { name: String, kind: &'static str },
    /// Something else about a process.
    About { name: String, method: &'static str },
    /// What is always answered.
    Plain,
    /// What is always refused, so.
    Refused(&'static str),
}

/// An answer, as far as all of them are alike.
pub(super) type Answer = Result<Value, RpcError>;

impl Asked {
    /// The process that it is about.
    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Self::Start { name }
            | Self::Read { name, .. }
            | Self::ReadFrom { name, .. }
            | Self::Write { name, .. }
            | Self::Wait { name, .. }
            | Self::About { name, .. } => Some(name),
            Self::Plain | Self::Refused(_) => None,
        }
    }
}

/// What a message says to whom it answers.
pub(super) fn answer(message: &Value) -> Answer {
    assert!(
        message.get("result").is_some() != message.get("error").is_some(),
        "neither a result nor an error, or both"
    );
    match message.get("error") {
        None => Ok(message["result"].clone()),
        Some(error) => {
            let error: RpcError = parse(error);
            let kind = error.kind();
            let kind = kind.unwrap_or_else(|| panic!("{:?} is no kind of error", error.data.kind));
            assert_eq!(kind.code() as i32, error.code, "{kind:?} has another code");
            assert_ne!(error.data.kind, "internal", "{}", error.message);
            Err(error)
        }
    }
}
