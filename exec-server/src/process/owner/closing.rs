//! The end of an owner's work.

use std::time::Duration;

use exec_protocol::process::Holder;
use pty_utils::{HoldersQuery, Leftovers, Output};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::Owner;
use crate::clock::WallClock;
use crate::limits::HOLDERS_WAIT;
use crate::output::CloseFacts;
use crate::process::lifecycle::Close;
use crate::process::record::cpu;
use crate::process::{Phase, Process, Stop};

impl Owner {
    /// Lets go of all that the child had, and publishes the close. Gives who outlives it.
    pub(super) async fn close(mut self, close: Close) -> Option<Leftovers> {
        if close == Close::GivenUp {
            // What was written until now is not lost, only what comes later; and it may be all there is.
            self.read_to_the_end();
        }
        let is_given_up = !self.outputs.is_empty();
        let held_by = if is_given_up {
            holders(&self.outputs).await
        } else {
            Vec::new()
        };
        let Self {
            process,
            leader,
            tree,
            input,
            outputs,
            terminal,
            life,
            failure,
            ..
        } = self;
        drop((input, outputs, terminal));
        process.shut_mailbox();
        let usage = tree.usage();
        // Whoever hears of the close finds no zombie.
        let leftovers = tree.release(leader).await;
        process.log.push_closed(CloseFacts {
            at_ms: WallClock::now().ms(),
            cpu: cpu(&usage),
            max_rss_bytes: usage.max_rss_bytes,
            incomplete: is_given_up || failure.is_some(),
            failure,
            held_by,
        });
        if leftovers.is_some() && life.is_to_end() {
            // The kill has not ended them in time. Whoever looks after them goes on with it.
            process.stop(&Stop {
                grace: Some(Duration::ZERO),
                ..Stop::with_connection()
            });
        }
        process.phase.send_replace(match leftovers {
            Some(_) => Phase::Outlived,
            None => Phase::Closed,
        });
        leftovers
    }
}

/// Who holds the output open, as far as it can be found out in a while.
async fn holders(outputs: &[Output]) -> Vec<Holder> {
    let queries: Vec<_> = outputs.iter().map(Output::holders).collect();
    let looking = spawn_blocking(|| queries.into_iter().map(HoldersQuery::run).collect::<Vec<_>>());
    let Ok(Ok(found)) = timeout(HOLDERS_WAIT, looking).await else {
        tracing::debug!("it was not found out in time who holds the output of a process");
        return Vec::new();
    };
    let mut holders: Vec<Holder> = Vec::new();
    for pty_utils::Holder { pid, command } in found.into_iter().flatten().flatten() {
        if !holders.iter().any(|known| known.pid == pid) {
            holders.push(Holder { pid, command });
        }
    }
    holders
}

impl Process {
    /// Whatever comes from now on is answered that it is too late.
    fn shut_mailbox(&self) {
        let mut mailbox = self.lock();
        mailbox.stdin.close();
        if let Some(size) = mailbox.terminal.take().and_then(|terminal| terminal.size().ok()) {
            mailbox.size = Some(size);
        }
        mailbox.signals.clear();
        mailbox.usage.clear();
        self.phase.send_replace(Phase::Closing);
    }
}
