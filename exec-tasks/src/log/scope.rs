//! What was asked for.

use std::io;

use exec_protocol::task::{LogsParams, Omitted, RangeUnit};

use super::counts::LogTotals;
use super::lines::Lines;
use super::reader::ViewError;
use super::source::Source;

/// The part of the output that was asked for, whether kept or not, in offsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scope {
    pub(super) from: u64,
    pub(super) to: u64,
}

/// From one offset up to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) from: u64,
    pub(super) to: u64,
}

impl Stretch {
    /// How long it is, in bytes.
    pub(super) fn length(&self) -> u64 {
        self.to.saturating_sub(self.from)
    }
}

impl Scope {
    /// All of the output, or the range.
    ///
    /// # Errors
    ///
    /// If the range begins behind the end, and what the system says.
    pub(super) fn of(params: &LogsParams, totals: &LogTotals, lines: &Lines<'_>) -> Result<Self, ViewError> {
        let total = totals.total_bytes;
        let Some(range) = &params.range else {
            return Ok(Self { from: 0, to: total });
        };
        let (from, to) = match range.unit {
            RangeUnit::Offset if range.from > total => {
                return Err(ViewError::CursorAhead {
                    from: range.from,
                    end: total,
                });
            }
            RangeUnit::Offset => (range.from, range.to.unwrap_or(total).min(total)),
            RangeUnit::Line => {
                // What follows a line that is not there to its end may be of it.
                let from = offset_of(range.from, lines)?.unwrap_or(totals.state.end_offset);
                let to = match range.to {
                    Some(line) => offset_behind(line, lines)?.unwrap_or(total),
                    None => total,
                };
                (from, to)
            }
        };
        let to = to.max(from);
        Ok(Self { from, to })
    }

    /// What of it is kept.
    pub(super) fn kept(&self, source: &Source<'_>) -> Stretch {
        let from = self.from.clamp(source.first(), source.end());
        let to = self.to.clamp(from, source.end());
        Stretch { from, to }
    }

    /// What of it is not told when these stretches are, which are in order and do not overlap.
    pub(super) fn without(&self, told: &[Stretch], source: &Source<'_>) -> Vec<Omitted> {
        let mut omitted = Vec::new();
        let mut at = self.from;
        let end = Stretch {
            from: self.to,
            to: self.to,
        };
        for stretch in told.iter().chain([&end]) {
            let to = stretch.from.min(self.to);
            let kept = Self {
                from: at,
                to: to.max(at),
            }
            .kept(source);
            let pieces = [
                (at, to.min(source.first()), false),
                (kept.from, kept.to, true),
                (at.max(source.end()), to, false),
            ];
            omitted.extend(pieces.iter().filter(|(from, to, _)| from < to).map(
                |&(from_offset, to_offset, is_kept)| Omitted {
                    from_offset,
                    to_offset,
                    is_kept,
                },
            ));
            at = at.max(stretch.to);
        }
        omitted
    }
}

/// Where a line begins that a range begins with. Where one began that is not kept is not known: as early as it can be.
fn offset_of(line: u64, lines: &Lines<'_>) -> io::Result<Option<u64>> {
    if line <= lines.first() {
        return Ok(Some(0));
    }
    lines.start_of(line)
}

/// Where a line begins that a range ends before.
fn offset_behind(line: u64, lines: &Lines<'_>) -> io::Result<Option<u64>> {
    if line == 0 {
        return Ok(Some(0));
    }
    lines.start_of(line)
}
