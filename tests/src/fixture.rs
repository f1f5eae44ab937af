//! The programs that belong to the tests.

use std::path::PathBuf;

/// The command line of the child under test with these arguments; see `src/bin/fixture`.
pub fn argv<const N: usize>(arguments: [&str; N]) -> Vec<String> {
    let mut argv = vec![path()];
    argv.extend(arguments.map(String::from));
    argv
}

/// The file of the child under test.
pub fn path() -> String {
    program("fixture")
        .into_os_string()
        .into_string()
        .expect("the target directory is UTF-8")
}

/// A program of this package, which Cargo has put beside the tests.
pub fn program(name: &str) -> PathBuf {
    let mut directory = std::env::current_exe().expect("a test knows its own file");
    directory.pop();
    if directory.ends_with("deps") {
        directory.pop();
    }
    let program = directory.join(name);
    assert!(
        program.exists(),
        "{} was not built: run the tests with `cargo test`",
        program.display()
    );
    program
}
