#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| exec_server::fuzzing::access(bytes));
