//! Creating a process that shares our memory until it is the program.
use super::{child, errno::last_errno, failure::Failure, image::Image, process::Process, stack::Stack};
use crate::step::Step;
use rustix::process::Pid;
use std::{
    cell::Cell,
    ffi::{c_int, c_void},
    mem::MaybeUninit,
    os::fd::{FromRawFd, OwnedFd, RawFd},
    ptr,
};

/// With the memory shared nothing is copied, however large we are, and the child can write down what failed.
/// `VFORK` suspends this thread until the child is the program or gone.
const FLAGS: c_int = libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_PIDFD | libc::SIGCHLD;

/// What goes into the child, and what comes out.
struct Call<'a> {
    image: &'a Image<'a>,
    failure: Cell<Option<Failure>>,
}

/// Creates the child that `image` describes. When this returns, it is the program or there is none.
pub(super) fn spawn(stack: &mut Stack, image: &Image<'_>) -> Result<Process, Failure> {
    let call = Call {
        image,
        failure: Cell::new(None),
    };
    let argument = (&raw const call).cast_mut().cast::<c_void>();
    let mut pidfd: RawFd = -1;
    // A handler of ours must not run in the child, on its small stack and in our memory.
    let blocked = BlockedSignals::new();
    // SAFETY: the stack is ours alone while we are suspended, and large enough for `entry`. `entry` only
    // reads `image`, which lives on, writes `failure`, which nobody looks at meanwhile, and makes
    // async-signal-safe calls. CLONE_PIDFD takes the address of the pidfd next.
    let pid = unsafe { libc::clone(entry, stack.top(), FLAGS, argument, &raw mut pidfd) };
    // Before anything else can set another errno.
    let created = if pid < 0 { Err(last_errno()) } else { Ok(pid) };
    drop(blocked);
    let pid = created.map_err(Step::Clone.failed())?;
    let pid = Pid::from_raw(pid).expect("clone gives 0 to the child only, and that one runs `entry`");
    // SAFETY: clone succeeded on a kernel that knows CLONE_PIDFD (`kernel::check`), so it has stored a new
    // descriptor that is nobody else's.
    let process = Process::new(pid, unsafe { OwnedFd::from_raw_fd(pidfd) });
    // A child that failed exits by itself; dropping the process reaps it.
    call.failure.take().map_or(Ok(process), Err)
}

extern "C" fn entry(argument: *mut c_void) -> c_int {
    // SAFETY: `spawn` passed a Call, which lives while its thread is suspended by us.
    let call = unsafe { &*argument.cast::<Call<'_>>() };
    call.failure.set(Some(child::run(call.image)));
    // SAFETY: it ends this process at once, without running what belongs to the parent at its exit.
    unsafe { libc::_exit(127) }
}

/// All signals are blocked in this thread while it exists.
struct BlockedSignals {
    before: libc::sigset_t,
}

impl BlockedSignals {
    fn new() -> Self {
        let mut all = MaybeUninit::uninit();
        let mut before = MaybeUninit::uninit();
        // SAFETY: both sets are ours to write, the first is filled before it is used, and the second is
        // written by a call that cannot fail with these arguments.
        unsafe {
            libc::sigfillset(all.as_mut_ptr());
            libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr());
            Self {
                before: before.assume_init(),
            }
        }
    }
}

impl Drop for BlockedSignals {
    fn drop(&mut self) {
        // SAFETY: the set is one that the system gave us.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.before, ptr::null_mut()) };
    }
}
