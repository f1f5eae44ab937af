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

use super::{Caller, error};
use crate::files::{FileError, Interest, Touch};
use crate::session::Session;

/// A file method: what is to be done by a thread that may be blocked, and in which order.
trait FileMethod: Method {
    fn plan(params: Self::Params, session: &Arc<Session>) -> Result<Plan<Self::Result>, RpcError>;
}

/// Work on files whose result is a `T`.
struct Plan<T> {
    touches: Vec<Touch>,
    job: Job,
    result: PhantomData<T>,
}

/// Appends its result to the buffer.
type Job = Box<dyn FnOnce(&Interest, &mut Vec<u8>) -> Result<(), FileError> + Send>;

impl<T: Serialize> Plan<T> {
    fn new(
        touches: Vec<Touch>,
        job: impl FnOnce(&Interest) -> Result<T, FileError> + Send + 'static,
    ) -> Self {
        Self::writing(touches, |interest, out| {
            let result = job(interest)?;
            Ok(serde_json::to_writer(out, &result).map_err(io::Error::from)?)
        })
    }

    /// Work that writes its result by itself.
    fn writing(
        touches: Vec<Touch>,
        job: impl FnOnce(&Interest, &mut Vec<u8>) -> Result<(), FileError> + Send + 'static,
    ) -> Self {
        Self {
            touches,
            job: Box::new(job),
            result: PhantomData,
        }
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
    let params = parse_params::<M::Params>(params).map_err(RpcError::from);
    let Plan { touches, job, .. } = match params.and_then(|params| M::plan(params, &caller.session)) {
        Ok(plan) => plan,
        Err(error) => return Box::pin(std::future::ready(Err(error))),
    };
    let done = caller.session.files().run(touches, move |interest| {
        job(interest, &mut out)?;
        Ok(out)
    });
    Box::pin(async { Ok(done.await?) })
}

/// Refuses what would have to be kept to and cannot be.
fn refuse_limits(sandbox: Option<&Value>, follow_symlinks: bool) -> Result<(), RpcError> {
    if sandbox.is_some() {
        return Err(error::sandbox_unsupported("sandbox"));
    }
    if !follow_symlinks {
        return Err(error::invalid_param(
            "followSymlinks",
            "symlinks are always followed here",
        ));
    }
    Ok(())
}
