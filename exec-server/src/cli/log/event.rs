//! What there is to say, taken from where it is said.

use std::error::Error;
use std::fmt::{Debug, Write as _};

use tracing::field::{Field, Visit};

use super::text::Text;
use crate::causes::described;

/// The name of the field that is the message.
const MESSAGE: &str = "message";

/// The message of an event and its fields. It holds no more of them than is logged.
#[derive(Debug, Default)]
pub(super) struct Event {
    pub(super) message: Text,
    pub(super) fields: Vec<(&'static str, Value)>,
}

/// The value of a field.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// A number or a truth value, which needs no quotation marks.
    Plain(String),
    /// Anything else.
    Text(Text),
}

impl Event {
    /// What was said.
    pub(super) fn of(event: &tracing::Event<'_>) -> Self {
        let mut taken = Self::default();
        event.record(&mut taken);
        taken
    }

    fn text(&mut self, field: &Field, text: Text) {
        if field.name() == MESSAGE {
            self.message = text;
        } else {
            self.fields.push((field.name(), Value::Text(text)));
        }
    }

    fn plain(&mut self, field: &Field, value: &impl ToString) {
        self.fields.push((field.name(), Value::Plain(value.to_string())));
    }
}

impl Visit for Event {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let mut text = Text::default();
        // Somebody's formatting may fail; then what came until there is logged.
        let _ = write!(text, "{value:?}");
        self.text(field, text);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, value.into());
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.text(field, described(value).as_str().into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.plain(field, &value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.plain(field, &value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.plain(field, &value);
    }
}
