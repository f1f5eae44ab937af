//! The `exec-server` binary under a name of its own, so that Cargo builds it for the tests.

use std::process::ExitCode;

use exec_tests::failing;

fn main() -> ExitCode {
    match failing::as_told() {
        None => exec_server::cli::main(),
        Some(error) => panic!("calls cannot be made to fail: {error}"),
    }
}
