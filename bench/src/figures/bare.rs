//! Commands without a server, as plainly as the system allows.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};

use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// A command with the environment that commands under a server have; its program is an absolute path, so that the
/// standard library can take the way of `posix_spawn`.
pub(super) fn command(argv: &[&str]) -> Command {
    let mut command = Command::new(argv[0]);
    command.args(&argv[1..]).env_clear().env("PATH", "/usr/bin:/bin");
    command
}

/// Starts a command on a terminal, and lends its other end.
///
/// The terminal is not the controlling one, which would need a step between fork and exec; so this floor is a
/// little lower than what a server has to do.
pub(super) fn on_terminal(argv: &[&str]) -> io::Result<(Child, File)> {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&master)?;
    unlockpt(&master)?;
    let name = ptsname(&master, Vec::new())?;
    let slave = open(
        name,
        OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    let (input, output): (OwnedFd, OwnedFd) = (slave.try_clone()?, slave.try_clone()?);
    let child = command(argv).stdin(input).stdout(output).stderr(slave).spawn()?;
    Ok((child, File::from(master)))
}

/// Starts a command on pipes, with nothing to read.
pub(super) fn on_pipes(argv: &[&str]) -> io::Result<Child> {
    command(argv)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
}

/// Reads to the end of the output, and waits for the exit.
pub(super) fn finish(mut child: Child) -> io::Result<()> {
    let mut room = [0; 256];
    if let Some(mut stdout) = child.stdout.take() {
        while stdout.read(&mut room)? > 0 {}
    }
    if let Some(mut stderr) = child.stderr.take() {
        while stderr.read(&mut room)? > 0 {}
    }
    child.wait().map(drop)
}

/// Reads a terminal until nobody holds its other end, which it tells by an error, and waits for the exit.
pub(super) fn finish_terminal(mut child: Child, mut terminal: File) -> io::Result<()> {
    let mut room = [0; 256];
    while terminal.read(&mut room).is_ok_and(|count| count > 0) {}
    child.wait().map(drop)
}

/// Ends a command that would not end by itself.
pub(super) fn end(mut child: Child) -> io::Result<()> {
    child.kill()?;
    child.wait().map(drop)
}
