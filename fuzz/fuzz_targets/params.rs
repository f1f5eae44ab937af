#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| exec_protocol::fuzzing::params(bytes));
