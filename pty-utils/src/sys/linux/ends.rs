//! Opening terminals and pipes: our ends and the child's.
use super::{failure::Failure, image::ControllingTerminal};
use crate::{
    command::{Stdin, Streams},
    step::Step,
    terminal::Size,
};
use rustix::{
    fs::{Mode, OFlags, open},
    io::{Errno, fcntl_dupfd_cloexec, ioctl_fionbio},
    pipe::{PipeFlags, pipe_with},
    pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, ptsname, unlockpt},
    termios::tcsetwinsize,
};
use std::{
    ffi::OsString,
    os::{
        fd::{AsRawFd, OwnedFd, RawFd},
        unix::ffi::OsStringExt,
    },
    path::PathBuf,
};

/// The lowest number a descriptor has that is not a standard stream.
const FIRST_OTHER: RawFd = 3;

/// Our ends of a child's streams, not blocking.
#[derive(Debug)]
pub(super) enum Ends {
    Terminal {
        master: OwnedFd,
        name: PathBuf,
    },
    Pipes {
        stdin: Option<OwnedFd>,
        stdout: OwnedFd,
        stderr: OwnedFd,
    },
}

/// The child's ends. None has the number of a standard stream, so that `dup2` in the child overwrites none of
/// them and always clears close-on-exec.
#[derive(Debug)]
pub(super) enum Theirs {
    Terminal(OwnedFd),
    Pipes([OwnedFd; 3]),
}

impl Ends {
    /// Opens both sides. All of them are close-on-exec from birth, since a thread of ours may fork at any
    /// time.
    pub(super) fn open(streams: Streams) -> Result<(Self, Theirs), Failure> {
        match streams {
            Streams::Terminal { size } => terminal(size).map_err(Step::OpenTerminal.failed()),
            Streams::Pipes { stdin } => pipes(stdin).map_err(Step::OpenPipes.failed()),
        }
    }
}

impl Theirs {
    pub(super) fn streams(&self) -> [RawFd; 3] {
        match self {
            Self::Terminal(slave) => [slave.as_raw_fd(); 3],
            Self::Pipes(ends) => ends.each_ref().map(AsRawFd::as_raw_fd),
        }
    }

    pub(super) fn controlling_terminal(&self) -> ControllingTerminal {
        match self {
            Self::Terminal(_) => ControllingTerminal::StandardInput,
            Self::Pipes(_) => ControllingTerminal::None,
        }
    }
}

// Not portable_pty's openpty: it puts the errno into a text, so that a full descriptor table could not be
// told from anything else, and it marks close-on-exec afterwards.
fn terminal(size: Size) -> Result<(Ends, Theirs), Errno> {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let master = openpt(flags)?;
    grantpt(&master)?;
    unlockpt(&master)?;
    tcsetwinsize(&master, size.into())?;
    ioctl_fionbio(&master, true)?;
    // By the master and not by its name, which means another file if /dev/pts is another mount.
    let slave = above_streams(ioctl_tiocgptpeer(&master, flags)?)?;
    let name = OsString::from_vec(ptsname(&master, Vec::new())?.into_bytes()).into();
    Ok((Ends::Terminal { master, name }, Theirs::Terminal(slave)))
}

fn pipes(stdin: Stdin) -> Result<(Ends, Theirs), Errno> {
    let (our_stdin, their_stdin) = match stdin {
        Stdin::Null => {
            let null = open("/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
            (None, above_streams(null)?)
        }
        Stdin::Piped => {
            let (theirs, ours) = pipe_with(PipeFlags::CLOEXEC)?;
            ioctl_fionbio(&ours, true)?;
            (Some(ours), above_streams(theirs)?)
        }
    };
    let (stdout, their_stdout) = output_pipe()?;
    let (stderr, their_stderr) = output_pipe()?;
    let ends = Ends::Pipes {
        stdin: our_stdin,
        stdout,
        stderr,
    };
    Ok((ends, Theirs::Pipes([their_stdin, their_stdout, their_stderr])))
}

fn output_pipe() -> Result<(OwnedFd, OwnedFd), Errno> {
    let (ours, theirs) = pipe_with(PipeFlags::CLOEXEC)?;
    ioctl_fionbio(&ours, true)?;
    Ok((ours, above_streams(theirs)?))
}

/// Moves a descriptor away from 0, 1 and 2, where it is if this process was started without standard streams.
pub(super) fn above_streams(fd: OwnedFd) -> Result<OwnedFd, Errno> {
    if fd.as_raw_fd() < FIRST_OTHER {
        fcntl_dupfd_cloexec(&fd, FIRST_OTHER)
    } else {
        Ok(fd)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    /// Set in the process that a test starts to run itself in.
    const PREPARED: &str = "PTY_UTILS_TEST_PREPARED";

    #[test]
    fn the_childs_ends_are_above_the_standard_streams_in_a_process_without_them() {
        if std::env::var_os(PREPARED).is_some() {
            return ends_are_moved_in_a_process_that_closes_its_stdin();
        }
        let output = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "sys::linux::ends::tests::the_childs_ends_are_above_the_standard_streams_in_a_process_without_them",
            ])
            .env(PREPARED, "")
            .output()
            .unwrap();
        let report = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && report.contains("1 passed"), "{report}");
    }

    fn ends_are_moved_in_a_process_that_closes_its_stdin() {
        let kinds = [
            Streams::Terminal {
                size: Size { rows: 24, cols: 80 },
            },
            Streams::Pipes { stdin: Stdin::Piped },
            Streams::Pipes { stdin: Stdin::Null },
        ];
        // SAFETY: nobody in this process uses its stdin.
        assert_eq!(unsafe { libc::close(0) }, 0);
        for streams in kinds {
            let (_ours, theirs) = Ends::open(streams).unwrap();
            assert!(theirs.streams().iter().all(|&fd| fd >= FIRST_OTHER), "{theirs:?}");
        }
    }
}
