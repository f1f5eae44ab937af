//! Registering descriptors with the runtime.
use super::process::Process;
use std::{io, os::fd::OwnedFd};
use tokio::io::{Interest, unix::AsyncFd};

/// Registers a descriptor for edges of `interest`.
pub(super) fn register(fd: OwnedFd, interest: Interest) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an OwnedFd is open until it is dropped, always the same one, and nothing takes it out.
    let registered = unsafe { AsyncFd::register_with_interest(fd, interest) };
    Ok(registered?)
}

/// Registers a process for its exit.
pub(super) fn register_process(process: Process) -> io::Result<AsyncFd<Process>> {
    // SAFETY: a Process has one pidfd from its making until it is dropped.
    let registered = unsafe { AsyncFd::register_with_interest(process, Interest::READABLE) };
    Ok(registered?)
}
