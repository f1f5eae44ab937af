//! The one that looks into a log.

use std::fs::File;
use std::io;

use bytes::Bytes;
use exec_protocol::Blob;
use exec_protocol::task::{LogPart, LogView, LogsParams, Omitted};
use tokio::time::Instant;

use super::counts::LogTotals;
use super::files::LogFiles;
use super::grep::{Findings, Found, Search};
use super::header::{First, HEADER_BYTES, Header};
use super::lines::Lines;
use super::record::RECORD_BYTES;
use super::scope::{Scope, Stretch};
use super::selection::{chosen, cut};
use super::source::Source;
use super::text::{text_of, unfinished_end};

/// How much output is told if it is not said, in bytes.
const DEFAULT_BYTES: u64 = 64 << 10;

/// How much output is told at most, in bytes.
const MAX_BYTES: u64 = 4 << 20;

/// How often a header is read that is different each time: each append rewrites that of a log that has stopped.
const MAX_READS: u32 = 8;

/// Whether output may follow what there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// A character at the end that lacks its own end may get it.
    Open,
    Final,
}

/// A log as far as it was written when its totals were told.
///
/// The writer may go on meanwhile. If it drops what is being read, that reads as zeros, and lines are counted wrong: whoever
/// cares compares the first offset afterwards.
#[derive(Debug)]
pub(crate) struct LogReader {
    raw: File,
    index: File,
    totals: LogTotals,
    first: First,
    ending: Ending,
    deadline: Option<Instant>,
}

/// A part of a log.
///
/// `parts` and `omitted` together, without `grep`, are what was asked for: all of it, or the range. What was asked for ends with
/// what was written, kept or not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct View {
    /// What is told, in order.
    pub(crate) parts: Vec<LogPart>,
    /// What is not told, in order; of a grep, what was not looked at, or would have been told.
    pub(crate) omitted: Vec<Omitted>,
    /// Of a grep: how many lines matched, of those that were looked at.
    pub(crate) matches: Option<u64>,
    /// Where to read on. Behind what was asked for, unless a grep or a beginning was cut.
    pub(crate) next_offset: u64,
}

/// Why a log could not be looked into.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    /// The regular expression is none, or too large.
    #[error("{message}")]
    Regex {
        /// What is wrong with it.
        message: String,
    },
    /// The range begins behind the end of what was written.
    #[error("offset {from} is behind the end at {end}")]
    CursorAhead {
        /// Where it begins.
        from: u64,
        /// How much was written.
        end: u64,
    },
    /// There is more around a match than may be.
    #[error("more than {limit} lines before or after a match")]
    ContextTooLarge {
        /// How many lines may be.
        limit: u32,
    },
    /// The files could not be read.
    #[error("reading the log")]
    Io(#[from] io::Error),
}

impl LogReader {
    /// Opens a log that is as its writer, or [`repair`](super::repair), tells.
    ///
    /// # Errors
    ///
    /// If there is no log, and what the system says.
    pub(crate) fn open(files: &LogFiles, mut totals: LogTotals) -> io::Result<Self> {
        let (raw, index) = files.open()?;
        // What was dropped since the totals were told is not there any more.
        let read = settled(&index)?.map(|header| header.first);
        let first = read.filter(|first| first.offset >= totals.state.first_offset);
        let first = first.unwrap_or(First {
            offset: totals.state.first_offset,
            ..First::default()
        });
        // Nobody cuts a log that is written to, but somebody may by hand.
        let end = totals.state.end_offset.min(raw.metadata()?.len());
        totals.state.end_offset = end;
        totals.state.first_offset = first.offset.min(end);
        totals.total_bytes = totals.total_bytes.max(end);
        Ok(Self {
            raw,
            index,
            totals,
            first,
            ending: Ending::Final,
            deadline: None,
        })
    }

    /// Output may follow: a character or an escape sequence at the end of a text that lacks its own end is left for the next
    /// time, where `next_offset` is before it. If that is all there is, there is nothing yet.
    #[must_use]
    pub(crate) fn while_running(mut self) -> Self {
        self.ending = Ending::Open;
        self
    }

    /// A search that is not done by then tells what it has, and where to go on. It gets some way in any case. Without this, a
    /// regular expression that was made to be slow takes minutes for a large log.
    #[must_use]
    pub(crate) fn until(mut self, deadline: Instant) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Tells what was asked for.
    ///
    /// Lines and bytes are counted as `head`, `tail`, `sed -n` and `grep` do. Of a log whose beginning was dropped, `head` begins
    /// with what is kept; a range of lines that were dropped begins at offset 0. With `grep`, what `range`, `head` and `tail`
    /// leave is searched. Where `max_bytes` cuts a text, it is at the end of a line if there is one near.
    ///
    /// # Errors
    ///
    /// As [`ViewError`] has them.
    pub(crate) fn read(&self, params: &LogsParams) -> Result<View, ViewError> {
        let budget = params.max_bytes.unwrap_or(DEFAULT_BYTES).min(MAX_BYTES);
        let state = &self.totals.state;
        let source = Source::new(&self.raw, state.first_offset, state.end_offset);
        let lines = Lines::new(&self.index, self.records()?, self.first, source);
        let grep = params.grep.as_ref();
        let search = grep
            .map(|grep| Search::new(grep, params.view, budget))
            .transpose()?;
        let search = search.map(|search| search.until(self.deadline));

        let mut scope = Scope::of(params, &self.totals, &lines)?;
        if search.is_none() {
            scope.to -= self.held_back(&scope, params.view, &source)?;
        }
        let chosen = chosen(params, scope.kept(&source), &lines)?;
        if let Some(search) = search {
            let stretches: Vec<_> = chosen.iter().map(|(stretch, _)| *stretch).collect();
            let findings = search.run(&stretches, source, &lines)?;
            return view_of(findings, scope, params.view, &source);
        }
        let told = cut(&chosen, budget, params.view, &source)?;
        let next_offset = behind(&told, params, &scope, &source);
        let omitted = scope.without(&told, &source);
        let mut parts = Vec::new();
        for stretch in told {
            let found = Found {
                stretch,
                from_line: lines.line_of(stretch.from)?,
                matching_lines: Vec::new(),
            };
            parts.push(part(found, params.view, &source)?);
        }
        Ok(View {
            parts,
            omitted,
            matches: None,
            next_offset,
        })
    }

    /// How many bytes at the end are left for the next time.
    fn held_back(&self, scope: &Scope, view: LogView, source: &Source<'_>) -> io::Result<u64> {
        let is_at_end = scope.to == source.end() && scope.to == self.totals.total_bytes;
        if self.ending == Ending::Final || view == LogView::Raw || !is_at_end {
            return Ok(0);
        }
        let from = scope.to.saturating_sub(64).max(scope.from);
        Ok(unfinished_end(&source.read(from, scope.to)?) as u64)
    }

    /// How many records there are and were.
    fn records(&self) -> io::Result<u64> {
        let length = self.index.metadata()?.len();
        Ok(length.saturating_sub(HEADER_BYTES as u64) / RECORD_BYTES as u64)
    }
}

/// A header that the writer was not just about to write: then it reads differently the next time.
fn settled(index: &File) -> io::Result<Option<Header>> {
    let mut read = Header::read(index)?;
    for _ in 0..MAX_READS {
        let again = Header::read(index)?;
        if again == read {
            break;
        }
        read = again;
    }
    Ok(read)
}

fn view_of(findings: Findings, scope: Scope, view: LogView, source: &Source<'_>) -> Result<View, ViewError> {
    let parts: io::Result<_> = findings
        .found
        .into_iter()
        .map(|found| part(found, view, source))
        .collect();
    Ok(View {
        parts: parts?,
        omitted: scope.without(&findings.seen, source),
        matches: Some(findings.matches),
        next_offset: findings.next.unwrap_or(scope.to),
    })
}

fn part(found: Found, view: LogView, source: &Source<'_>) -> io::Result<LogPart> {
    let Stretch { from, to } = found.stretch;
    let bytes = source.read(from, to)?;
    let (text, data_base64) = match view {
        LogView::Text => (Some(text_of(&bytes)), None),
        LogView::Raw => (None, Some(Blob(Bytes::from(bytes)))),
    };
    Ok(LogPart {
        from_offset: from,
        to_offset: to,
        from_line: found.from_line,
        text,
        data_base64,
        matching_lines: found.matching_lines,
    })
}

/// Where to read on. Who asked for a beginning reads on behind what is told of it, and who asked for more than that behind all
/// that was asked for.
fn behind(told: &[Stretch], params: &LogsParams, scope: &Scope, source: &Source<'_>) -> u64 {
    let is_beginning = params.tail.is_none() && (params.head.is_some() || params.range.is_some());
    let kept = scope.kept(source);
    let end = told.last().map_or(kept.from, |last| last.to);
    if is_beginning && end < kept.to {
        end
    } else {
        scope.to
    }
}
