//! What is told of a process when somebody asks.

use exec_protocol::process::{ProcessRecord, ProcessState, Size};
use pty_utils::Usage;

use super::{Phase, Process};
use crate::clock::{WallClock, milliseconds};
use crate::output::Summary;

impl Process {
    /// Everything there is to say of it but its output. None if it was not spawned.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub(crate) async fn record(&self) -> Option<ProcessRecord> {
        if self.started().await == Phase::Gone {
            return None;
        }
        let usage = self.usage().await.ok();
        if usage.is_none() {
            // It closes; what it has come to is told with that.
            self.phase_when(|phase| !matches!(phase, Phase::Open | Phase::Closing))
                .await;
        }
        self.record_with(usage)
    }

    /// What is left to say of a process that is closed.
    pub(crate) fn last_record(&self) -> Option<ProcessRecord> {
        self.record_with(None)
    }

    fn record_with(&self, usage: Option<Usage>) -> Option<ProcessRecord> {
        let started = self.started.get()?;
        let description = &self.description;
        let now = WallClock::now();
        let Summary {
            exit,
            closed,
            bytes,
            retained_bytes,
            last_output,
        } = self.log.summary();
        let state = match (&exit, &closed) {
            (_, Some(_)) => ProcessState::Closed,
            (Some(_), None) => ProcessState::Exited,
            (None, None) => ProcessState::Running,
        };
        let so_far = usage.unwrap_or_default();
        Some(ProcessRecord {
            process_id: description.process_id.clone(),
            uid: description.uid.clone(),
            title: description.title.clone(),
            group: description.group.clone(),
            labels: description.labels.clone(),
            metadata: description.metadata.clone(),
            argv: description.argv.clone(),
            cwd: description.cwd.clone(),
            pid: started.pid,
            tty: description.tty,
            size: self.size(),
            containment: self.containment,
            state,
            started_at_ms: started.at_ms,
            exited_at_ms: exit.as_ref().map(|exit| exit.at_ms),
            closed_at_ms: closed.as_ref().map(|closed| closed.at_ms),
            exit_code: exit.as_ref().map(|exit| exit.code),
            signal: exit.as_ref().and_then(|exit| exit.signal.clone()),
            end_reason: exit.as_ref().map(|exit| exit.reason),
            ended_by: exit
                .as_ref()
                .and_then(|exit| exit.asked_by.as_deref().map(str::to_owned)),
            bytes,
            retained_bytes,
            last_output_at_ms: last_output.map(|at| now.ms_of(at)),
            cpu: match &closed {
                Some(closed) => closed.cpu,
                None => cpu(&so_far),
            },
            max_rss_bytes: match &closed {
                Some(closed) => closed.max_rss_bytes,
                None => so_far.max_rss_bytes,
            },
            incomplete: closed.as_ref().is_some_and(|closed| closed.incomplete),
            held_by: closed.map(|closed| closed.held_by).unwrap_or_default(),
        })
    }

    /// The terminal's size, the last that is known.
    fn size(&self) -> Option<Size> {
        let mut mailbox = self.lock();
        // A program may have changed it, too.
        if let Some(now) = mailbox
            .terminal
            .as_ref()
            .and_then(|terminal| terminal.size().ok())
        {
            mailbox.size = Some(now);
        }
        mailbox.size.and_then(|size| Size::new(size.rows, size.cols).ok())
    }
}

/// The time that a tree has been computing, if the system tells.
pub(super) fn cpu(usage: &Usage) -> Option<exec_protocol::process::Usage> {
    Some(exec_protocol::process::Usage {
        user_ms: milliseconds(usage.user?),
        system_ms: milliseconds(usage.system?),
    })
}
