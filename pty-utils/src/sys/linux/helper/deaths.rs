//! A descriptor that tells of the deaths of children, and of the thread that spawned.
use crate::sys::linux::{blocked_signals, errno::last_errno};
use rustix::{
    io::{Errno, read},
    process::{Pid, getppid},
};
use std::{
    ffi::{c_int, c_long, c_uint},
    mem,
    os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd, RawFd},
};

/// What a supervisor gets when the thread that spawned it ends. A real-time signal, as programs send the others to
/// their parent for reasons of their own; those below this one belong to the C libraries.
const SPAWNER_DIED: c_int = 35;
/// How many signals are taken at once. What is left is taken the next time, so that a flood of them keeps nobody
/// from doing anything else.
const BATCH: usize = 32;

/// Takes all signals, of which the deaths are told and the others forgotten.
#[derive(Debug)]
pub(super) struct Deaths {
    signals: OwnedFd,
    /// The process whose thread has spawned us. None if it is in a pid namespace that we do not see.
    spawner: Option<Pid>,
}

/// Asks for the signal in the process that is to be a supervisor. It makes a system call only.
pub(in crate::sys::linux) fn tell_when_spawner_dies() -> Result<(), Errno> {
    // SAFETY: it concerns this process only. Not rustix, which knows no real-time signals.
    if unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, c_long::from(SPAWNER_DIED)) } < 0 {
        return Err(last_errno());
    }
    Ok(())
}

impl Deaths {
    /// Not blocking. If the spawner is gone already, it is its socket that tells.
    pub(super) fn open() -> Result<Self, Errno> {
        let all = blocked_signals::ALL;
        blocked_signals::block_all();
        // SAFETY: the set is of the size that is passed. Not the C library's signalfd, as its sets leave signals out.
        let fd = unsafe {
            libc::syscall(
                libc::SYS_signalfd4,
                -1,
                &raw const all,
                size_of_val(&all),
                libc::SFD_CLOEXEC | libc::SFD_NONBLOCK,
            )
        };
        if fd < 0 {
            return Err(last_errno());
        }
        let fd = RawFd::try_from(fd).map_err(|_| Errno::BADF)?;
        Ok(Self {
            // SAFETY: it was opened just now and is nobody else's.
            signals: unsafe { OwnedFd::from_raw_fd(fd) },
            spawner: getppid(),
        })
    }

    /// Takes what was told. True if the thread that spawned us has died.
    pub(super) fn take(&self) -> bool {
        const BYTES: usize = size_of::<libc::signalfd_siginfo>();
        let mut taken = [0; BATCH * BYTES];
        let count = read(&self.signals, &mut taken).unwrap_or(0);
        taken[..count].chunks_exact(BYTES).any(|info| {
            let word = |at: usize| info[at..].first_chunk().map(|bytes| u32::from_ne_bytes(*bytes));
            self.is_from_spawner(
                word(mem::offset_of!(libc::signalfd_siginfo, ssi_signo)),
                word(mem::offset_of!(libc::signalfd_siginfo, ssi_code)),
                word(mem::offset_of!(libc::signalfd_siginfo, ssi_pid)),
            )
        })
    }

    /// The kernel sends it in the name of the parent that dies, as by `kill`. In that form nobody can use the pid of
    /// another.
    fn is_from_spawner(&self, signal: Option<c_uint>, code: Option<c_uint>, pid: Option<c_uint>) -> bool {
        let spawner = self
            .spawner
            .map_or(0, |pid| pid.as_raw_nonzero().get().unsigned_abs());
        signal == Some(SPAWNER_DIED.unsigned_abs())
            && code == Some(libc::SI_USER.cast_unsigned())
            && pid == Some(spawner)
    }
}

impl AsFd for Deaths {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.signals.as_fd()
    }
}
