//! Which part of what was asked for is told.

use std::io;

use exec_protocol::task::{LogUnit, LogView, LogsParams};

use super::lines::Lines;
use super::scope::Stretch;
use super::source::Source;
use super::text::unfinished_character;

/// What remains of a stretch that is too long to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    Beginning,
    End,
    Both,
}

/// Where it is cut then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Border {
    /// Behind a line feed if there is one near, else between two characters.
    Line,
    /// Wherever.
    Byte,
}

/// What `head` and `tail` leave of a stretch, or all of it. `head` and `tail` that meet leave all of it, too.
///
/// # Errors
///
/// What the system says.
pub(super) fn chosen(
    params: &LogsParams,
    kept: Stretch,
    lines: &Lines<'_>,
) -> io::Result<Vec<(Stretch, Keep)>> {
    let Stretch { from, to } = kept;
    let head = params.head.map(|count| head(params.unit, kept, count, lines));
    let tail = params.tail.map(|count| tail(params.unit, kept, count, lines));
    let all_keeps = match params.range {
        Some(_) => Keep::Beginning,
        None => Keep::Both,
    };
    Ok(match (head.transpose()?, tail.transpose()?) {
        (None, None) => vec![(kept, all_keeps)],
        (Some(head), None) => vec![(Stretch { from, to: head }, Keep::Beginning)],
        (None, Some(tail)) => vec![(Stretch { from: tail, to }, Keep::End)],
        (Some(head), Some(tail)) if head >= tail => vec![(kept, Keep::Both)],
        (Some(head), Some(tail)) => vec![
            (Stretch { from, to: head }, Keep::Beginning),
            (Stretch { from: tail, to }, Keep::End),
        ],
    })
}

/// Cuts stretches to so many bytes in all.
///
/// # Errors
///
/// What the system says.
pub(super) fn cut(
    stretches: &[(Stretch, Keep)],
    budget: u64,
    view: LogView,
    source: &Source<'_>,
) -> io::Result<Vec<Stretch>> {
    let mut told = Vec::new();
    let others = |index: usize| -> u64 {
        let others = stretches.iter().enumerate().filter(|(other, _)| *other != index);
        others.map(|(_, (stretch, _))| stretch.length()).sum()
    };
    for (index, &(stretch, keep)) in stretches.iter().enumerate() {
        // What another does not need is for this one, and half of it in any case.
        let share = match stretches.len() {
            0 | 1 => budget,
            _ => (budget / 2).max(budget.saturating_sub(others(index))),
        };
        if stretch.length() <= share {
            told.push(stretch);
            continue;
        }
        let Stretch { from, to } = stretch;
        let border = match (keep, view) {
            (Keep::Both, _) | (_, LogView::Text) => Border::Line,
            (Keep::Beginning | Keep::End, LogView::Raw) => Border::Byte,
        };
        let beginning = |share| -> io::Result<Stretch> {
            let to = cut_end(from, from + share, border, source)?;
            Ok(Stretch { from, to })
        };
        let end = |share| -> io::Result<Stretch> {
            let from = cut_beginning(to - share, to, border, source)?;
            Ok(Stretch { from, to })
        };
        match keep {
            Keep::Beginning => told.push(beginning(share)?),
            Keep::End => told.push(end(share)?),
            Keep::Both => told.extend([beginning(share / 2)?, end(share / 2)?]),
        }
    }
    told.retain(|stretch| stretch.from < stretch.to);
    Ok(told)
}

/// Where to end, at the second offset at the latest: in the last quarter. Not where it begins: then nothing would ever be told.
pub(super) fn cut_end(from: u64, to: u64, border: Border, source: &Source<'_>) -> io::Result<u64> {
    if border == Border::Byte {
        return Ok(to);
    }
    let quarter = source.read(to - (to - from) / 4, to)?;
    if let Some(found) = memchr::memrchr(b'\n', &quarter) {
        return Ok(to - (quarter.len() - found - 1) as u64);
    }
    let last = source.read(to.saturating_sub(3).max(from), to)?;
    let end = to - unfinished_character(&last) as u64;
    Ok(if end > from { end } else { to })
}

/// Where to begin, at the first offset at the earliest.
fn cut_beginning(from: u64, to: u64, border: Border, source: &Source<'_>) -> io::Result<u64> {
    if border == Border::Byte {
        return Ok(from);
    }
    let quarter = source.read(from, from + (to - from) / 4)?;
    // One right before it is as good.
    let before = source.read(from.saturating_sub(3), from)?;
    if before.last() == Some(&b'\n') {
        return Ok(from);
    }
    if let Some(found) = memchr::memchr(b'\n', &quarter) {
        return Ok(from + found as u64 + 1);
    }
    if unfinished_character(&before) == 0 {
        return Ok(from);
    }
    let next = source.read(from, to.min(from.saturating_add(3)))?;
    let rest = next.iter().take_while(|&&byte| byte & 0xC0 == 0x80).count() as u64;
    Ok(if from + rest < to { from + rest } else { from })
}

/// Where the first lines or bytes end.
fn head(unit: LogUnit, kept: Stretch, count: u64, lines: &Lines<'_>) -> io::Result<u64> {
    match unit {
        LogUnit::Bytes => Ok(kept.from.saturating_add(count).min(kept.to)),
        LogUnit::Lines if count == 0 || kept.from >= kept.to => Ok(kept.from),
        LogUnit::Lines => {
            let line = lines.line_of(kept.from)?.saturating_add(count);
            Ok(lines.start_of(line)?.map_or(kept.to, |start| start.min(kept.to)))
        }
    }
}

/// Where the last lines or bytes begin.
fn tail(unit: LogUnit, kept: Stretch, count: u64, lines: &Lines<'_>) -> io::Result<u64> {
    match unit {
        LogUnit::Bytes => Ok(kept.to.saturating_sub(count).max(kept.from)),
        LogUnit::Lines => lines.start_of_last(kept.from, kept.to, count),
    }
}
