//! Params of `process/start` that many tests need.

use exec_tests::fixture;
use serde_json::{Value, json};

/// The child under test on pipes, without a stdin.
pub(crate) fn on_pipes<const N: usize>(process_id: &str, arguments: [&str; N]) -> Value {
    json!({"processId": process_id, "argv": fixture::argv(arguments)})
}

/// The child under test on pipes, with a stdin.
pub(crate) fn with_stdin<const N: usize>(process_id: &str, arguments: [&str; N]) -> Value {
    with(on_pipes(process_id, arguments), json!({"pipeStdin": true}))
}

/// The child under test on a terminal.
pub(crate) fn on_terminal<const N: usize>(process_id: &str, arguments: [&str; N]) -> Value {
    with(on_pipes(process_id, arguments), json!({"tty": true}))
}

/// A script on pipes, without a stdin.
pub(crate) fn script(process_id: &str, script: &str) -> Value {
    json!({"processId": process_id, "argv": ["/bin/sh", "-c", script]})
}

/// The same params, and these.
pub(crate) fn with(mut params: Value, more: Value) -> Value {
    let (Value::Object(members), Value::Object(more)) = (&mut params, more) else {
        panic!("params are objects")
    };
    members.extend(more);
    params
}
