//! The `exec-server` binary; everything it does is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    exec_server::cli::main()
}
