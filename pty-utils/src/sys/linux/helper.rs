//! The program that ends trees when this one is killed: starting it, and being it.
mod deaths;
mod keeper;
mod supervisor;

pub(super) use deaths::tell_when_spawner_dies;

use super::{
    child::{close_from, reset_dispositions},
    clone::vfork,
    ends::above_streams,
    errno::last_errno,
    lock::lock,
    stack::Stack,
};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::{Errno, read, retry_on_intr, write},
    net::{AddressFamily, SocketFlags, SocketType, socketpair},
    process::{Pid, Signal, WaitId, WaitIdOptions, pidfd_send_signal, setsid, waitid},
    stdio::stdin,
};
use std::{
    cell::Cell,
    ffi::{CStr, CString, OsStr, c_char, c_int, c_void},
    io,
    os::{
        fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd},
        unix::ffi::OsStrExt,
    },
    path::Path,
    process::ExitCode,
    ptr,
    sync::{Arc, Mutex},
};

/// What a helper says when it runs.
const HELLO: u8 = b'h';
/// How long a helper may take until it says so: a thousand times what it takes.
const START: Timespec = Timespec {
    tv_sec: 5,
    tv_nsec: 0,
};
/// As in `fcntl.h`: the C library's bindings do not have it.
const F_SETSIG: c_int = 10;
const NO_TIME: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 0,
};
/// How long a helper may take to exit when it is let go of and has nothing to do.
const EXIT: Timespec = Timespec {
    tv_sec: 1,
    tv_nsec: 0,
};

/// What a helper is started for, told by its `argv[0]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Ends the control group that its argument names when its socket does.
    Keeper,
    /// Says that it runs, and exits.
    Probe,
    /// Watches over the tree of the leader whose pid is its argument.
    Supervisor,
}

impl Role {
    const ALL: [Self; 3] = [Self::Keeper, Self::Probe, Self::Supervisor];

    pub(super) fn name(self) -> &'static CStr {
        match self {
            Self::Keeper => c"pty-utils-keeper",
            Self::Probe => c"pty-utils-probe",
            Self::Supervisor => c"pty-utils-supervisor",
        }
    }
}

/// The program, as it is executed.
#[derive(Debug, Clone)]
pub(super) struct Helper {
    program: CString,
}

impl Helper {
    pub(super) fn new(program: &Path) -> io::Result<Self> {
        let program = CString::new(program.as_os_str().as_bytes())?;
        Ok(Self { program })
    }

    /// Starts it with one argument, in a session of its own and with no descriptor but a socket. Whether it is a
    /// helper at all is told by [`Running::wait_for_hello`].
    pub(super) fn start(&self, stack: &mut Stack, role: Role, argument: &OsStr) -> io::Result<Running> {
        let argument = CString::new(argument.as_bytes())?;
        let (ours, theirs) = sockets()?;
        let argv = [role.name().as_ptr(), argument.as_ptr(), ptr::null()];
        let image = Image::new(self, &argv, theirs.as_raw_fd());
        let argument = (&raw const image).cast_mut().cast::<c_void>();
        // SAFETY: `entry` only reads what `image` points to, all of which lives on, writes `failure`, which nobody
        // looks at meanwhile, and makes async-signal-safe calls.
        let (pid, pidfd) = unsafe { vfork(stack, None, entry, argument) }?;
        let running = Running {
            socket: ours,
            process: Process::new(pid, pidfd),
        };
        drop(theirs);
        if let Some(errno) = image.failure.take() {
            return Err(errno.into());
        }
        Ok(running)
    }
}

/// A helper that runs. Dropping it lets it go, which makes it do its work and exit, and waits for that.
#[derive(Debug)]
pub(super) struct Running {
    // Closed first.
    socket: OwnedFd,
    process: Process,
}

/// The process of a helper. Dropping it waits for its exit and reaps it. One that takes too long is reaped by a later
/// start.
#[derive(Debug)]
pub(super) struct Process {
    pid: Pid,
    pidfd: Arc<OwnedFd>,
}

/// Those that took too long.
static LATE: Mutex<Vec<Arc<OwnedFd>>> = Mutex::new(Vec::new());

impl Running {
    pub(super) fn is_alive(&self) -> bool {
        self.process.is_alive()
    }

    /// Waits until it runs, which takes as long as a program takes to start.
    ///
    /// # Errors
    /// If it is another program, or something keeps it from running.
    pub(super) fn wait_for_hello(&self) -> io::Result<()> {
        let socket = &self.socket;
        let mut fds = [PollFd::new(socket, PollFlags::IN)];
        retry_on_intr(|| poll(&mut fds, Some(&START)))?;
        let mut hello = [0];
        if fds[0].revents().contains(PollFlags::IN) && read(socket, &mut hello)? == 1 && hello == [HELLO] {
            return Ok(());
        }
        // It is another program, with no reason to exit.
        pidfd_send_signal(&self.process.pidfd, Signal::KILL)?;
        Err(io::Error::other("the helper does not call run_if_asked"))
    }
}

impl Process {
    pub(super) fn new(pid: Pid, pidfd: OwnedFd) -> Self {
        lock(&LATE).retain(|late| !reap(late));
        Self {
            pid,
            pidfd: Arc::new(pidfd),
        }
    }

    pub(super) fn pid(&self) -> Pid {
        self.pid
    }

    pub(super) fn is_alive(&self) -> bool {
        !self.has_exited_within(&NO_TIME)
    }

    /// Continues one that somebody has stopped.
    pub(super) fn go_on(&self) {
        // It is gone, which is as well.
        let _ = pidfd_send_signal(&self.pidfd, Signal::CONT);
    }

    /// Waits on this thread until it has exited, and reaps it. False for one that takes too long: it still has
    /// something to do, and is left alone with it.
    pub(super) fn wait_for_exit(&self) -> bool {
        // A stopped one would not notice that it is let go of.
        self.go_on();
        self.has_exited_within(&EXIT);
        reap(&self.pidfd)
    }

    fn has_exited_within(&self, patience: &Timespec) -> bool {
        let mut fds = [PollFd::new(&self.pidfd, PollFlags::IN)];
        retry_on_intr(|| poll(&mut fds, Some(patience))).is_ok_and(|ready| ready > 0)
    }
}

impl AsFd for Process {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.wait_for_exit() {
            lock(&LATE).push(Arc::clone(&self.pidfd));
        }
    }
}

/// False if it has not exited. It may have been reaped before.
fn reap(process: &OwnedFd) -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
    !matches!(waitid(WaitId::PidFd(process.as_fd()), options), Ok(None))
}

/// Our end and a helper's, which keep messages apart.
pub(super) fn sockets() -> Result<(OwnedFd, OwnedFd), Errno> {
    let (ours, theirs) = socketpair(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        SocketFlags::CLOEXEC,
        None,
    )?;
    Ok((ours, above_streams(theirs)?))
}

/// A helper to be, in the memory of its parent.
pub(super) struct Image<'a> {
    program: &'a CStr,
    argv: &'a [*const c_char; 3],
    socket: RawFd,
    failure: Cell<Option<Errno>>,
}

impl<'a> Image<'a> {
    /// Two arguments and a null, and what becomes the standard input.
    pub(super) fn new(helper: &'a Helper, argv: &'a [*const c_char; 3], socket: RawFd) -> Self {
        Self {
            program: &helper.program,
            argv,
            socket,
            failure: Cell::new(None),
        }
    }
}

extern "C" fn entry(argument: *mut c_void) -> c_int {
    // SAFETY: `start` passed an Image, which lives while its thread is suspended by us.
    let image = unsafe { &*argument.cast::<Image<'_>>() };
    reset_dispositions();
    image
        .failure
        .set(Some(setsid().err().unwrap_or_else(|| execute(image))));
    // SAFETY: it ends this process at once, without running what belongs to the parent at its exit.
    unsafe { libc::_exit(127) }
}

/// Becomes the helper, with the socket as its standard input, no other descriptor and an empty environment.
/// Returns only if it failed. All signals stay blocked, which the helper counts on.
pub(super) fn execute(image: &Image<'_>) -> Errno {
    // SAFETY: what it closes belongs to this process alone, which shares memory but not descriptors.
    if unsafe { libc::dup2(image.socket, 0) } < 0 {
        return last_errno();
    }
    if let Err(errno) = close_from(1) {
        return errno;
    }
    go_on_when_told();
    let env = [ptr::null()];
    // SAFETY: the path ends in a NUL, both arrays in a null, and all of it lives until this process is the
    // program.
    unsafe { libc::execve(image.program.as_ptr(), image.argv.as_ptr(), env.as_ptr()) };
    last_errno()
}

/// Makes the kernel continue this process, should somebody have stopped it, whenever something comes over the
/// socket, its end included. Otherwise it would sleep through the death of its server.
fn go_on_when_told() {
    // SAFETY: the arguments are numbers and no pointers, the descriptor was opened by `execute`, and no handler is
    // installed. Where it is refused, a helper that is stopped stays so, and all else works.
    unsafe {
        libc::fcntl(0, libc::F_SETOWN, libc::getpid());
        libc::fcntl(0, F_SETSIG, libc::SIGCONT);
        libc::fcntl(0, libc::F_SETFL, libc::O_ASYNC);
    }
}

pub(crate) fn run_if_asked() -> Option<ExitCode> {
    let role = asked()?;
    let argument = std::env::args_os().nth(1).unwrap_or_default();
    let done = match role {
        Role::Keeper => keeper::run(Path::new(&argument)),
        Role::Probe => say_hello().map_err(io::Error::from),
        Role::Supervisor => supervisor::run(&argument.to_string_lossy()),
    };
    // There is nobody to tell: whoever started us is gone, or looks at what we did.
    Some(done.map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS))
}

fn say_hello() -> Result<(), Errno> {
    write(stdin(), &[HELLO]).map(drop)
}

/// Waits until our parent lets go of our socket, or is gone.
fn wait_for_end() -> Result<(), Errno> {
    let mut message = [0; 16];
    while retry_on_intr(|| read(stdin(), &mut message))? > 0 {}
    Ok(())
}

/// Allocates nothing, as every start of the program comes by here.
fn asked() -> Option<Role> {
    unsafe extern "C" {
        /// `argv[0]`, kept by the C library since before `main`.
        static program_invocation_name: *const c_char;
    }
    // SAFETY: the C library sets it once, to a string or to null.
    let name = unsafe { program_invocation_name };
    if name.is_null() {
        return None;
    }
    // SAFETY: as above, and the string lives as long as the process.
    let name = unsafe { CStr::from_ptr(name) };
    Role::ALL.into_iter().find(|role| role.name() == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::{PidfdFlags, pidfd_open};
    use std::process::{Child, Command};

    fn process(child: &Child) -> Process {
        let pid = Pid::from_child(child);
        Process::new(pid, pidfd_open(pid, PidfdFlags::empty()).unwrap())
    }

    #[test]
    fn one_that_takes_too_long_is_reaped_by_a_later_start() {
        let mut late = Command::new("sleep").arg("60").spawn().unwrap();
        let process_of_late = process(&late);
        let pidfd = Arc::clone(&process_of_late.pidfd);
        drop(process_of_late);
        assert!(late.try_wait().unwrap().is_none(), "it is left alone");
        pidfd_send_signal(&pidfd, Signal::KILL).unwrap();
        let mut fds = [PollFd::new(&pidfd, PollFlags::IN)];
        assert_eq!(poll(&mut fds, Some(&START)), Ok(1));
        let other = Command::new("true").spawn().unwrap();
        drop(process(&other));
        for mut child in [late, other] {
            let error = child.wait().expect_err("it was reaped");
            assert_eq!(error.raw_os_error(), Some(libc::ECHILD));
        }
    }
}
