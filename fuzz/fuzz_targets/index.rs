#![no_main]

use std::sync::LazyLock;

use tempfile::TempDir;

/// Where the files of the log under test are, one input after the other.
static DIRECTORY: LazyLock<TempDir> =
    LazyLock::new(|| tempfile::tempdir().expect("there is room for a directory"));

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| exec_tasks::fuzzing::index(bytes, DIRECTORY.path()));
