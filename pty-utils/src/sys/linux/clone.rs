//! Creating a process that shares our memory until it is the program.
use super::{
    blocked_signals::BlockedSignals,
    child,
    clone3::{Entry, clone_into},
    errno::last_errno,
    failure::Failure,
    image::Image,
    process::Process,
    stack::Stack,
};
use crate::step::Step;
use rustix::{io::Errno, process::Pid};
use std::{
    cell::Cell,
    ffi::{c_int, c_void},
    os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd},
};

/// With the memory shared nothing is copied, however large we are, and the child can write down what failed.
/// `VFORK` suspends this thread until the child is the program or gone.
const FLAGS: c_int = libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_PIDFD;

/// What goes into the child, and what comes out.
struct Call<'a> {
    image: &'a Image<'a>,
    failure: Cell<Option<Failure>>,
}

/// Creates the child that `image` describes, in a control group if there is one. When this returns, it is the
/// program or there is none.
pub(super) fn spawn(
    stack: &mut Stack,
    image: &Image<'_>,
    cgroup: Option<BorrowedFd<'_>>,
) -> Result<Process, Failure> {
    let call = Call {
        image,
        failure: Cell::new(None),
    };
    let argument = (&raw const call).cast_mut().cast::<c_void>();
    // SAFETY: `entry` only reads `image`, which lives on, writes `failure`, which nobody looks at meanwhile, and
    // makes async-signal-safe calls.
    let created = unsafe { vfork(stack, cgroup, entry, argument) };
    let (pid, pidfd) = created.map_err(Step::Clone.failed())?;
    let process = Process::new(pid, pidfd);
    // A child that failed exits by itself; dropping the process reaps it.
    call.failure.take().map_or(Ok(process), Err)
}

/// Creates a process that runs `entry` on `stack` and in our memory. This returns when it executed a program or
/// is gone.
///
/// # Safety
/// `entry` must be sound to call, with `argument`, in a process that shares our memory but not our descriptors,
/// while this thread is suspended and the others are not; it must not return, and must do with a small stack.
pub(super) unsafe fn vfork(
    stack: &mut Stack,
    cgroup: Option<BorrowedFd<'_>>,
    entry: Entry,
    argument: *mut c_void,
) -> Result<(Pid, OwnedFd), Errno> {
    let mut pidfd: RawFd = -1;
    // A handler of ours must not run in the child, on its small stack and in our memory.
    let blocked = BlockedSignals::new();
    let created = if let Some(cgroup) = cgroup {
        // SAFETY: the caller promises it.
        unsafe { clone_into(cgroup, FLAGS, stack, entry, argument, &mut pidfd) }
    } else {
        let flags = FLAGS | libc::SIGCHLD;
        // SAFETY: the stack is ours alone while we are suspended, and of `entry` the caller promises the rest.
        // CLONE_PIDFD takes the address of the pidfd next.
        let pid = unsafe { libc::clone(entry, stack.top(), flags, argument, &raw mut pidfd) };
        // Before anything else can set another errno.
        if pid < 0 { Err(last_errno()) } else { Ok(pid) }
    };
    drop(blocked);
    let pid = Pid::from_raw(created?).expect("clone gives 0 to the child only, and that one runs `entry`");
    // SAFETY: clone succeeded on a kernel that knows CLONE_PIDFD (`kernel::check`), so it has stored a new
    // descriptor that is nobody else's.
    Ok((pid, unsafe { OwnedFd::from_raw_fd(pidfd) }))
}

extern "C" fn entry(argument: *mut c_void) -> c_int {
    // SAFETY: `spawn` passed a Call, which lives while its thread is suspended by us.
    let call = unsafe { &*argument.cast::<Call<'_>>() };
    call.failure.set(Some(child::run(call.image)));
    // SAFETY: it ends this process at once, without running what belongs to the parent at its exit.
    unsafe { libc::_exit(127) }
}
