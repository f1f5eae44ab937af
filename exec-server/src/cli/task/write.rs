//! `task write`

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use exec_client::CallError;
use exec_protocol::process::{WriteResult, WriteStatus};
use exec_protocol::task::{TaskRef, Write, WriteParams};
use exec_protocol::{Blob, ErrorKind, Method as _, WriteId};
use tokio::io::AsyncReadExt as _;
use tokio::time::sleep;

use super::context::{Context, failure};
use crate::cli::Failure;

/// Write standard input to the stdin of a task that runs
#[derive(Debug, Args)]
pub(super) struct WriteArgs {
    /// Its id, or the beginning of it
    #[arg(value_parser = TaskRef::new)]
    id: TaskRef,
    /// Close its stdin behind that
    #[arg(long)]
    eof: bool,
}

/// How much is sent at a time, in bytes.
const CHUNK_BYTES: usize = 64 << 10;

/// The first pause before a task that does not read its stdin is tried again, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(1));

/// Sends standard input to its end.
pub(super) async fn write(context: &Context, args: WriteArgs) -> Result<ExitCode, Failure> {
    let mut stdin = tokio::io::stdin();
    let mut names = WriteNames::new()?;
    let mut buffer = vec![0; CHUNK_BYTES];
    let mut last = None;
    loop {
        let bytes = stdin.read(&mut buffer).await?;
        let is_end = bytes == 0;
        if !is_end || args.eof {
            let params = WriteParams {
                task_id: args.id.clone(),
                chunk: Blob::from(buffer[..bytes].to_vec()),
                write_id: Some(names.next()?),
                eof: is_end,
            };
            last = Some(send(context, &params).await?);
        }
        if is_end {
            break;
        }
    }
    if let Some(result) = last {
        context.tell(&result, |_, _| String::new())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Sends a write until it is taken.
async fn send(context: &Context, params: &WriteParams) -> Result<WriteResult, Failure> {
    let (mut pause, longest) = PAUSES;
    loop {
        match context.try_call::<Write>(params).await {
            Ok(result) => match result.status {
                WriteStatus::Accepted => return Ok(result),
                WriteStatus::UnknownProcess => return Err("the task does not run".into()),
                WriteStatus::StdinClosed => return Err("the task's stdin is closed".into()),
                WriteStatus::Full => {}
            },
            Err(CallError::Rpc(error)) if error.kind() == Some(ErrorKind::StdinFull) => {}
            Err(error) => return Err(failure(error, Write::NAME)),
        }
        sleep(pause).await;
        pause = (pause * 2).min(longest);
    }
}

/// Names for writes that nobody else has.
struct WriteNames {
    prefix: u64,
    count: u64,
}

impl WriteNames {
    fn new() -> Result<Self, Failure> {
        let prefix = getrandom::u64()?;
        Ok(Self { prefix, count: 0 })
    }

    fn next(&mut self) -> Result<WriteId, Failure> {
        self.count += 1;
        Ok(WriteId::new(&format!("{:016x}-{}", self.prefix, self.count))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_writes_have_one_name() {
        let (mut ours, mut theirs) = (WriteNames::new().unwrap(), WriteNames::new().unwrap());
        let names = [ours.next(), ours.next(), theirs.next()].map(Result::unwrap);
        assert!(names[0] != names[1] && names[0] != names[2]);
    }
}
