//! The `exec-server` binary under a name of its own, so that Cargo builds it for the tests.

use std::process::ExitCode;

fn main() -> ExitCode {
    exec_server::cli::main()
}
