//! `fs/*`: one file per method.

mod canonicalize;
mod close;
mod copy;
mod create_directory;
mod get_metadata;
mod open;
mod read_block;
mod read_directory;
mod read_file;
mod remove;
mod walk;
mod write_block;
mod write_file;

use std::io;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use exec_protocol::fs::{
    Canonicalize, Close, Copy, CreateDirectory, GetMetadata, Open, ReadBlock, ReadDirectory, ReadFile,
    Remove, Walk, WriteBlock, WriteFile,
};
use exec_protocol::{Method, RpcError, parse_params};
use futures_util::future::BoxFuture;
use serde::Serialize;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::{Caller, error};
use crate::files::{FileError, Touch, Work};
use crate::limits::MAX_FILE_BLOCK_BYTES;
use crate::process::SandboxUnsupported;
use crate::session::Session;

/// A file method: what is to be done by a thread that may be blocked, and in which order.
trait FileMethod: Method {
    /// Whether there is less to do, or to hold, once it is done.
    const MAKES_LESS: bool = false;

    /// It is not even planned, because there is too much to do.
    fn refused(_params: Self::Params, _session: &Arc<Session>) {}

    fn plan(params: Self::Params, session: &Arc<Session>) -> Result<Plan<Self::Result>, RpcError>;
}

/// Work on files whose result is a `T`.
struct Plan<T> {
    work: Work,
    job: Job,
    result: PhantomData<T>,
}

/// Appends its result to the buffer. It is told when nobody waits for that any more.
type Job = Box<dyn FnOnce(&CancellationToken, &mut Vec<u8>) -> Result<(), FileError> + Send>;

impl<T: Serialize> Plan<T> {
    fn new(
        touches: Vec<Touch>,
        job: impl FnOnce(&CancellationToken) -> Result<T, FileError> + Send + 'static,
    ) -> Self {
        Self::writing(touches, |given_up, out| {
            let result = job(given_up)?;
            Ok(serde_json::to_writer(out, &result).map_err(io::Error::from)?)
        })
    }

    /// Work that writes its result by itself.
    fn writing(
        touches: Vec<Touch>,
        job: impl FnOnce(&CancellationToken, &mut Vec<u8>) -> Result<(), FileError> + Send + 'static,
    ) -> Self {
        Self {
            work: Work {
                touches,
                bytes: 0,
                is_long: false,
            },
            job: Box::new(job),
            result: PhantomData,
        }
    }

    /// The same work, whose result may be as long as a message.
    fn long(mut self) -> Self {
        self.work.is_long = true;
        self
    }

    /// The same work, in which so many bytes are written.
    fn of_bytes(mut self, bytes: usize) -> Self {
        self.work.bytes = bytes;
        self
    }

    /// Work that looks at a path.
    fn look(path: PathBuf, job: impl FnOnce(&Path) -> Result<T, FileError> + Send + 'static) -> Self {
        Self::new(vec![Touch::look(&path)], move |_| job(&path))
    }

    /// Work that changes what is at a path.
    fn change(path: PathBuf, job: impl FnOnce(&Path) -> Result<T, FileError> + Send + 'static) -> Self {
        Self::new(vec![Touch::change(&path)], move |_| job(&path))
    }
}

/// Begins a file method. Its place in the order is taken when this returns; its result is appended to `out` beside the
/// connection's loop, because it may be long. None if there is no method of this name.
pub(crate) fn begin(
    caller: &Caller,
    method: &str,
    params: Option<&str>,
    out: Vec<u8>,
) -> Option<BoxFuture<'static, Result<Vec<u8>, RpcError>>> {
    let begin = match method {
        Canonicalize::NAME => run::<Canonicalize>,
        Close::NAME => run::<Close>,
        Copy::NAME => run::<Copy>,
        CreateDirectory::NAME => run::<CreateDirectory>,
        GetMetadata::NAME => run::<GetMetadata>,
        Open::NAME => run::<Open>,
        ReadBlock::NAME => run::<ReadBlock>,
        ReadDirectory::NAME => run::<ReadDirectory>,
        ReadFile::NAME => run::<ReadFile>,
        Remove::NAME => run::<Remove>,
        Walk::NAME => run::<Walk>,
        WriteBlock::NAME => run::<WriteBlock>,
        WriteFile::NAME => run::<WriteFile>,
        _ => return None,
    };
    Some(begin(caller, params, out))
}

fn run<M: FileMethod>(
    caller: &Caller,
    params: Option<&str>,
    mut out: Vec<u8>,
) -> BoxFuture<'static, Result<Vec<u8>, RpcError>> {
    let files = caller.session.files();
    let planned = match parse_params::<M::Params>(params) {
        Ok(params) => match files.take_on(M::MAKES_LESS) {
            Ok(piece) => M::plan(params, &caller.session).map(|plan| (piece, plan)),
            Err(error) => {
                M::refused(params, &caller.session);
                Err(error.into())
            }
        },
        Err(error) => Err(error.into()),
    };
    match planned {
        Ok((piece, Plan { work, job, .. })) => {
            let done = files.run(piece, work, move |given_up| {
                job(given_up, &mut out)?;
                Ok(out)
            });
            Box::pin(async { Ok(done.await?) })
        }
        Err(error) => Box::pin(std::future::ready(Err(error))),
    }
}

/// Refuses what would have to be kept to and cannot be.
fn refuse_limits(sandbox: Option<&Value>, follow_symlinks: bool) -> Result<(), RpcError> {
    if sandbox.is_some() {
        return Err(SandboxUnsupported { field: "sandbox" }.into());
    }
    if !follow_symlinks {
        return Err(error::invalid_param(
            "followSymlinks",
            "symlinks are always followed here",
        ));
    }
    Ok(())
}

/// Refuses a block that is too long, or nothing at all.
fn refuse_length(length: usize, field: &str) -> Result<(), RpcError> {
    if (1..=MAX_FILE_BLOCK_BYTES).contains(&length) {
        return Ok(());
    }
    let message = format!("a block has between 1 and {MAX_FILE_BLOCK_BYTES} bytes");
    Err(error::invalid_param(field, message))
}
