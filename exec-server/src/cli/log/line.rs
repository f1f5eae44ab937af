//! A line of the log.

use std::fmt::Write as _;

use clap::ValueEnum;
use tracing::Level;

use super::event::{Event, Value};
use super::text::{Place, Text};
use super::time::Utc;

/// What a line looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in super::super) enum Format {
    /// For people
    Text,
    /// For programs: each line is an object
    Json,
}

/// What stands in a line.
#[derive(Debug)]
pub(super) struct Line<'a> {
    /// When it was said, in Unix milliseconds.
    pub(super) ms: u64,
    pub(super) level: Level,
    /// Where in the code. One of ours, so it holds nothing that must be escaped.
    pub(super) target: &'a str,
    pub(super) event: &'a Event,
    /// How many of the same place were left out before it.
    pub(super) left_out: u64,
}

impl Format {
    /// The line with its end, which is the only one in it.
    pub(super) fn line(self, line: &Line<'_>) -> String {
        let mut text = match self {
            Self::Text => in_words(line),
            Self::Json => as_object(line),
        };
        text.push('\n');
        text
    }
}

fn in_words(line: &Line<'_>) -> String {
    let mut text = format!("{} {:>5} {}: ", Utc(line.ms), line.level, line.target);
    line.event.message.write_to(&mut text, Place::Free);
    for (name, value) in &line.event.fields {
        add(&mut text, format_args!(" {name}="));
        match value {
            Value::Plain(value) => text.push_str(value),
            Value::Text(value) if value.is_word() => value.write_to(&mut text, Place::Free),
            Value::Text(value) => quoted(&mut text, value, Place::Quoted),
        }
    }
    if line.left_out > 0 {
        add(&mut text, format_args!(" left_out={}", line.left_out));
    }
    text
}

fn as_object(line: &Line<'_>) -> String {
    let mut text = format!(
        r#"{{"time":"{}","level":"{}","target":"{}","message":"#,
        Utc(line.ms),
        line.level,
        line.target
    );
    quoted(&mut text, &line.event.message, Place::Json);
    text.push_str(r#","fields":{"#);
    for (at, (name, value)) in line.event.fields.iter().enumerate() {
        let comma = if at > 0 { "," } else { "" };
        add(&mut text, format_args!(r#"{comma}"{name}":"#));
        match value {
            Value::Plain(value) => text.push_str(value),
            Value::Text(value) => quoted(&mut text, value, Place::Json),
        }
    }
    text.push('}');
    if line.left_out > 0 {
        add(&mut text, format_args!(r#","left_out":{}"#, line.left_out));
    }
    text.push('}');
    text
}

fn quoted(line: &mut String, text: &Text, place: Place) {
    line.push('"');
    text.write_to(line, place);
    line.push('"');
}

fn add(line: &mut String, text: std::fmt::Arguments<'_>) {
    line.write_fmt(text).expect("a string takes everything");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::escape::is_dangerous;
    use crate::limits::MAX_LOG_VALUE_BYTES;
    use proptest::prelude::*;

    fn line(message: &str, value: &str, left_out: u64, format: Format) -> String {
        let event = Event {
            message: message.into(),
            fields: vec![
                ("client", Value::Text(value.into())),
                ("bytes", Value::Plain("7".to_owned())),
            ],
        };
        format.line(&Line {
            ms: 0,
            level: Level::WARN,
            target: "exec_server::x",
            event: &event,
            left_out,
        })
    }

    #[test]
    fn a_line_has_time_level_target_message_and_fields() {
        assert_eq!(
            line("it is so", "a b\n", 3, Format::Text),
            "1970-01-01T00:00:00.000Z  WARN exec_server::x: it is so client=\"a b\\n\" bytes=7 left_out=3\n"
        );
        assert_eq!(
            line("it is so", "a b\n", 3, Format::Json),
            "{\"time\":\"1970-01-01T00:00:00.000Z\",\"level\":\"WARN\",\"target\":\"exec_server::x\",\
             \"message\":\"it is so\",\"fields\":{\"client\":\"a b\\u000a\",\"bytes\":7},\"left_out\":3}\n"
        );
    }

    proptest! {
        #[test]
        fn whatever_is_logged_makes_one_line(message in any::<String>(), value in any::<String>(), letters in "[\\x00-\\xa0\\u2020-\\u2070\"\\\\]*") {
            for (message, value) in [(&message, &letters), (&letters, &value)] {
                for format in [Format::Text, Format::Json] {
                    let line = line(message, value, 0, format);
                    let inside = line.strip_suffix('\n').expect("it ends");
                    prop_assert!(!inside.contains(is_dangerous), "{inside:?}");
                    prop_assert!(line.len() < 2 * MAX_LOG_VALUE_BYTES + 256);
                }
                let object: serde_json::Value = serde_json::from_str(&line(message, value, 0, Format::Json)).expect("it is JSON");
                prop_assert_eq!(object["message"].as_str(), Some(message.as_str()));
                prop_assert_eq!(object["fields"]["client"].as_str(), Some(value.as_str()));
            }
        }
    }
}
