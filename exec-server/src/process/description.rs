//! What a start said of a process, beside what to run.

use std::time::Duration;

use exec_protocol::process::{OnDisconnect, StartParams};
use exec_protocol::{Group, ProcessId, StartKey, StringMap, Uid, WirePath};
use serde_json::Value;

use super::command::CommandError;
use super::lifecycle::Terms;
use crate::access::Identity;
use crate::limits::{MAX_RECORD_BYTES, MAX_TIME};

/// What a start said of a process, beside what to run.
#[derive(Debug, Clone)]
pub(crate) struct Description {
    pub(crate) process_id: ProcessId,
    pub(crate) uid: Uid,
    pub(crate) start_key: Option<StartKey>,
    pub(crate) title: Option<String>,
    pub(crate) group: Option<Group>,
    pub(crate) labels: StringMap,
    pub(crate) metadata: Option<Value>,
    /// Cut to what a record may hold.
    pub(crate) argv: Vec<String>,
    pub(crate) cwd: WirePath,
    pub(crate) tty: bool,
    /// Who may reach it from another session, where one may. None: anybody.
    pub(crate) owner: Option<Identity>,
    pub(crate) on_disconnect: OnDisconnect,
    pub(crate) terms: Terms,
}

impl Description {
    /// Takes what `params` say. A grace period that they do not set is `terminate_grace`.
    ///
    /// # Errors
    ///
    /// A [`CommandError`] if title and labels are too long, or a time is none.
    pub(crate) fn new(
        params: &StartParams,
        uid: Uid,
        owner: Option<Identity>,
        default_cwd: &WirePath,
        terminate_grace: Duration,
    ) -> Result<Self, CommandError> {
        let labels = params.labels.iter().map(|(name, value)| name.len() + value.len());
        let title = params.title.as_ref().map_or(0, String::len);
        if title > MAX_RECORD_BYTES {
            return Err(CommandError::TooLong { field: "title" });
        }
        if title + labels.sum::<usize>() > MAX_RECORD_BYTES {
            return Err(CommandError::TooLong { field: "labels" });
        }
        let metadata = params
            .metadata
            .as_ref()
            .filter(|metadata| metadata.to_string().len() <= MAX_RECORD_BYTES);
        Ok(Self {
            process_id: params.process_id.clone(),
            uid,
            start_key: params.start_key.clone(),
            title: params.title.clone(),
            group: params.group.clone(),
            labels: params.labels.clone(),
            metadata: metadata.cloned(),
            argv: shortened(&params.argv),
            cwd: params.cwd.as_ref().unwrap_or(default_cwd).clone(),
            tty: params.tty,
            owner,
            on_disconnect: params.on_disconnect.unwrap_or_default(),
            terms: Terms {
                grace: params.grace_ms.map_or(terminate_grace, time),
                timeout: limit(params.timeout_ms, "timeoutMs")?,
                idle_timeout: limit(params.idle_timeout_ms, "idleTimeoutMs")?,
                drain_grace: params.drain_grace_ms.map(time),
            },
        })
    }
}

/// A limit of no time at all would end the process before it does anything, which nobody means.
fn limit(ms: Option<u64>, field: &'static str) -> Result<Option<Duration>, CommandError> {
    match ms {
        Some(0) => Err(CommandError::NoTime { field }),
        ms => Ok(ms.map(time)),
    }
}

/// A time that a client gave in milliseconds.
pub(crate) fn time(ms: u64) -> Duration {
    Duration::from_millis(ms).min(MAX_TIME)
}

/// As many arguments as a record may hold, the last of them cut.
fn shortened(argv: &[String]) -> Vec<String> {
    let mut left = MAX_RECORD_BYTES;
    let mut kept = Vec::new();
    for argument in argv {
        if left == 0 {
            break;
        }
        let end = argument.floor_char_boundary(left);
        kept.push(argument[..end].to_owned());
        // An empty one takes room as well.
        left = left.saturating_sub(argument.len().max(1));
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_holds_the_beginning_of_what_is_run() {
        let argv = ["sh".to_owned(), "-c".to_owned(), "ü".repeat(MAX_RECORD_BYTES)];
        let kept = shortened(&argv);
        assert_eq!(kept[..2], argv[..2]);
        assert_eq!(kept[2].len(), MAX_RECORD_BYTES - 4);
        assert_eq!(
            shortened(&vec![String::new(); 2 * MAX_RECORD_BYTES]).len(),
            MAX_RECORD_BYTES
        );
    }
}
