//! The lines that match.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::io;
use std::ops::ControlFlow;

use exec_protocol::task::{Grep, LogView};
use regex::bytes::{Regex, RegexBuilder};
use tokio::time::Instant;

use super::lines::Lines;
use super::pieces::{Piece, Pieces};
use super::reader::ViewError;
use super::scope::Stretch;
use super::selection::{Border, cut_end};
use super::source::Source;
use super::text;

/// How much memory a regular expression may take when it is compiled, and again while it searches, in bytes.
const MAX_REGEX_BYTES: usize = 1 << 20;

/// In how many levels a regular expression may be nested. Each takes stack while it is compiled: 2 KiB, and 12 KiB where nothing
/// is optimized, of the 2 MiB that a thread has.
const MAX_NESTING: u32 = 64;

/// How many lines may be told before and behind one that matches.
const MAX_CONTEXT: u32 = 1_000;

/// How many matching lines are told at a time: each has its number in the answer, and may have a part of its own.
const MAX_MATCHES: u64 = 10_000;

/// How much is looked at before the time is, in bytes.
const BYTES_PER_LOOK: usize = 64 << 10;

/// A search that was asked for.
#[derive(Debug)]
pub(super) struct Search {
    regex: Regex,
    view: LogView,
    before: usize,
    after: u32,
    /// How much may be told, in bytes.
    budget: u64,
    deadline: Option<Instant>,
}

/// Some lines that follow each other, one of which matches, with what is told around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) stretch: Stretch,
    /// The line that it begins in.
    pub(super) from_line: u64,
    /// Which of its lines match.
    pub(super) matching_lines: Vec<u64>,
}

/// What a search has come to.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) found: Vec<Found>,
    /// How many lines matched.
    pub(super) matches: u64,
    /// What was looked at, and told if it matched.
    pub(super) seen: Vec<Stretch>,
    /// Where to go on, if not everything was looked at.
    pub(super) next: Option<u64>,
    /// How much is told, in bytes.
    told: u64,
}

/// Where a search is.
#[derive(Debug)]
struct Position {
    /// The number of the line.
    line: u64,
    /// The beginnings of the lines before it that may be told with it, and their numbers.
    before: VecDeque<(u64, u64)>,
    /// How many of the next lines are told as they follow one that matches.
    after: u32,
    /// The last line that matched.
    matched: Option<u64>,
}

/// There was more to tell than may be.
#[derive(Debug)]
struct Full {
    /// Up to where everything is looked at and told.
    seen_to: u64,
    next: u64,
}

impl Search {
    /// Prepares a search that tells at most so many bytes.
    ///
    /// # Errors
    ///
    /// If the regular expression is none or too large, or there is more around a match than may be.
    pub(super) fn new(grep: &Grep, view: LogView, budget: u64) -> Result<Self, ViewError> {
        if grep.before > MAX_CONTEXT || grep.after > MAX_CONTEXT {
            return Err(ViewError::ContextTooLarge { limit: MAX_CONTEXT });
        }
        let regex = RegexBuilder::new(&grep.regex)
            .case_insensitive(grep.ignore_case)
            .size_limit(MAX_REGEX_BYTES)
            .dfa_size_limit(MAX_REGEX_BYTES)
            .nest_limit(MAX_NESTING)
            .build();
        Ok(Self {
            regex: regex.map_err(|error| ViewError::Regex {
                message: error.to_string(),
            })?,
            view,
            before: grep.before as usize,
            after: grep.after,
            budget,
            deadline: None,
        })
    }

    /// Ends then, too.
    pub(super) fn until(self, deadline: Option<Instant>) -> Self {
        Self { deadline, ..self }
    }

    /// Looks at stretches that are in order, until there is as much as may be told, or it is time. A line of more than
    /// [`PIECE_BYTES`](super::pieces::PIECE_BYTES) is looked at in pieces, each as if it were a line.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub(super) fn run(
        &self,
        stretches: &[Stretch],
        source: Source<'_>,
        lines: &Lines<'_>,
    ) -> io::Result<Findings> {
        let mut findings = Findings::default();
        for &Stretch { from, to } in stretches {
            let mut position = Position {
                line: lines.line_of(from)?,
                before: VecDeque::new(),
                after: 0,
                matched: None,
            };
            let mut pieces = Pieces::new(source, from, to);
            let mut looked_at = 0;
            while let Some(piece) = pieces.next()? {
                if let ControlFlow::Break(full) = self.look(&piece, &mut position, &mut findings, &source)? {
                    let to = full.seen_to;
                    findings.seen.push(Stretch { from, to });
                    findings.next = Some(full.next);
                    return Ok(findings);
                }
                position.pass(&piece, self.before);
                looked_at += piece.bytes.len();
                if looked_at >= BYTES_PER_LOOK {
                    looked_at = 0;
                    if self.deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                        let to = piece.end();
                        findings.seen.push(Stretch { from, to });
                        findings.next = Some(to);
                        return Ok(findings);
                    }
                }
            }
            findings.seen.push(Stretch { from, to });
        }
        Ok(findings)
    }

    /// Looks at one line.
    fn look(
        &self,
        piece: &Piece<'_>,
        position: &mut Position,
        findings: &mut Findings,
        source: &Source<'_>,
    ) -> io::Result<ControlFlow<Full>> {
        if self.matches(piece) {
            return self.take(piece, position, findings, source);
        }
        if position.after == 0 {
            return Ok(ControlFlow::Continue(()));
        }
        position.after -= 1;
        if piece.bytes.len() as u64 > self.budget - findings.told {
            return Ok(full(piece.offset));
        }
        findings.tell(piece.offset, piece.end(), position.line);
        Ok(ControlFlow::Continue(()))
    }

    /// Tells a line that matches, with what is before it.
    fn take(
        &self,
        piece: &Piece<'_>,
        position: &mut Position,
        findings: &mut Findings,
        source: &Source<'_>,
    ) -> io::Result<ControlFlow<Full>> {
        let told_to = findings.found.last().map_or(0, |last| last.stretch.to);
        let mut before = position.before.iter();
        let first = before.find(|(offset, _)| *offset >= told_to).copied();
        let (from, from_line) = first.unwrap_or((piece.offset, position.line));
        let left = self.budget - findings.told;
        let is_new = position.matched != Some(position.line);
        if findings.matches + u64::from(is_new) > MAX_MATCHES {
            return Ok(full(from));
        }
        if piece.end() - from <= left {
            findings.tell(from, piece.end(), from_line);
            findings.match_line(position);
            position.after = self.after;
            return Ok(ControlFlow::Continue(()));
        }
        if findings.told > 0 {
            return Ok(full(from));
        }
        // Not even this fits: as much of it is told as does, else nobody would ever get behind it.
        let to = piece.end().min(piece.offset + left);
        let to = match self.view {
            LogView::Text if to < piece.end() => cut_end(piece.offset, to, Border::Line, source)?,
            LogView::Text | LogView::Raw => to,
        };
        findings.tell(piece.offset, to, position.line);
        findings.match_line(position);
        Ok(ControlFlow::Break(Full {
            seen_to: to,
            next: piece.end(),
        }))
    }

    /// Whether a line matches, as it is told.
    fn matches(&self, piece: &Piece<'_>) -> bool {
        let line = piece.bytes.strip_suffix(b"\n").unwrap_or(piece.bytes);
        let line = match self.view {
            LogView::Text => text::line_of(line),
            LogView::Raw => Cow::Borrowed(line),
        };
        self.regex.is_match(&line)
    }
}

impl Findings {
    /// Tells a stretch, as a part of the last one if it follows that.
    fn tell(&mut self, from: u64, to: u64, from_line: u64) {
        self.told += to - from;
        match self.found.last_mut() {
            Some(last) if last.stretch.to == from => last.stretch.to = to,
            Some(_) | None => self.found.push(Found {
                stretch: Stretch { from, to },
                from_line,
                matching_lines: Vec::new(),
            }),
        }
    }

    /// Says of the line that was told last that it matches.
    fn match_line(&mut self, position: &mut Position) {
        if position.matched == Some(position.line) {
            return;
        }
        position.matched = Some(position.line);
        self.matches += 1;
        if let Some(last) = self.found.last_mut() {
            last.matching_lines.push(position.line);
        }
    }
}

impl Position {
    /// Goes on behind a line.
    fn pass(&mut self, piece: &Piece<'_>, keep: usize) {
        self.before.push_back((piece.offset, self.line));
        if self.before.len() > keep {
            self.before.pop_front();
        }
        if piece.bytes.last() == Some(&b'\n') {
            self.line = self.line.saturating_add(1);
        }
    }
}

/// Nothing more fits from here on.
fn full(at: u64) -> ControlFlow<Full> {
    ControlFlow::Break(Full {
        seen_to: at,
        next: at,
    })
}
