//! What the child does until it is the program.
//!
//! It runs in the memory of its parent, which other threads go on using: it makes system calls only, takes no
//! lock, and neither allocates nor panics.
use super::{
    errno::last_errno,
    failure::Failure,
    image::{ControllingTerminal, Image},
};
use crate::{
    restrictions::{Limit, Privileges, Resource, Strength},
    step::Step,
};
use rustix::{
    fs::{FileType, Mode, stat},
    io::Errno,
    process::{
        self, Rlimit, Signal, chdir, getppid, getrlimit, ioctl_tiocsctty, set_parent_process_death_signal,
        setrlimit, setsid, umask,
    },
    thread::set_no_new_privs,
};
use std::{
    ffi::{CStr, c_long, c_uint},
    mem::MaybeUninit,
    os::fd::{BorrowedFd, RawFd},
    ptr,
};

type Act = fn(&Image<'_>) -> Result<(), Errno>;

/// What is done, in this order, before limits are set and the program is looked for.
const STEPS: &[(Step, Act)] = &[
    (Step::DeathSignal, die_with_parent),
    (Step::Session, lead_session),
    (Step::Streams, connect_streams),
    (Step::ControllingTerminal, take_terminal),
    (Step::CloseDescriptors, close_others),
    (Step::Cwd, enter_cwd),
    (Step::Privileges, give_up_privileges),
];

/// Returns only if it failed.
pub(super) fn run(image: &Image<'_>) -> Failure {
    match prepare(image) {
        Ok(()) => execute(image),
        Err(failure) => failure,
    }
}

fn prepare(image: &Image<'_>) -> Result<(), Failure> {
    for &(step, act) in STEPS {
        act(image).map_err(step.failed())?;
    }
    set_umask(image);
    for limit in &image.limits {
        bound(*limit).map_err(Step::Limit(limit.resource).failed())?;
    }
    // Last, so that a signal that came meanwhile ends the child and not its preparation.
    reset_signals().map_err(Step::Signals.failed())
}

fn die_with_parent(image: &Image<'_>) -> Result<(), Errno> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // If the parent has died already, no signal will come, and there is nobody to tell.
    if getppid() == Some(image.parent.get()) {
        Ok(())
    } else {
        Err(Errno::SRCH)
    }
}

/// Also for pipes, where a group would do: the child is detached from a terminal of ours, which `/dev/tty`
/// would open and whose foreground it would fight for, and a session's leader can never leave its group, so
/// that pid, group and session stay one number.
fn lead_session(_: &Image<'_>) -> Result<(), Errno> {
    setsid().map(drop)
}

fn connect_streams(image: &Image<'_>) -> Result<(), Errno> {
    for (source, stream) in image.streams.into_iter().zip(0..) {
        // SAFETY: what it closes belongs to this process alone, which shares memory but not descriptors.
        if unsafe { libc::dup2(source, stream) } < 0 {
            return Err(last_errno());
        }
    }
    Ok(())
}

fn take_terminal(image: &Image<'_>) -> Result<(), Errno> {
    match image.controlling_terminal {
        // SAFETY: connect_streams has just opened it.
        ControllingTerminal::StandardInput => ioctl_tiocsctty(unsafe { BorrowedFd::borrow_raw(0) }),
        ControllingTerminal::None => Ok(()),
    }
}

fn close_others(_: &Image<'_>) -> Result<(), Errno> {
    close_from(3)
}

/// Closes all descriptors from `first` on. For a process that shares memory but not descriptors with its parent.
pub(super) fn close_from(first: RawFd) -> Result<(), Errno> {
    const LAST: c_long = c_uint::MAX as c_long;
    const FLAGS: c_long = 0;
    // SAFETY: what it closes belongs to this process alone, and nothing here uses it any more.
    if unsafe { libc::syscall(libc::SYS_close_range, c_long::from(first), LAST, FLAGS) } == 0 {
        return Ok(());
    }
    match last_errno() {
        // Before Linux 5.9, or under a filter that does not know it.
        Errno::NOSYS | Errno::PERM => {
            close_each(first);
            Ok(())
        }
        errno => Err(errno),
    }
}

fn close_each(first: RawFd) {
    let limit = getrlimit(process::Resource::Nofile).current;
    let end = limit
        .and_then(|limit| RawFd::try_from(limit).ok())
        .unwrap_or(RawFd::MAX);
    for fd in first..end {
        // SAFETY: as above; that most numbers are not open is what it answers.
        unsafe { libc::close(fd) };
    }
}

fn enter_cwd(image: &Image<'_>) -> Result<(), Errno> {
    chdir(image.cwd)
}

fn set_umask(image: &Image<'_>) {
    if let Some(mask) = image.umask {
        umask(Mode::from_raw_mode(mask));
    }
}

fn give_up_privileges(image: &Image<'_>) -> Result<(), Errno> {
    match image.privileges {
        Privileges::Inherited => Ok(()),
        Privileges::NoNew => set_no_new_privs(true),
    }
}

fn bound(limit: Limit) -> Result<(), Errno> {
    let resource = match limit.resource {
        Resource::CpuSeconds => process::Resource::Cpu,
        Resource::MemoryBytes => process::Resource::As,
        Resource::OpenFiles => process::Resource::Nofile,
        Resource::Processes => process::Resource::Nproc,
        Resource::FileBytes => process::Resource::Fsize,
        Resource::CoreBytes => process::Resource::Core,
    };
    let limit = match limit.strength {
        Strength::Hard => Rlimit {
            current: Some(limit.value),
            maximum: Some(limit.value),
        },
        Strength::Soft => {
            let maximum = getrlimit(resource).maximum;
            let most = maximum.unwrap_or(u64::MAX);
            Rlimit {
                current: Some(limit.value.min(most)),
                maximum,
            }
        }
    };
    setrlimit(resource, limit)
}

fn reset_signals() -> Result<(), Errno> {
    reset_dispositions();
    let mut none = MaybeUninit::uninit();
    // SAFETY: the set is ours to write, and it is emptied before it is used.
    let result = unsafe {
        libc::sigemptyset(none.as_mut_ptr());
        libc::sigprocmask(libc::SIG_SETMASK, none.as_ptr(), ptr::null_mut())
    };
    if result == 0 { Ok(()) } else { Err(last_errno()) }
}

/// Gives every signal its default effect.
pub(super) fn reset_dispositions() {
    /// The kernel's highest signal.
    const LAST: c_long = 64;
    /// The size of the kernel's set of signals in bytes.
    const SET_BYTES: usize = 8;

    // The kernel's action, all zero: the default effect and no flags. It is smaller than this everywhere.
    let default = [0_u64; 8];
    // Not the C library's sigaction: it hides two signals, which a parent of ours may have ignored
    // nevertheless.
    for signal in 1..=LAST {
        // SAFETY: it installs no handler, and dispositions are not shared. What cannot be changed (SIGKILL,
        // SIGSTOP) is refused, and has its default effect anyway.
        unsafe {
            libc::syscall(
                libc::SYS_rt_sigaction,
                signal,
                default.as_ptr(),
                ptr::null_mut::<u64>(),
                SET_BYTES,
            )
        };
    }
}

/// Tries each candidate. A file that is there but cannot run does not end the search, as with `execvp`, but
/// if nothing runs, the first such file is what went wrong.
fn execute(image: &Image<'_>) -> Failure {
    let mut found: Option<Failure> = None;
    let mut missing = Step::Execute.failed()(Errno::NOENT);
    for candidate in image.candidates {
        // SAFETY: the path ends in a NUL, both arrays in a null, and all of it lives until this process is
        // the program.
        unsafe { libc::execve(candidate.as_ptr(), image.argv(), image.env()) };
        let failure = cause(candidate, last_errno());
        match failure.errno {
            Errno::ACCESS => found = found.or(Some(failure)),
            Errno::NOENT if failure.step == Step::Load => found = found.or(Some(failure)),
            Errno::NOENT | Errno::NOTDIR | Errno::NAMETOOLONG => missing = failure,
            _ => return failure,
        }
    }
    found.unwrap_or(missing)
}

/// What `execve` says with one errno can be two things, and the file knows which.
fn cause(candidate: &CStr, errno: Errno) -> Failure {
    let step = match errno {
        Errno::NOEXEC | Errno::LIBBAD => Step::Load,
        // The file is there, so it is the interpreter that is not.
        Errno::NOENT if stat(candidate).is_ok() => Step::Load,
        Errno::ACCESS if is_directory(candidate) => Step::Load,
        _ => Step::Execute,
    };
    Failure { step, errno }
}

fn is_directory(path: &CStr) -> bool {
    stat(path).is_ok_and(|status| FileType::from_raw_mode(status.st_mode) == FileType::Directory)
}
