//! Errors as the peer sees them: one code and one kind each, declared here and nowhere else.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::process::ProcessRecord;
use crate::task::TaskId;

/// A JSON-RPC error code. Numbers are part of the contract: never reuse one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
pub enum ErrorCode {
    /// The message is not JSON.
    ParseError = -32700,
    /// The message is JSON, but nothing that may be sent here and now.
    InvalidRequest = -32600,
    /// No such method.
    MethodNotFound = -32601,
    /// The params do not fit the method.
    InvalidParams = -32602,
    /// The request was fine, and could not be carried out.
    InternalError = -32603,
    /// What the request is about is not there.
    NotFound = -32004,
    /// The session is attached to another connection.
    SessionAttached = -32010,
    /// The client took its request back.
    Cancelled = -32800,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $code:ident $name:literal,)*) => {
        /// What went wrong, for programs: stable, and in `data.kind` of every error.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ErrorKind {
            $($(#[$doc])* $variant,)*
        }

        impl ErrorKind {
            /// Every kind there is.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The JSON-RPC code that goes with the kind.
            pub const fn code(self) -> ErrorCode {
                match self { $(Self::$variant => ErrorCode::$code,)* }
            }

            /// The name on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

kinds! {
    /// The message is not JSON, not UTF-8, or nested too deeply.
    ParseError = ParseError "parseError",
    /// No such method.
    MethodNotFound = MethodNotFound "methodNotFound",
    /// JSON, but not a message: a wrong member, an empty batch, a null id.
    InvalidRequest = InvalidRequest "invalidRequest",
    /// `initialize` and `initialized` come first.
    NotInitialized = InvalidRequest "notInitialized",
    /// The session to resume is not known, or its life is over. Final.
    UnknownSession = InvalidRequest "unknownSession",
    /// The session has no process with this id.
    UnknownProcess = InvalidRequest "unknownProcess",
    /// The process ended so long ago that only its end is known, which is in `data.record`.
    ExpiredProcess = InvalidRequest "expiredProcess",
    /// The id is taken by a process of the session, also one that has ended and is still kept.
    DuplicateProcess = InvalidRequest "duplicateProcess",
    /// A message, or a reply, is longer than the limit.
    MessageTooLarge = InvalidRequest "messageTooLarge",
    /// Something else than a regular file is where one was expected.
    NotAFile = InvalidRequest "notAFile",
    /// Something else than a directory is where one was expected.
    NotADirectory = InvalidRequest "notADirectory",
    /// Something is where nothing was expected.
    AlreadyExists = InvalidRequest "alreadyExists",
    /// A directory is to go that is not empty.
    DirectoryNotEmpty = InvalidRequest "directoryNotEmpty",
    /// A file, or a list of files, does not fit into a message.
    FileTooLarge = InvalidRequest "fileTooLarge",
    /// A handle of that name is open.
    DuplicateHandle = InvalidRequest "duplicateHandle",
    /// A handle is for reading, or for writing, and was used for the other.
    WrongHandleMode = InvalidRequest "wrongHandleMode",
    /// There is no task whose id is this, or begins so.
    UnknownTask = InvalidRequest "unknownTask",
    /// Several tasks have ids that begin so, which are in `data.candidates`.
    AmbiguousTask = InvalidRequest "ambiguousTask",
    /// A task with this id is there already.
    DuplicateTask = InvalidRequest "duplicateTask",
    /// The task has no attempt that runs.
    TaskNotRunning = InvalidRequest "taskNotRunning",
    /// The task has not ended.
    TaskNotEnded = InvalidRequest "taskNotEnded",
    /// A member is missing or has the wrong type or value.
    InvalidParams = InvalidParams "invalidParams",
    /// A chunk is not standard base64 with padding.
    InvalidBase64 = InvalidParams "invalidBase64",
    /// `argv` has no element, or an empty first one.
    EmptyArgv = InvalidParams "emptyArgv",
    /// A path is relative, of another host or scheme, or not a path at all.
    InvalidPath = InvalidParams "invalidPath",
    /// The cursor of a read lies beyond what was published.
    CursorAhead = InvalidParams "cursorAhead",
    /// A write id came again with other bytes.
    WriteIdReused = InvalidParams "writeIdReused",
    /// A sandbox or a managed network was asked for, and there is none to enforce it.
    SandboxUnsupported = InvalidParams "sandboxUnsupported",
    /// A process was to outlive its session where nobody could reach it again.
    KeepUnsupported = InvalidParams "keepUnsupported",
    /// A limit was asked for that nobody can keep here.
    LimitsUnsupported = InvalidParams "limitsUnsupported",
    /// There is no such program.
    ProgramNotFound = InternalError "programNotFound",
    /// The working directory is not there, or not a directory.
    CwdNotFound = InternalError "cwdNotFound",
    /// The operating system does not let us run the program, enter the directory, allow so much, or do this to the file.
    PermissionDenied = InternalError "permissionDenied",
    /// The file is there, and is no program that can run here.
    NotExecutable = InternalError "notExecutable",
    /// Out of file descriptors, or of handles.
    TooManyFiles = InternalError "tooManyFiles",
    /// A limit on processes, ours or the operating system's, is reached.
    TooManyProcesses = InternalError "tooManyProcesses",
    /// There are as many sessions as there may be, and none of them is idle without a connection.
    TooManySessions = InternalError "tooManySessions",
    /// The memory for the output of all processes is taken, or the operating system has none left.
    MemoryLimit = InternalError "memoryLimit",
    /// The process does not read its stdin, and the queue before it is full. Nothing was taken.
    StdinFull = InternalError "stdinFull",
    /// There is no room left to write to.
    StorageFull = InternalError "storageFull",
    /// Some of a file's new contents could not be written, so none of them took the place of the old ones.
    WriteIncomplete = InternalError "writeIncomplete",
    /// As much work on files as may be waits for a disk that does not get on. Passes, if it does.
    FilesBusy = InternalError "filesBusy",
    /// The server keeps no tasks: it was told so, or has nowhere to keep them.
    TasksUnavailable = InternalError "tasksUnavailable",
    /// As many tasks as may be kept are kept, and none of them is old enough to go by itself.
    TooManyTasks = InternalError "tooManyTasks",
    /// The server is about to leave.
    ShuttingDown = InternalError "shuttingDown",
    /// Something failed that should not.
    Internal = InternalError "internal",
    /// There is nothing at the path.
    PathNotFound = NotFound "pathNotFound",
    /// No handle of that name is open.
    UnknownHandle = NotFound "unknownHandle",
    /// The session has a connection, and the server was told not to take it from it. Passes.
    SessionAttached = SessionAttached "sessionAttached",
    /// The client took its request back with `$/cancelRequest`.
    Cancelled = Cancelled "cancelled",
}

impl ErrorKind {
    /// The kind with this name on the wire, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == name)
    }
}

/// An error as it stands in a reply.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("{message} ({code})")]
pub struct RpcError {
    /// The JSON-RPC code, an [`ErrorCode`] if the server is ours.
    pub code: i32,
    /// For people; programs read [`ErrorData::kind`].
    pub message: String,
    /// The rest, for programs. Empty if the peer's data has another shape than ours.
    #[serde(default, deserialize_with = "data_of_any_peer")]
    pub data: ErrorData,
}

/// The `data` member of an error.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ErrorData {
    /// The name of an [`ErrorKind`]; empty if the server does not tell kinds.
    #[serde(default)]
    pub kind: String,
    /// The number the operating system gave, if it was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errno: Option<i32>,
    /// The member of the params that is wrong, as a path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The limit that was reached, by its name in the answer to `initialize`. None if it is the operating system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<LimitReached>,
    /// How the process ended that the request was about, if it has expired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<Box<ProcessRecord>>,
    /// The tasks that may have been meant, if several may.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub candidates: Box<[TaskId]>,
}

/// A limit that can be reached, by its name in [`Limits`](crate::initialize::Limits). An open set: more may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LimitReached {
    /// Sessions at a time.
    Sessions,
    /// Processes that run at a time, in all sessions.
    Processes,
    /// Processes of one session that run at a time.
    ProcessesPerSession,
    /// Memory for the output of all processes together.
    OutputMemoryBytes,
    /// Stdin of one process that was accepted and not yet written.
    StdinQueueBytes,
    /// Open files of one session.
    FileHandles,
    /// Open files of all sessions.
    FileHandlesTotal,
    /// A limit that came after this was written.
    #[serde(other)]
    Other,
}

/// Longest data of an error that are looked at, in bytes.
///
/// Ours have at most the record of a process, whose texts come to some 70 KiB where each letter is escaped.
const MAX_DATA_BYTES: usize = 256 << 10;

/// JSON-RPC allows any value as the data of an error, so none makes an error unreadable. What is far longer than ours is not
/// built: it may be anything, and as long as a message.
fn data_of_any_peer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ErrorData, D::Error> {
    let text = Box::<RawValue>::deserialize(deserializer)?;
    if text.get().len() > MAX_DATA_BYTES {
        return Ok(ErrorData::default());
    }
    Ok(serde_json::from_str(text.get()).unwrap_or_default())
}

impl RpcError {
    /// An error of this kind, with its code.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            code: kind.code() as i32,
            message: shortened(message.into()),
            data: ErrorData {
                kind: kind.as_str().to_owned(),
                errno: None,
                field: None,
                limit: None,
                record: None,
                candidates: Box::default(),
            },
        }
    }

    /// The same error, about this member of the params.
    #[must_use]
    pub fn with_field(mut self, field: &str) -> Self {
        self.data.field = Some(shortened(field.to_owned()));
        self
    }

    /// The same error, for this limit of ours.
    #[must_use]
    pub fn with_limit(mut self, limit: LimitReached) -> Self {
        self.data.limit = Some(limit);
        self
    }

    /// The same error, with what the operating system said.
    #[must_use]
    pub fn with_errno(mut self, errno: Option<i32>) -> Self {
        self.data.errno = errno;
        self
    }

    /// The same error, with what is known of the process.
    #[must_use]
    pub fn with_record(mut self, record: ProcessRecord) -> Self {
        self.data.record = Some(Box::new(record));
        self
    }

    /// The same error, with the tasks that may have been meant.
    #[must_use]
    pub fn with_candidates(mut self, candidates: Vec<TaskId>) -> Self {
        self.data.candidates = candidates.into();
        self
    }

    /// The kind, if it is one that we know.
    pub fn kind(&self) -> Option<ErrorKind> {
        ErrorKind::from_name(&self.data.kind)
    }
}

/// Longest message, and longest name of a member, in an error of ours, in bytes.
///
/// Both may quote what the peer sent, which may be as long as a message: an answer about it must not
/// be longer than one.
const MAX_TEXT_BYTES: usize = 1024;

/// Marks where a text was cut.
const ELLIPSIS: &str = "…";

fn shortened(mut text: String) -> String {
    if text.len() > MAX_TEXT_BYTES {
        text.truncate(text.floor_char_boundary(MAX_TEXT_BYTES - ELLIPSIS.len()));
        text.push_str(ELLIPSIS);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_name() {
        for kind in ErrorKind::ALL {
            assert_eq!(ErrorKind::from_name(kind.as_str()), Some(*kind));
        }
    }

    #[test]
    fn what_is_quoted_is_cut_at_a_character() {
        let error =
            RpcError::new(ErrorKind::InvalidParams, "ü".repeat(10_000)).with_field(&"x".repeat(10_000));
        assert_eq!(error.message.len(), MAX_TEXT_BYTES - 1);
        assert_eq!(error.data.field.map(|field| field.len()), Some(MAX_TEXT_BYTES));
        assert!(error.message.ends_with("ü…"));
        assert_eq!(shortened("x".repeat(MAX_TEXT_BYTES)).len(), MAX_TEXT_BYTES);
    }

    #[test]
    fn an_error_without_data_is_read_too() {
        let error: RpcError = serde_json::from_str(r#"{"code":-32004,"message":"x"}"#).unwrap();
        assert_eq!((error.code, error.kind()), (-32004, None));
    }

    #[test]
    fn data_of_another_shape_does_not_make_an_error_unreadable() {
        for data in ["null", "7", "\"text\"", "[]", r#"{"errno":"x"}"#, r#"{"more":1}"#] {
            let text = format!(r#"{{"code":1,"message":"x","data":{data}}}"#);
            let error: RpcError = serde_json::from_str(&text).expect(data);
            assert_eq!(error.data, ErrorData::default(), "{data}");
        }
    }

    #[test]
    fn data_are_read_up_to_a_length_that_none_of_ours_has() {
        let with_kind = |kind: &str| {
            let text = format!(r#"{{"code":1,"message":"x","data":{{"kind":"{kind}"}}}}"#);
            serde_json::from_str::<RpcError>(&text).unwrap().data.kind.len()
        };
        let longest = MAX_DATA_BYTES - r#"{"kind":""}"#.len();
        assert_eq!(with_kind(&"k".repeat(longest)), longest);
        assert_eq!(with_kind(&"k".repeat(longest + 1)), 0);
    }
}
