//! Output on its way to standard output.

use std::io;

use exec_protocol::task::LogsResult;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

use super::super::super::escape::escaped;
use super::super::output::remark;
use super::super::show::not_kept;
use super::pieces::{Piece, left_out, pieces};

/// Writes answers as they come. Ctrl-C is heard meanwhile, also where the reader is slow.
#[derive(Debug)]
pub(super) struct Writer<W> {
    output: W,
    /// Up to where it was told what is left out: answers to long polls may say it again.
    told_to: u64,
}

impl<W: AsyncWrite + Unpin> Writer<W> {
    /// Nothing was written yet.
    pub(super) fn new(output: W) -> Self {
        Self { output, told_to: 0 }
    }

    /// Writes an answer, and tells what is left out but what is read next, from this offset on.
    pub(super) async fn write(&mut self, answer: &LogsResult, read_on_from: Option<u64>) -> io::Result<()> {
        for piece in pieces(answer, read_on_from) {
            match piece {
                Piece::Output(bytes) => {
                    self.output.write_all(&bytes).await?;
                    self.output.flush().await?;
                }
                Piece::LeftOut(mut omitted) => {
                    omitted.from_offset = omitted.from_offset.max(self.told_to);
                    if omitted.from_offset < omitted.to_offset {
                        remark(&left_out(&omitted));
                        self.told_to = omitted.to_offset;
                    }
                }
            }
        }
        Ok(())
    }
}

/// Tells why nothing follows, if the attempt has written more than is kept, or there was none.
pub(super) fn conclude(answer: &LogsResult) {
    if answer.attempt == 0 {
        remark(&format!("… {} has not run", answer.task_id));
    }
    if let Some(stopped) = &answer.log.stopped {
        let why = not_kept(stopped, answer.log.end_offset);
        remark(&escaped(&format!("… {why}")));
    }
}
