//! What a child that has exited has used, before it is reaped.
use super::proc;
use crate::usage::Usage;
use std::{
    ffi::c_long,
    mem,
    os::fd::{AsRawFd, BorrowedFd},
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// None if it is no child of ours or has not exited. It is not reaped.
pub(super) fn of_exited(pidfd: BorrowedFd<'_>) -> Option<Usage> {
    // SAFETY: both are plain data, for which zero is a value.
    let (mut info, mut rusage) = unsafe { mem::zeroed::<(libc::siginfo_t, libc::rusage)>() };
    let options = libc::WEXITED | libc::WNOWAIT | libc::WNOHANG;
    // Not the C library's waitid, which has no place for the usage.
    // SAFETY: both places are ours to write and of the size that the kernel expects.
    let result = unsafe {
        libc::syscall(
            libc::SYS_waitid,
            c_long::from(libc::P_PIDFD),
            c_long::from(pidfd.as_raw_fd()),
            &raw mut info,
            c_long::from(options),
            &raw mut rusage,
        )
    };
    // SAFETY: zero or written by the kernel for a child; the field is there for both.
    let has_exited = result == 0 && unsafe { info.si_pid() } != 0;
    has_exited.then(|| Usage {
        user: duration(rusage.ru_utime),
        system: duration(rusage.ru_stime),
        max_rss_bytes: u64::try_from(rusage.ru_maxrss)
            .ok()
            .and_then(|kib| kib.checked_mul(1024)),
    })
}

impl Usage {
    /// Without a peak of memory that may be ours: until it is the program, a child has our memory, and the kernel counts
    /// that as its own (`exec_mmap` in fs/exec.c). Only what is above our own peak is surely not.
    pub(super) fn without_our_memory(self) -> Self {
        Self {
            max_rss_bytes: self.max_rss_bytes.filter(|bytes| is_above_ours(*bytes)),
            ..self
        }
    }
}

/// Whether it is above the most memory that this process has had since it is this program. What getrusage(2) says of us
/// is no measure: in it is what whoever started us had, for the same reason.
fn is_above_ours(bytes: u64) -> bool {
    /// What it was when it was read last. It only grows, so most children need no look at it.
    static PEAK: AtomicU64 = AtomicU64::new(0);
    if bytes <= PEAK.load(Relaxed) {
        return false;
    }
    let Some(peak) = proc::peak_rss_bytes(rustix::process::getpid()) else {
        return false;
    };
    // The kernel counts in batches per processor, so two readings of one peak differ a little.
    let peak = peak.saturating_add(peak / 8);
    PEAK.fetch_max(peak, Relaxed);
    bytes > peak
}

fn duration(time: libc::timeval) -> Option<Duration> {
    let seconds = u64::try_from(time.tv_sec).ok()?;
    let micros = u32::try_from(time.tv_usec).ok()?;
    Some(Duration::new(seconds, micros.checked_mul(1000)?))
}
