//! The promises of exec-server, each over every wire that can keep it.

#![expect(
    clippy::unwrap_used,
    reason = "clippy takes only functions marked as tests for tests"
)]

mod abuse;
mod access;
mod agent;
mod bad_input;
mod cancel;
mod chaos;
mod client_resume;
mod commands;
mod containment;
mod corpus;
mod disconnects;
mod ends;
mod environment;
mod files;
mod half_open;
mod handshake;
mod http;
mod ids_and_batches;
mod job_control;
mod jsonrpsee_client;
mod late_output;
mod leaks;
mod logs;
mod metrics;
mod names;
mod order;
mod output;
mod read;
mod records;
mod restrictions;
mod resume;
mod run_command;
mod secrets;
mod server_info;
mod session_close;
mod shortage;
mod shutdown;
mod signal;
mod start;
mod start_errors;
mod stdin;
mod stdin_full;
mod task_command;
mod task_restarts;
mod tasks;
mod terminal;
mod terminate;
mod unknown_process;
mod wait;
mod window;
mod witness;
mod write_offset;
