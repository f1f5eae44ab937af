//! What the agent and another server said to each other.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

/// What stands in a long payload, which is base64, for the middle, which is not in the recording.
pub(super) const LEFT_OUT: &str = "…(cut)…";

/// One line of a recording.
#[derive(Debug)]
pub(super) enum Said {
    /// A connection is made; one that was there before is broken.
    Open,
    /// The agent said this text.
    Agent(String),
    /// The server said this.
    Server(Value),
}

/// Where the recordings are.
fn directory() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "../exec-protocol/tests/recorded"]
        .iter()
        .collect()
}

/// The names of all that there are.
pub(super) fn names() -> Vec<String> {
    let entries = fs::read_dir(directory()).expect("the recordings are there");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("it can be listed").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    names
}

/// The recording of this name. Every message in it is passed through `put_folders_into`.
pub(super) fn read(name: &str, put_folders_into: impl Fn(&str) -> String) -> Vec<Said> {
    let file = directory().join(name).with_extension("txt");
    let text = fs::read_to_string(file).expect("the recording is there");
    let mut connections = 0;
    let said: Vec<Said> = text
        .lines()
        .map(|line| {
            let mut parts = line.splitn(3, ' ');
            let (Some(connection), Some(direction), Some(message)) =
                (parts.next(), parts.next(), parts.next())
            else {
                panic!("{name}: {line}")
            };
            if direction == "#" {
                assert_eq!(
                    (connection, message),
                    (&*connections.to_string(), "open"),
                    "{name}"
                );
                connections += 1;
                return Said::Open;
            }
            // A line of an older connection behind the newer one's beginning would have to be replayed otherwise.
            assert_eq!(connection.parse(), Ok(connections - 1), "{name}: {line}");
            let message = put_folders_into(message);
            match direction {
                ">" => Said::Agent(message),
                "<" => Said::Server(serde_json::from_str(&message).expect("a message is JSON")),
                _ => panic!("{name}: {line}"),
            }
        })
        .collect();
    assert!(matches!(said.first(), Some(Said::Open)), "{name}");
    said
}
