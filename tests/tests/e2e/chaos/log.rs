//! What a client did last, for whoever has to find out what went wrong.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt::Display;
use std::rc::Rc;

use tokio::time::Instant;

/// Lines that are kept: some seconds.
const KEPT: usize = 80;

/// Longest line, in characters: the params of a start fit.
const SHOWN_CHARS: usize = 400;

/// What a client did last.
#[derive(Debug, Clone)]
pub(super) struct Log {
    lines: Rc<RefCell<VecDeque<String>>>,
    began: Instant,
}

impl Log {
    pub(super) fn new() -> Self {
        Self {
            lines: Rc::default(),
            began: Instant::now(),
        }
    }

    pub(super) fn add(&self, line: impl Display) {
        let mut lines = self.lines.borrow_mut();
        if lines.len() == KEPT {
            lines.pop_front();
        }
        lines.push_back(format!(
            "{:>6} ms  {}",
            self.began.elapsed().as_millis(),
            shown(line)
        ));
    }

    pub(super) fn text(&self) -> String {
        Vec::from(self.lines.borrow().clone()).join("\n")
    }
}

/// The beginning of something, as text.
pub(super) fn shown(what: impl Display) -> String {
    what.to_string().chars().take(SHOWN_CHARS).collect()
}
