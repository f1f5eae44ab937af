//! The thread that writes the log, and may be held up by whoever is to read it.

use std::io::{self, ErrorKind, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;

use tokio::time::Instant;
use tracing::Level;

use super::backlog::{Backlog, Entry, Next};
use super::callsite::Callsite;
use super::event::{Event, Value};
use super::line::{Format, Line};
use super::site::Admission;
use crate::clock::WallClock;
use crate::limits::{LOG_FLUSH, LOG_LINE_EVERY};

/// Where the log speaks of itself.
const OURSELVES: &str = "exec_server::log";

/// What all threads say, on its way to the one that writes it.
#[derive(Debug)]
pub(super) struct Writer {
    format: Format,
    /// Held only for the length of a memory operation.
    state: Mutex<State>,
    /// There is something to write, or an earlier moment to wait for.
    news: Condvar,
    /// There is nothing to write any more.
    rest: Condvar,
}

#[derive(Debug, Default)]
struct State {
    backlog: Backlog<Callsite>,
    /// Until when the thread waits if nothing comes. None: for ever.
    waits_until: Option<Instant>,
    /// The thread has done what there was to do.
    is_at_rest: bool,
}

impl Writer {
    /// Starts the thread. It ends with the program.
    ///
    /// # Errors
    ///
    /// If the system has no thread to give.
    pub(super) fn start(format: Format, destination: impl Write + Send + 'static) -> io::Result<Arc<Self>> {
        let writer = Arc::new(Self {
            format,
            state: Mutex::default(),
            news: Condvar::new(),
            rest: Condvar::new(),
        });
        let its_own = Arc::clone(&writer);
        thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || its_own.write(destination))?;
        Ok(writer)
    }

    /// Takes what was said, unless its place has said too much.
    pub(super) fn take(&self, event: &tracing::Event<'_>) {
        let metadata = event.metadata();
        let (site, now) = (Callsite(metadata), Instant::now());
        let Admission::Said { left_out } = self.admit(site, now) else {
            return;
        };
        // Outside of the lock: this runs what somebody else wrote.
        let event = Event::of(event);
        let line = self.line(*metadata.level(), metadata.target(), &event, left_out);
        let entry = Entry {
            line,
            stands_for: 1 + left_out,
        };
        let mut state = self.lock();
        state.backlog.push(site, event.message.as_str(), entry);
        self.has_news(state);
    }

    /// Takes a line that stands for nothing but itself.
    pub(super) fn take_line(&self, line: String) {
        let mut state = self.lock();
        state.backlog.push_anyhow(Entry { line, stands_for: 1 });
        self.has_news(state);
    }

    /// Has everything written that there is, and told what was left out. Waits for it, but not for longer than [`LOG_FLUSH`].
    pub(super) fn flush(&self) {
        let mut state = self.lock();
        state.backlog.end();
        state.is_at_rest = false;
        self.news.notify_one();
        let waited = self
            .rest
            .wait_timeout_while(state, LOG_FLUSH, |state| !state.is_at_rest);
        drop(waited.expect("no holder of this lock can panic"));
    }

    /// The line for something that is said now.
    pub(super) fn line(&self, level: Level, target: &str, event: &Event, left_out: u64) -> String {
        self.format.line(&Line {
            ms: WallClock::now().ms(),
            level,
            target,
            event,
            left_out,
        })
    }

    fn admit(&self, site: Callsite, now: Instant) -> Admission {
        let mut state = self.lock();
        let admission = state.backlog.admit(site, now);
        let is_late = state.waits_until.is_none_or(|until| until > now + LOG_LINE_EVERY);
        if admission == Admission::LeftOut && is_late {
            self.has_news(state);
        }
        admission
    }

    fn has_news(&self, mut state: MutexGuard<'_, State>) {
        state.is_at_rest = false;
        drop(state);
        self.news.notify_one();
    }

    fn write(&self, mut destination: impl Write) {
        let mut is_torn = false;
        loop {
            let Entry { line, stands_for } = self.wait();
            // Whatever comes behind a part of a line must not look like more of it.
            let line = if is_torn { format!("\n{line}") } else { line };
            let written = write_all(&mut destination, line.as_bytes());
            if written < line.len() {
                is_torn |= written > 0;
                self.lock().backlog.failed(stands_for, Instant::now());
            } else {
                is_torn = false;
                self.lock().backlog.worked();
            }
        }
    }

    /// Waits for the next line to write.
    fn wait(&self) -> Entry {
        let mut state = self.lock();
        loop {
            let now = Instant::now();
            let until = match state.backlog.next(now) {
                Next::Line(entry) => return entry,
                Next::LeftOut { site, message, lines } => {
                    drop(state);
                    return self.left_out(site, &message, lines);
                }
                Next::Lost(lines) => {
                    drop(state);
                    return self.lost(lines);
                }
                Next::Wait(until) => until,
            };
            state.waits_until = until;
            state.is_at_rest = true;
            self.rest.notify_all();
            state = match until {
                None => self.news.wait(state).expect("no holder of this lock can panic"),
                Some(until) => {
                    let waited = self.news.wait_timeout(state, until.duration_since(now));
                    waited.expect("no holder of this lock can panic").0
                }
            };
        }
    }

    fn left_out(&self, Callsite(metadata): Callsite, message: &str, lines: u64) -> Entry {
        let event = Event {
            message: format!("more of these were left out: {message}").as_str().into(),
            fields: Vec::new(),
        };
        Entry {
            line: self.line(*metadata.level(), metadata.target(), &event, lines),
            stands_for: lines,
        }
    }

    fn lost(&self, lines: u64) -> Entry {
        let event = Event {
            message: "lines of this log were lost".into(),
            fields: vec![("lost", Value::Plain(lines.to_string()))],
        };
        Entry {
            line: self.line(Level::WARN, OURSELVES, &event, 0),
            stands_for: lines,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of this lock can panic")
    }
}

/// Writes as much as can be written, and says how much that was, in bytes. Why it was not all of it changes nothing.
fn write_all(destination: &mut impl Write, bytes: &[u8]) -> usize {
    let mut written = 0;
    while written < bytes.len() {
        match destination.write(&bytes[written..]) {
            Ok(0) => break,
            Ok(count) => written += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    written
}

#[cfg(test)]
mod tests;
