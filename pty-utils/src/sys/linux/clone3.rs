//! `clone3` into a control group.
//!
//! The C library has no wrapper for it. The child starts on a stack of its own in the middle of ours, so it must
//! not return from where it was created: it calls its entry and never comes back.
use super::stack::Stack;
use rustix::io::Errno;
use std::{
    ffi::{c_int, c_void},
    os::fd::{AsRawFd, BorrowedFd, RawFd},
};

pub(super) type Entry = extern "C" fn(*mut c_void) -> c_int;

/// The kernel's `struct clone_args`, as of Linux 5.7.
#[repr(C)]
#[derive(Debug, Default)]
struct CloneArgs {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
    set_tid: u64,
    set_tid_size: u64,
    cgroup: u64,
}

/// `CLONE_INTO_CGROUP`, which is beyond a `c_int`.
const INTO_CGROUP: u64 = 1 << 33;

/// Creates a process in the control group whose directory `cgroup` is, with the other flags of a
/// [`vfork`](super::clone::vfork). Gives its pid and stores its pidfd.
///
/// # Safety
/// `entry` must be sound to call in a process that shares our memory, with `argument`, and must never return.
pub(super) unsafe fn clone_into(
    cgroup: BorrowedFd<'_>,
    flags: c_int,
    stack: &mut Stack,
    entry: Entry,
    argument: *mut c_void,
    pidfd: &mut RawFd,
) -> Result<i32, Errno> {
    let (bottom, size) = stack.extent();
    let args = CloneArgs {
        flags: u64::from(flags.cast_unsigned()) | INTO_CGROUP,
        pidfd: (&raw mut *pidfd) as u64,
        exit_signal: u64::from(libc::SIGCHLD.cast_unsigned()),
        stack: bottom as u64,
        stack_size: size as u64,
        cgroup: u64::from(cgroup.as_raw_fd().cast_unsigned()),
        ..CloneArgs::default()
    };
    // SAFETY: the arguments are as the kernel expects them, the stack is ours alone while we are suspended, and
    // of `entry` our caller promises the rest.
    let result = unsafe { call(&raw const args, entry, argument) };
    if result < 0 {
        return Err(Errno::from_raw_os_error(
            i32::try_from(-result).unwrap_or(libc::EIO),
        ));
    }
    i32::try_from(result).map_err(|_| Errno::OVERFLOW)
}

/// # Safety
/// As [`clone_into`], and `args` must name a stack.
#[cfg(target_arch = "x86_64")]
unsafe fn call(args: *const CloneArgs, entry: Entry, argument: *mut c_void) -> i64 {
    let result;
    // SAFETY: the kernel changes rax, rcx and r11 only. The child has zero in rax, the other registers as they
    // were, and an aligned stack; what it does to registers does not concern us.
    unsafe {
        std::arch::asm!(
            "syscall",
            "test rax, rax",
            "jnz 2f",
            // The outermost frame, for whoever unwinds.
            "xor ebp, ebp",
            "mov rdi, r9",
            "call r8",
            "ud2",
            "2:",
            inlateout("rax") libc::SYS_clone3 => result,
            in("rdi") args,
            in("rsi") size_of::<CloneArgs>(),
            in("r8") entry,
            in("r9") argument,
            lateout("rcx") _,
            lateout("r11") _,
        );
    }
    result
}

/// # Safety
/// As [`clone_into`], and `args` must name a stack.
#[cfg(target_arch = "aarch64")]
unsafe fn call(args: *const CloneArgs, entry: Entry, argument: *mut c_void) -> i64 {
    let result;
    // SAFETY: the kernel changes x0 only. The child has zero in x0, the other registers as they were, and an
    // aligned stack; what it does to registers does not concern us.
    unsafe {
        std::arch::asm!(
            "svc #0",
            "cbnz x0, 2f",
            // The outermost frame, for whoever unwinds.
            "mov x29, xzr",
            "mov x0, x3",
            "blr x2",
            "brk #1",
            "2:",
            inlateout("x0") args => result,
            in("x1") size_of::<CloneArgs>(),
            in("x2") entry,
            in("x3") argument,
            in("x8") libc::SYS_clone3,
        );
    }
    result
}

/// # Safety
/// None is needed: it always fails.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
unsafe fn call(_: *const CloneArgs, _: Entry, _: *mut c_void) -> i64 {
    -i64::from(libc::ENOSYS)
}
