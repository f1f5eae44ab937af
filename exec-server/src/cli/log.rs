//! The log: lines on standard error that nobody can forge, that no flood fills, and that hold up nobody.

mod backlog;
mod callsite;
mod event;
mod line;
mod site;
mod stderr;
mod text;
mod time;
mod writer;

use std::io;
use std::panic::{self, PanicHookInfo};
use std::sync::Arc;

use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use super::escape::escaped;
pub(super) use line::Format;
use stderr::Stderr;
use writer::Writer;

/// What is logged where nothing else was asked for: a server that is well says nothing.
const DEFAULT: LevelFilter = LevelFilter::WARN;

/// How the targets of our own crates begin. Others may log what is in messages.
const OUR_CRATES: [&str; 2] = ["exec_", "pty_utils"];

/// The log of this program. What was said is written when it is dropped, if anybody reads it.
#[derive(Debug)]
pub(super) struct Log {
    format: Format,
    writer: Arc<Writer>,
}

impl Log {
    /// From now on what is said goes to standard error: what the filter lets through, else that of `RUST_LOG`, else warnings.
    ///
    /// # Errors
    ///
    /// If the system has no thread to give.
    pub(super) fn start(filter: Option<Targets>, format: Format) -> io::Result<Self> {
        let from_environment = || std::env::var("RUST_LOG").ok()?.parse().ok();
        let filter = filter
            .or_else(from_environment)
            .unwrap_or_else(|| Targets::new().with_default(DEFAULT));
        let writer = Writer::start(format, Stderr)?;
        let lines = Lines(Arc::clone(&writer));
        tracing_subscriber::registry().with(lines).with(filter).init();
        // The usual one waits until somebody reads standard error.
        panic::set_hook(Box::new(tell_panic));
        Ok(Self { format, writer })
    }

    /// Tells people, or programs if they are to read this, why this program ends. No filter keeps it from them.
    pub(super) fn fail(&self, message: &str) {
        let line = match self.format {
            Format::Text => format!("exec-server: {}\n", escaped(message)),
            Format::Json => {
                let event = event::Event {
                    message: message.into(),
                    fields: Vec::new(),
                };
                self.writer.line(Level::ERROR, "exec_server", &event, 0)
            }
        };
        self.writer.take_line(line);
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.writer.flush();
    }
}

fn tell_panic(panic: &PanicHookInfo<'_>) {
    let message = panic.payload_as_str().unwrap_or("of no known kind");
    let location = panic.location().map(tracing::field::display);
    tracing::error!(message = "a panic", panic = message, at = location);
}

/// What the program says, line by line.
struct Lines(Arc<Writer>);

impl<S: Subscriber> Layer<S> for Lines {
    fn enabled(&self, metadata: &Metadata<'_>, _context: Context<'_, S>) -> bool {
        OUR_CRATES.iter().any(|name| metadata.target().starts_with(name))
    }

    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        self.0.take(event);
    }
}
