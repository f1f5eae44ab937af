//! A server some of whose calls of the system fail.
//!
//! The failure is the kernel's (seccomp(2)), and told from all other calls by the number of the call and one of its
//! arguments. Whoever is started by the server inherits it: an argument is to be chosen that nobody else passes.

use std::collections::BTreeMap;
use std::os::unix::process::CommandExt as _;
use std::{env, io};

use rustix::io::Errno;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};
use tokio::process::Command;

use crate::program;

/// What the server's program is told by.
const VARIABLE: &str = "EXEC_TESTS_FAILING";

/// Bytes that a server reads of an output at a time. Of what our children read, nothing is as long.
pub const OUTPUT_READ_BYTES: u64 = 64 << 10;

/// Calls that fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failing {
    /// The creation of a child that is held together by its group.
    Clone,
    /// Pipes.
    Pipe,
    /// The child's side of a terminal.
    Terminal,
    /// Reads of so many bytes.
    Read(u64),
    /// Writes of so many bytes.
    Write(u64),
    /// What the kernel told a program at its start, asked for again. Before Linux 6.4 there is only a file with it.
    Auxv,
}

impl Failing {
    /// The number of the call, and the place and value of its argument.
    fn call(self) -> (libc::c_long, u8, u64) {
        /// What this server says to create a child, and nobody else.
        const CHILD: i32 = libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_PIDFD | libc::SIGCHLD;
        /// `PR_GET_AUXV`, which libc does not know.
        const GET_AUXV: u64 = 0x4155_5856;

        let number = |flags: libc::c_int| u64::from(flags.cast_unsigned());
        match self {
            Self::Clone => (libc::SYS_clone, 0, number(CHILD)),
            Self::Pipe => (libc::SYS_pipe2, 1, number(libc::O_CLOEXEC)),
            Self::Terminal => (libc::SYS_ioctl, 1, libc::TIOCGPTPEER),
            Self::Read(bytes) => (libc::SYS_read, 2, bytes),
            Self::Write(bytes) => (libc::SYS_write, 2, bytes),
            Self::Auxv => (libc::SYS_prctl, 0, GET_AUXV),
        }
    }
}

/// The server's program with these arguments, not yet started, in which such a call fails.
pub fn server<'a>(arguments: impl IntoIterator<Item = &'a str>, failing: Failing, errno: Errno) -> Command {
    let mut command = program::server(arguments);
    tell(&mut command, failing, errno);
    command
}

/// Tells a server's program, or a shell that becomes one, that such a call fails.
pub fn tell(command: &mut Command, failing: Failing, errno: Errno) {
    let (call, place, value) = failing.call();
    command.env(
        VARIABLE,
        format!("{call} {place} {value} {}", errno.raw_os_error()),
    );
}

/// Has calls fail from now on, if this program was told so. It is begun anew, without what it was told; None if that is done.
///
/// # Errors
///
/// What the system says.
pub fn as_told() -> Option<io::Error> {
    let told = env::var(VARIABLE).ok()?;
    let numbers: Vec<i64> = told
        .split(' ')
        .map(|word| word.parse().expect("a number"))
        .collect();
    let [call, place, value, errno] = numbers[..] else {
        panic!("not four numbers: {told}")
    };
    if let Err(error) = install(call, place, value, errno) {
        return Some(io::Error::other(error));
    }
    let mut arguments = env::args_os();
    let mut again = std::process::Command::new("/proc/self/exe");
    if let Some(name) = arguments.next() {
        again.arg0(name);
    }
    Some(again.args(arguments).env_remove(VARIABLE).exec())
}

fn install(call: i64, place: i64, value: i64, errno: i64) -> Result<(), seccompiler::Error> {
    const SMALL: &str = "we have written it";
    let condition = SeccompCondition::new(
        u8::try_from(place).expect(SMALL),
        SeccompCmpArgLen::Qword,
        SeccompCmpOp::Eq,
        value.cast_unsigned(),
    )?;
    let filter = SeccompFilter::new(
        BTreeMap::from([(call, vec![SeccompRule::new(vec![condition])?])]),
        SeccompAction::Allow,
        SeccompAction::Errno(u32::try_from(errno).expect(SMALL)),
        env::consts::ARCH.try_into()?,
    )?;
    let program: BpfProgram = filter.try_into()?;
    seccompiler::apply_filter(&program)
}
