//! What happens when there is no more of something: of what we allow, and of what the system has.

mod caps;
mod descriptors;
mod failing;

use exec_protocol::RpcError;
use exec_tests::os::OsProcess;
use rustix::process::{Pid, Resource, Rlimit, prlimit};

/// Lets a process have so many open files, or as many as it ever may. Those that it has stay open.
fn allow_files(process: OsProcess, count: Option<u64>) {
    let pid = i32::try_from(process.pid).ok().and_then(Pid::from_raw);
    let limit = |current, maximum| Rlimit { current, maximum };
    let now = rustix::process::getrlimit(Resource::Nofile);
    let current = count.or(now.maximum);
    prlimit(pid, Resource::Nofile, limit(current, now.maximum)).expect("it is a child of ours");
}

/// How many files a process has open.
fn files(process: OsProcess) -> usize {
    process.open_files().expect("it runs")
}

/// Checks that a refusal tells what the system said, in place of a limit of ours.
fn is_told_by_the_system(error: &RpcError, kind: &str, errno: i32) {
    let found = (
        error.code,
        error.data.kind.as_str(),
        error.data.errno,
        &error.data.limit,
    );
    assert_eq!(found, (-32603, kind, Some(errno), &None), "{error:?}");
}
