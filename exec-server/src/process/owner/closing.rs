//! The end of an owner's work.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use exec_protocol::process::{EndReason, Holder};
use futures_util::FutureExt as _;
use pty_utils::{Leftovers, Output};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::{Owner, UNKNOWN_EXIT_CODE};
use crate::clock::WallClock;
use crate::limits::HOLDERS_WAIT;
use crate::output::{CloseFacts, ExitFacts, Summary};
use crate::process::lifecycle::Close;
use crate::process::record::cpu;
use crate::process::{Phase, Process, Stop};

/// Holders that were found and are not yet noted.
const HOLDERS_ON_THE_WAY: usize = 16;

/// Why output is incomplete whose owner is gone.
const ABANDONED: &str = "the server failed to look after it, and has killed it";

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

impl Owner {
    /// Carries a process to its close, whatever becomes of its owner: a mistake of ours ends this process and no other, and is told.
    pub(super) async fn carried(
        process: &Arc<Process>,
        owner: impl Future<Output = Option<Leftovers>>,
    ) -> Option<Leftovers> {
        AssertUnwindSafe(owner).catch_unwind().await.unwrap_or_else(|_| {
            // What the child had went with the owner, and whoever was left of it.
            process.abandon();
            None
        })
    }
}

/// Who holds the output open, as far as it can be found out in a while.
async fn holders(outputs: &[Output]) -> Vec<Holder> {
    let queries: Vec<_> = outputs.iter().map(Output::holders).collect();
    let (found, mut holders_found) = mpsc::channel(HOLDERS_ON_THE_WAY);
    let looking = spawn_blocking(move || {
        for query in queries {
            // Whoever asked may have no more time for it.
            let asked = query.run(|holder| drop(found.blocking_send(holder)));
            if let Err(error) = asked {
                tracing::debug!(%error, "it cannot be found out who holds an output");
            }
        }
    });
    let mut holders: Vec<Holder> = Vec::new();
    let gather = async {
        while let Some(pty_utils::Holder { pid, command }) = holders_found.recv().await {
            if !holders.iter().any(|known| known.pid == pid) {
                holders.push(Holder { pid, command });
            }
        }
    };
    if timeout(HOLDERS_WAIT, gather).await.is_err() {
        tracing::debug!("not everybody was found in time who may hold the output of a process");
        looking.abort();
    }
    holders
}

impl Process {
    /// Tells an end that nobody has seen.
    fn abandon(&self) {
        self.shut_mailbox();
        let Summary { exit, closed, .. } = self.log.summary();
        let at_ms = WallClock::now().ms();
        if exit.is_none() {
            self.log.push_exit(ExitFacts {
                code: UNKNOWN_EXIT_CODE,
                signal: None,
                reason: EndReason::Signaled,
                asked_by: None,
                at_ms,
            });
        }
        if closed.is_none() {
            self.log.push_closed(CloseFacts {
                at_ms,
                cpu: None,
                max_rss_bytes: None,
                incomplete: true,
                failure: Some(ABANDONED.to_owned()),
                held_by: Vec::new(),
            });
        }
        self.phase.send_replace(Phase::Closed);
    }

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

#[cfg(test)]
mod tests {
    use exec_protocol::process::OnDisconnect;

    use super::*;
    use crate::process::tests::starting;

    #[test]
    fn a_process_whose_owner_fails_is_told_to_be_closed_and_incomplete() {
        loom::model(|| {
            let process = starting(1, OnDisconnect::Session);
            let carried = Owner::carried(&process, async { panic!("a mistake") });
            assert!(carried.now_or_never().unwrap().is_none());
            let Summary { exit, closed, .. } = process.log.summary();
            assert_eq!(exit.unwrap().code, UNKNOWN_EXIT_CODE);
            let closed = closed.unwrap();
            assert!(closed.incomplete);
            assert_eq!(closed.failure.as_deref(), Some(ABANDONED));
            assert_eq!(*process.phase.borrow(), Phase::Closed);
        });
    }

    #[test]
    fn what_was_told_before_its_owner_failed_stays() {
        loom::model(|| {
            let process = starting(1, OnDisconnect::Session);
            let owner = async {
                process.log.push_exit(ExitFacts {
                    code: 3,
                    signal: None,
                    reason: EndReason::Exited,
                    asked_by: None,
                    at_ms: 1,
                });
                panic!("a mistake")
            };
            Owner::carried(&process, owner).now_or_never();
            assert_eq!(process.log.summary().exit.unwrap().code, 3);
        });
    }
}
