//! Domain errors as the peer sees them: the one place where each gets its kind.

use std::borrow::Cow;
use std::io;

use exec_protocol::process::ProcessRecord;
use exec_protocol::{ErrorKind, LimitReached, RpcError};
use exec_tasks::{TaskError, ViewError};
use jsonrpsee::types::ErrorObjectOwned;
use pty_utils::{Field, Resource, SpawnError};
use rustix::io::Errno;

use crate::causes::described;
use crate::env_policy::TooManySteps;
use crate::files::FileError;
use crate::output::{PatternError, ReadError};
use crate::process::{CommandError, ResizeError, SandboxUnsupported, StdinRefusal};
use crate::server::StartError;
use crate::session::{AttachError, HandshakeError, OpenError, ReserveError};
use crate::stats::Stats;

/// Turns an error of ours into jsonrpsee's, which has the same parts, and counts it: it becomes an answer.
pub(super) fn into_object(stats: &Stats, error: RpcError) -> ErrorObjectOwned {
    stats.errors.add(&error);
    let RpcError { code, message, data } = concise(Cow::Owned(error)).into_owned();
    ErrorObjectOwned::owned(code, message, Some(data))
}

/// Longest message of an error, and longest name of a member in it, in bytes. Both may repeat what a peer has sent.
const MAX_TEXT_BYTES: usize = 4 << 10;

/// The error, with texts that a peer made long cut.
pub(super) fn concise(mut error: Cow<'_, RpcError>) -> Cow<'_, RpcError> {
    let is_long = |text: &str| text.len() > MAX_TEXT_BYTES;
    if is_long(&error.message) || error.data.field.as_deref().is_some_and(is_long) {
        let error = error.to_mut();
        cut(&mut error.message);
        error.data.field.as_mut().map(cut);
    }
    error
}

fn cut(text: &mut String) {
    if text.len() > MAX_TEXT_BYTES {
        text.truncate(text.floor_char_boundary(MAX_TEXT_BYTES));
        text.push('…');
    }
}

/// The session has no process with this id.
pub(super) fn unknown_process() -> RpcError {
    RpcError::new(ErrorKind::UnknownProcess, "no such process")
}

/// The process ended so long ago that only its end is known.
pub(super) fn expired_process(record: ProcessRecord) -> RpcError {
    let message = "the process has ended, and what it said is not kept any longer";
    RpcError::new(ErrorKind::ExpiredProcess, message).with_record(record)
}

/// The client has taken its request back.
pub(super) fn cancelled() -> RpcError {
    RpcError::new(ErrorKind::Cancelled, "the request was cancelled")
}

/// The answer does not fit into a message.
pub(super) fn too_long() -> RpcError {
    RpcError::new(ErrorKind::MessageTooLarge, "the answer is too long for a message")
}

/// The server is about to leave.
pub(super) fn shutting_down() -> RpcError {
    RpcError::new(ErrorKind::ShuttingDown, "the server is shutting down")
}

impl From<HandshakeError> for RpcError {
    fn from(error: HandshakeError) -> Self {
        let kind = match error {
            HandshakeError::BeforeInitialize | HandshakeError::BeforeInitialized => ErrorKind::NotInitialized,
            HandshakeError::Again | HandshakeError::InBatch => ErrorKind::InvalidRequest,
        };
        Self::new(kind, error.to_string())
    }
}

impl From<OpenError> for RpcError {
    fn from(error: OpenError) -> Self {
        let kind = match error {
            OpenError::Unknown => ErrorKind::UnknownSession,
            OpenError::TooMany => {
                return Self::new(ErrorKind::TooManySessions, error.to_string())
                    .with_limit(LimitReached::Sessions);
            }
            OpenError::NoRandomness(_) => ErrorKind::Internal,
            OpenError::ShuttingDown => ErrorKind::ShuttingDown,
        };
        Self::new(kind, error.to_string())
    }
}

impl From<AttachError> for RpcError {
    fn from(error: AttachError) -> Self {
        let kind = match error {
            AttachError::Ended(_) => ErrorKind::UnknownSession,
            AttachError::Attached => ErrorKind::SessionAttached,
        };
        Self::new(kind, error.to_string())
    }
}

impl From<ReadError> for RpcError {
    fn from(error: ReadError) -> Self {
        let field = match error {
            ReadError::SeqAhead { .. } => "afterSeq",
            ReadError::OffsetAhead { .. } => "afterOffset",
            ReadError::Released => return unknown_process(),
        };
        Self::new(ErrorKind::CursorAhead, error.to_string()).with_field(field)
    }
}

impl From<PatternError> for RpcError {
    fn from(error: PatternError) -> Self {
        let message = match std::error::Error::source(&error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        };
        Self::new(ErrorKind::InvalidParams, message).with_field("until.regex")
    }
}

impl From<CommandError> for RpcError {
    fn from(error: CommandError) -> Self {
        let (kind, field) = match &error {
            CommandError::TooLong { field } | CommandError::NoTime { field } => {
                (ErrorKind::InvalidParams, *field)
            }
            CommandError::LimitsUnsupported { field } => (ErrorKind::LimitsUnsupported, *field),
            CommandError::KeepUnsupported => (ErrorKind::KeepUnsupported, "onDisconnect"),
            CommandError::EmptyArgv => (ErrorKind::EmptyArgv, "argv"),
            CommandError::Sandbox(refusal) => return (*refusal).into(),
            CommandError::TooManySteps(TooManySteps { field }) => (ErrorKind::InvalidParams, *field),
            CommandError::VariableName { .. } => (ErrorKind::InvalidParams, "env"),
            CommandError::SizeWithoutTerminal => (ErrorKind::InvalidParams, "size"),
        };
        Self::new(kind, error.to_string()).with_field(field)
    }
}

impl From<SandboxUnsupported> for RpcError {
    fn from(error: SandboxUnsupported) -> Self {
        Self::new(ErrorKind::SandboxUnsupported, error.to_string()).with_field(error.field)
    }
}

impl From<StartError> for RpcError {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Reserve(ReserveError::Taken(_)) => {
                Self::new(ErrorKind::DuplicateProcess, error.to_string()).with_field("processId")
            }
            StartError::Reserve(ReserveError::Ended(_)) => {
                Self::new(ErrorKind::UnknownSession, error.to_string())
            }
            StartError::ShuttingDown => shutting_down(),
            StartError::NoRandomness(_) => Self::new(ErrorKind::Internal, error.to_string()),
            StartError::Memory(_) => Self::new(ErrorKind::MemoryLimit, error.to_string())
                .with_limit(LimitReached::OutputMemoryBytes),
            StartError::TooMany => {
                Self::new(ErrorKind::TooManyProcesses, error.to_string()).with_limit(LimitReached::Processes)
            }
            StartError::TooManyInSession => Self::new(ErrorKind::TooManyProcesses, error.to_string())
                .with_limit(LimitReached::ProcessesPerSession),
            StartError::Spawn(error) => spawn(&error),
        }
    }
}

/// The member that names the program, as a path.
const PROGRAM: &str = "argv[0]";

/// The kind is for programs; the message names what failed and what the system said of it.
fn spawn(error: &SpawnError) -> RpcError {
    let (kind, field) = match error {
        SpawnError::EmptyArgv => (ErrorKind::EmptyArgv, Some(Field::Argv.to_string())),
        SpawnError::NulByte { field } => (ErrorKind::InvalidParams, Some(field.to_string())),
        SpawnError::ProgramNotFound { .. } => (ErrorKind::ProgramNotFound, Some(PROGRAM.to_owned())),
        SpawnError::CwdNotFound { .. } => (ErrorKind::CwdNotFound, Some(Field::Cwd.to_string())),
        SpawnError::PermissionDenied { .. } => (ErrorKind::PermissionDenied, None),
        SpawnError::NotExecutable { .. } => (ErrorKind::NotExecutable, Some(PROGRAM.to_owned())),
        SpawnError::ArgumentListTooLong { .. } => (ErrorKind::InvalidParams, Some(Field::Argv.to_string())),
        SpawnError::TooManyFiles { .. } => (ErrorKind::TooManyFiles, None),
        SpawnError::TooManyProcesses { .. } => (ErrorKind::TooManyProcesses, None),
        SpawnError::LimitRefused { resource, .. } => {
            (ErrorKind::PermissionDenied, Some(limit(*resource).to_owned()))
        }
        SpawnError::OutOfMemory { .. } => (ErrorKind::MemoryLimit, None),
        SpawnError::Os { .. } => (ErrorKind::Internal, None),
    };
    let message = match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    };
    let rpc = RpcError::new(kind, message).with_errno(error.errno());
    match field {
        Some(field) => rpc.with_field(&field),
        None => rpc,
    }
}

/// The member that a limit was asked for with.
fn limit(resource: Resource) -> &'static str {
    match resource {
        Resource::CpuSeconds => "limits.cpuSeconds",
        Resource::MemoryBytes => "limits.memoryBytes",
        Resource::OpenFiles => "limits.openFiles",
        Resource::Processes => "limits.processes",
        Resource::FileBytes => "limits.fileBytes",
        Resource::CoreBytes => "limits.coreBytes",
    }
}

impl From<ResizeError> for RpcError {
    fn from(error: ResizeError) -> Self {
        let (kind, errno) = match &error {
            ResizeError::NoTerminal => (ErrorKind::InvalidParams, None),
            ResizeError::Os(source) => (ErrorKind::Internal, source.raw_os_error()),
        };
        Self::new(kind, error.to_string()).with_errno(errno)
    }
}

impl From<FileError> for RpcError {
    fn from(error: FileError) -> Self {
        let (kind, errno) = match &error {
            FileError::NotFound(source) => (ErrorKind::PathNotFound, source.raw_os_error()),
            FileError::Io(source) => (file_error_kind(source), source.raw_os_error()),
            FileError::NoThread(source) => (ErrorKind::TooManyProcesses, source.raw_os_error()),
            FileError::NotStaged(source) => (staging_error_kind(source), source.raw_os_error()),
            FileError::TooMuchWork => (ErrorKind::FilesBusy, None),
            FileError::NotAFile(_) | FileError::IsADirectory(_) => (ErrorKind::NotAFile, None),
            FileError::NotADirectory(_) => (ErrorKind::NotADirectory, said(Errno::NOTDIR)),
            FileError::Exists(_) => (ErrorKind::AlreadyExists, said(Errno::EXIST)),
            FileError::NotEmpty(_) => (ErrorKind::DirectoryNotEmpty, said(Errno::NOTEMPTY)),
            FileError::IntoItself | FileError::NoName => (ErrorKind::InvalidRequest, None),
            FileError::TooLarge | FileError::TooManyEntries => (ErrorKind::FileTooLarge, None),
            FileError::HandleTaken => (ErrorKind::DuplicateHandle, None),
            FileError::TooManyHandles => {
                return Self::new(ErrorKind::TooManyFiles, error.to_string())
                    .with_limit(LimitReached::FileHandles);
            }
            FileError::TooManyHandlesInAll => {
                return Self::new(ErrorKind::TooManyFiles, error.to_string())
                    .with_limit(LimitReached::FileHandlesTotal);
            }
            FileError::UnknownHandle => (ErrorKind::UnknownHandle, None),
            FileError::Spoiled => (ErrorKind::WriteIncomplete, None),
            FileError::WrongMode(_) => (ErrorKind::WrongHandleMode, None),
            FileError::SessionEnded => (ErrorKind::UnknownSession, None),
            FileError::BrokenOff => (ErrorKind::Internal, None),
        };
        Self::new(kind, error.to_string()).with_errno(errno)
    }
}

/// What the operating system says in a case that has an error of its own.
#[expect(clippy::unnecessary_wraps, reason = "other errors have none")]
fn said(errno: Errno) -> Option<i32> {
    Some(errno.raw_os_error())
}

/// The kind of what the operating system said of a file of ours, which is not the client's.
fn staging_error_kind(error: &io::Error) -> ErrorKind {
    match file_error_kind(error) {
        kind @ (ErrorKind::StorageFull | ErrorKind::TooManyFiles) => kind,
        _ => ErrorKind::Internal,
    }
}

/// The kind of what the operating system said of a file that is there.
fn file_error_kind(error: &io::Error) -> ErrorKind {
    use io::ErrorKind as Io;
    match error.kind() {
        Io::PermissionDenied | Io::ReadOnlyFilesystem => ErrorKind::PermissionDenied,
        Io::StorageFull | Io::QuotaExceeded => ErrorKind::StorageFull,
        Io::FileTooLarge => ErrorKind::FileTooLarge,
        Io::IsADirectory => ErrorKind::NotAFile,
        Io::InvalidFilename => ErrorKind::InvalidPath,
        _ => match error.raw_os_error().map(Errno::from_raw_os_error) {
            // Symlinks that lead in a circle.
            Some(Errno::LOOP) => ErrorKind::InvalidPath,
            Some(Errno::MFILE | Errno::NFILE) => ErrorKind::TooManyFiles,
            _ => ErrorKind::Internal,
        },
    }
}

/// The server keeps no tasks.
pub(super) fn no_tasks() -> RpcError {
    RpcError::new(ErrorKind::TasksUnavailable, "no tasks are kept here")
}

/// The refusals of background work.
pub(super) fn task(error: TaskError) -> RpcError {
    let message = described(&error);
    let kind = match error {
        TaskError::Unknown(_) | TaskError::NoSuchAttempt => ErrorKind::UnknownTask,
        TaskError::Ambiguous(_, candidates) => {
            return RpcError::new(ErrorKind::AmbiguousTask, message).with_candidates(candidates);
        }
        TaskError::Duplicate(_) => {
            return RpcError::new(ErrorKind::DuplicateTask, message).with_field("taskId");
        }
        TaskError::NotRunning => ErrorKind::TaskNotRunning,
        TaskError::NotEnded => ErrorKind::TaskNotEnded,
        TaskError::TooMany => ErrorKind::TooManyTasks,
        TaskError::Invalid { field, .. } => return invalid_param(field, message),
        TaskError::EmptyArgv => return RpcError::new(ErrorKind::EmptyArgv, message).with_field("argv"),
        TaskError::View(error) => return view(&error),
        TaskError::Store(error) if error.is_full() => ErrorKind::StorageFull,
        TaskError::Store(_) => ErrorKind::Internal,
        TaskError::Open(_) => ErrorKind::TasksUnavailable,
        TaskError::ShuttingDown => return shutting_down(),
        TaskError::Os(error) => {
            return RpcError::new(ErrorKind::Internal, message).with_errno(error.raw_os_error());
        }
    };
    RpcError::new(kind, message)
}

/// The refusals of a look at what a task has written.
fn view(error: &ViewError) -> RpcError {
    let message = described(error);
    match error {
        ViewError::Regex { .. } => invalid_param("grep.regex", message),
        ViewError::ContextTooLarge { .. } => invalid_param("grep", message),
        ViewError::CursorAhead { .. } => {
            RpcError::new(ErrorKind::CursorAhead, message).with_field("range.from")
        }
        ViewError::Io(error) => RpcError::new(ErrorKind::Internal, message).with_errno(error.raw_os_error()),
    }
}

/// A member has a value that it cannot have here.
pub(super) fn invalid_param(field: &str, message: impl Into<String>) -> RpcError {
    RpcError::new(ErrorKind::InvalidParams, message).with_field(field)
}

/// The refusals of a write that are errors. A closed stdin is not: it is a status.
pub(super) fn stdin(refusal: StdinRefusal) -> Option<RpcError> {
    let (kind, field) = match refusal {
        StdinRefusal::Closed => return None,
        StdinRefusal::Full => {
            let full = RpcError::new(ErrorKind::StdinFull, refusal.to_string());
            return Some(full.with_field("chunk").with_limit(LimitReached::StdinQueueBytes));
        }
        StdinRefusal::IdReused => (ErrorKind::WriteIdReused, "writeId"),
        StdinRefusal::Mixed => (ErrorKind::InvalidParams, "offset"),
    };
    Some(RpcError::new(kind, refusal.to_string()).with_field(field))
}
