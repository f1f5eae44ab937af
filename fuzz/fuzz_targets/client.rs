#![no_main]

#[path = "../../exec-client/tests/client/hostile.rs"]
mod hostile;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| hostile::client(bytes));
