//! Creating a supervisor, and by it the leader.
use super::{Born, orphans::Orphans};
use crate::{
    step::Step,
    sys::linux::{
        blocked_signals::BlockedSignals,
        child::{self, reset_dispositions},
        clone::vfork,
        errno::last_errno,
        failure::Failure,
        flag::Flag,
        helper::{self, Helper, Process, Role, tell_when_spawner_dies},
        image::Image,
        stack::Stack,
    },
};
use rustix::{
    io::{Errno, ioctl_fionbio, retry_on_intr},
    process::{Pid, Signal, WaitOptions, getpid, kill_process, set_child_subreaper, setsid, waitpid},
};
use std::{
    cell::{Cell, UnsafeCell},
    ffi::{c_char, c_int, c_void},
    os::fd::AsRawFd,
    ptr,
    sync::atomic::{AtomicI32, Ordering},
};

/// Room for a pid in decimal digits, and a NUL.
const PID_BYTES: usize = 12;

/// What goes into the supervisor and the leader, and what comes out.
struct Call<'a> {
    image: &'a Image<'a>,
    helper: helper::Image<'a>,
    /// The leader's stack, as the supervisor is on the other one.
    stack: UnsafeCell<&'a mut Stack>,
    /// The last argument of the helper: the leader's pid.
    digits: &'a [Cell<u8>; PID_BYTES],
    /// Raised when the supervisor is its program, as a leader that runs earlier could stop it, and with it us.
    start: Flag,
    /// Lowered by the kernel when the leader is its program or gone.
    in_our_memory: Flag,
    /// Its pid, written by the kernel when it is created; 0 before.
    leader: AtomicI32,
    failure: Cell<Option<Failure>>,
}

/// Creates the child that `image` describes below a supervisor. When this returns, both are their programs or
/// there is none.
pub(in crate::sys::linux) fn spawn(
    [outer, inner]: [&mut Stack; 2],
    helper: &Helper,
    image: &Image<'_>,
) -> Result<Born, Failure> {
    let failed = Step::Supervisor.failed();
    let (ours, theirs) = helper::sockets().map_err(&failed)?;
    ioctl_fionbio(&ours, true).map_err(&failed)?;
    let digits = [const { Cell::new(0) }; PID_BYTES];
    let argv = [
        Role::Supervisor.name().as_ptr(),
        digits.as_ptr().cast::<c_char>(),
        ptr::null(),
    ];
    let call = Call {
        image,
        helper: helper::Image::new(helper, &argv, theirs.as_raw_fd()),
        stack: UnsafeCell::new(inner),
        digits: &digits,
        start: Flag::lowered(),
        in_our_memory: Flag::raised(),
        leader: AtomicI32::new(0),
        failure: Cell::new(None),
    };
    let argument = (&raw const call).cast_mut().cast::<c_void>();
    // A handler of ours must not run in this thread either while the leader runs with its thread-local memory.
    let blocked = BlockedSignals::new();
    // SAFETY: `supervise` only uses what `call` points to, all of which lives on and nobody looks at meanwhile,
    // and makes async-signal-safe calls.
    let created = unsafe { vfork(outer, None, supervise, argument) };
    let (supervisor, pidfd) = created.map_err(Step::Clone.failed())?;
    drop(theirs);
    let leader = Pid::from_raw(call.leader.load(Ordering::Acquire));
    if leader.is_some() {
        call.start.raise();
        call.in_our_memory.wait_until_lowered();
    }
    drop(blocked);
    let failure = call.failure.take();
    // Dropping them ends the supervisor, if that one has not exited already: the last one first, which tells it.
    let process = Process::new(supervisor, pidfd);
    let socket = ours;
    if let Some(failure) = failure {
        return Err(failure);
    }
    // Somebody killed it.
    let killed = || failed(Errno::CHILD);
    let orphans = Orphans::new(leader.ok_or_else(killed)?).map_err(&failed)?;
    // After the leader was opened, which has nobody else to keep its pid from being given to others.
    if !process.is_alive() {
        return Err(killed());
    }
    Ok(Born {
        socket,
        process,
        orphans,
    })
}

extern "C" fn supervise(argument: *mut c_void) -> c_int {
    // SAFETY: `spawn` passed a Call, which lives while its thread is suspended by us.
    let call = unsafe { &*argument.cast::<Call<'_>>() };
    let failure = match create_leader(call, argument) {
        Ok(leader) => {
            write_digits(leader, call.digits);
            let failure = Step::Supervisor.failed()(helper::execute(&call.helper));
            end_leader(leader);
            failure
        }
        Err(failure) => failure,
    };
    call.failure.set(Some(failure));
    // SAFETY: it ends this process at once, without running what belongs to the parent at its exit.
    unsafe { libc::_exit(127) }
}

fn create_leader(call: &Call<'_>, argument: *mut c_void) -> Result<Pid, Failure> {
    let failed = Step::Supervisor.failed();
    reset_dispositions();
    setsid().map_err(&failed)?;
    // What becomes an orphan below us becomes our child.
    set_child_subreaper(Some(getpid())).map_err(&failed)?;
    // A leader without a supervisor would die with the thread that spawns, and so does this tree.
    tell_when_spawner_dies().map_err(&failed)?;
    call.image.parent.set(getpid());
    // SAFETY: `spawn` has lent the stack to this process alone, and is suspended.
    let stack = unsafe { &mut **call.stack.get() };
    let flags = libc::CLONE_VM | libc::CLONE_PARENT_SETTID | libc::CLONE_CHILD_CLEARTID | libc::SIGCHLD;
    // SAFETY: the stack is the leader's alone until it is off our memory, for which `spawn` waits. Until `start` is
    // raised it only waits, and then this process shares nothing with it. What it shares with the thread of `spawn`
    // from then on is the thread-local memory: that thread is in a futex call that does not touch errno, and its
    // signals are blocked, so that no handler does. It makes async-signal-safe calls only.
    // The last three arguments are where the kernel writes the pid, nothing, and what it clears.
    let pid = unsafe {
        libc::clone(
            lead,
            stack.top(),
            flags,
            argument,
            call.leader.as_ptr(),
            ptr::null_mut::<c_void>(),
            call.in_our_memory.as_ptr(),
        )
    };
    Pid::from_raw(pid)
        .filter(|_| pid > 0)
        .ok_or_else(|| Step::Clone.failed()(last_errno()))
}

extern "C" fn lead(argument: *mut c_void) -> c_int {
    // SAFETY: `spawn` passed a Call, and waits, with its signals blocked, until we are off its memory.
    let call = unsafe { &*argument.cast::<Call<'_>>() };
    call.start.wait_until_raised();
    call.failure.set(Some(child::run(call.image)));
    // SAFETY: as in `supervise`.
    unsafe { libc::_exit(127) }
}

fn end_leader(leader: Pid) {
    // It is our child and not reaped, so it can only be gone already.
    let _ = kill_process(leader, Signal::KILL);
    let _ = retry_on_intr(|| waitpid(Some(leader), WaitOptions::empty()));
}

/// Without the formatting of the library, which this process should not call.
fn write_digits(pid: Pid, digits: &[Cell<u8>; PID_BYTES]) {
    let mut rest = pid.as_raw_nonzero().get().unsigned_abs();
    let mut count = 1;
    let mut larger = rest;
    while larger >= 10 {
        larger /= 10;
        count += 1;
    }
    for digit in digits[..count].iter().rev() {
        digit.set(b'0' + (rest % 10) as u8);
        rest /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pid_is_written_in_digits() {
        for (pid, text) in [
            (1, "1"),
            (10, "10"),
            (4_194_304, "4194304"),
            (i32::MAX, "2147483647"),
        ] {
            let digits = [const { Cell::new(0) }; PID_BYTES];
            write_digits(Pid::from_raw(pid).unwrap(), &digits);
            let written: Vec<u8> = digits
                .iter()
                .map(Cell::get)
                .take_while(|&byte| byte != 0)
                .collect();
            assert_eq!(written, text.as_bytes());
        }
    }
}
