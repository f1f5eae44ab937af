//! Processes that nothing runs for.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use exec_protocol::WirePath;
use exec_protocol::process::StartParams;

use super::*;
use crate::limits::{MIN_RETAIN_BYTES, TERMINATE_GRACE};

/// A process of this name that is about to be started. The lock of its log is loom's: it is for use within a model.
pub(crate) fn starting(name: usize, on_disconnect: OnDisconnect) -> Arc<Process> {
    /// So that no two processes have the same uid.
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let id = ProcessId::new(&name.to_string()).unwrap();
    let params = StartParams {
        on_disconnect: Some(on_disconnect),
        ..StartParams::new(id.clone(), ["true"])
    };
    let cwd = WirePath::new(PathBuf::from("/")).unwrap();
    let uid = Uid::new(&count.to_string()).unwrap();
    let description = Description::new(&params, uid, Some(Identity::Local), &cwd, TERMINATE_GRACE).unwrap();
    let log = OutputLog::new(&id, MIN_RETAIN_BYTES, None);
    Process::starting(description, StdinKind::None, Containment::Group, log)
}
