//! Every message of the wire, byte for byte.
//!
//! Each method and notification has a file in `golden/` under its name. `params` and `result` lines
//! are what we write and what we read; an `also` line is another way to write the line above it,
//! which we read but never write.

#![expect(clippy::unwrap_used, reason = "a panic is how a test says what is wrong")]

mod connection;
mod control;
mod envelope;
mod file;
mod files;
mod output;
mod records;
mod server;
mod start;
mod tasks;
mod wait;

use std::collections::BTreeSet;

use exec_protocol::initialize::Initialized;
use exec_protocol::process::Target;
use exec_protocol::{Empty, ProcessId, StringMap, Uid, WirePath};

use file::{golden_files, names_in_source, notice};

#[test]
fn every_message_is_written_and_read_as_its_file_shows() {
    let compared = BTreeSet::from([
        connection::initialize(),
        notice::<Initialized>(&[Empty {}]),
        connection::environment_info(),
        connection::environment_status(),
        connection::cancel_request(),
        connection::close_session(),
        start::start(),
        control::write(),
        control::close_stdin(),
        control::resize(),
        control::signal(),
        control::terminate(),
        control::forget(),
        records::get(),
        records::list(),
        output::read(),
        output::ack(),
        output::output(),
        output::gap(),
        output::exited(),
        output::closed(),
        wait::wait(),
        server::info(),
        server::stats(),
        files::get_metadata(),
        files::read_file(),
        files::write_file(),
        files::create_directory(),
        files::remove(),
        files::copy(),
        files::read_directory(),
        files::canonicalize(),
        files::walk(),
        files::open(),
        files::read_block(),
        files::write_block(),
        files::close(),
        tasks::submit::submit(),
        tasks::control::stop(),
        tasks::control::remove(),
        tasks::control::retry(),
        tasks::control::write(),
        tasks::control::resize(),
        tasks::control::signal(),
        tasks::control::clean(),
        tasks::control::stop_group(),
        tasks::control::lanes(),
        tasks::looks::get(),
        tasks::looks::list(),
        tasks::looks::summary(),
        tasks::looks::wait(),
        tasks::logs::logs(),
        tasks::news::notices(),
        tasks::news::ack(),
        tasks::news::subscribe(),
        tasks::news::updated(),
        tasks::news::settled(),
    ]);
    assert_eq!(
        compared,
        as_strs(&names_in_source()),
        "messages of the crate without a golden case"
    );

    let files = golden_files();
    assert_eq!(
        compared,
        as_strs(&files),
        "files in golden/ that nothing compares"
    );
}

fn as_strs(names: &BTreeSet<String>) -> BTreeSet<&str> {
    names.iter().map(String::as_str).collect()
}

fn process() -> ProcessId {
    ProcessId::new("p").unwrap()
}

fn uid() -> Uid {
    Uid::new("u7").unwrap()
}

/// Both ways to name a process.
fn targets() -> [Target; 2] {
    [process().into(), uid().into()]
}

fn path(text: &str) -> WirePath {
    WirePath::new(text.into()).unwrap()
}

fn strings(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| (*text).to_owned()).collect()
}

fn variables(list: &[(&str, &str)]) -> StringMap {
    list.iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}
