//! The dispatch loop of one connection.

mod messages;

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::task::yield_now;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::array::Batched;
use super::dispatch::{Answer, Dispatcher};
use super::goodbye::say_goodbye;
use super::outbox::Outbox;
use super::turn::Turn;
use super::waiting::{Waited, Waiting};
use super::writer;
use crate::access::Identity;
use crate::deadline::until;
use crate::limits::{ANSWER_AFTER_END, GOODBYE, KILLED_DRAIN, LONGEST_GOODBYE, WRITE_BATCH_BYTES};
use crate::process::Stop;
use crate::server::Server;
use crate::session::{Handshake, Session};
use crate::transport::{CloseReason, Connection, MessageSource, Received};

/// Serves one connection to its end. Its session may be taken up again afterwards, unless the peer
/// said that it was finished.
pub(crate) async fn serve(server: &Server, connection: Connection) {
    let Connection {
        source,
        sink,
        identity,
        initialize_by,
    } = connection;
    let outbox = Arc::new(Outbox::default());
    // Nothing is written for a connection that nobody serves any more.
    let mut writer = AbortOnDropHandle::new(server.tasks().spawn(writer::run(Arc::clone(&outbox), sink)));
    let mut dispatch = Dispatch::new(server, source, outbox, identity, initialize_by);
    let reason = dispatch.run().await;
    dispatch.outbox.close(reason);
    // What nobody will be told is not waited for, nor its outcome kept.
    dispatch.waiting.clear();
    // A session that can be resumed is free at once; one that is over has its last words written.
    if !dispatch.session().is_some_and(|session| session.is_over()) {
        dispatch.detach();
    }
    // A server that leaves has others to think of.
    let at_most = if reason == CloseReason::ShuttingDown {
        2 * GOODBYE
    } else {
        LONGEST_GOODBYE
    };
    if say_goodbye(&mut writer, &dispatch.outbox, at_most).await.is_err() {
        tracing::debug!("the peer does not take its goodbye");
        writer.abort();
    }
    dispatch.detach();
    // Whether the peer hangs up in time or not, there is nothing more to do.
    let _ = timeout(GOODBYE, dispatch.source.drain()).await;
}

struct Dispatch<'a> {
    server: &'a Server,
    source: Box<dyn MessageSource>,
    outbox: Arc<Outbox>,
    identity: Identity,
    /// When the session has to be open, until it is. None: at any time.
    initialize_by: Option<Instant>,
    handshake: Handshake,
    /// There from the handshake on.
    dispatcher: Option<(Dispatcher, Arc<Session>)>,
    waiting: Waiting,
    batched: Batched,
    turn: Turn,
    /// Answers so far.
    answered: u64,
    stopping: CancellationToken,
}

/// Why the loop woke up.
enum Wake {
    Received(Received),
    Answered(Waited),
    /// Room in the outbox, or its end.
    Outbox,
    /// Every process has ended and the server says goodbye.
    ServerLeaves,
    /// The session is not open in time.
    Overstayed,
    Deadline,
}

impl<'a> Dispatch<'a> {
    fn new(
        server: &'a Server,
        source: Box<dyn MessageSource>,
        outbox: Arc<Outbox>,
        identity: Identity,
        initialize_by: Option<Instant>,
    ) -> Self {
        Self {
            server,
            source,
            outbox,
            identity,
            initialize_by,
            handshake: Handshake::default(),
            dispatcher: None,
            waiting: Waiting::default(),
            batched: Batched::default(),
            turn: Turn::default(),
            answered: 0,
            stopping: server.stopping().child_token(),
        }
    }

    fn session(&self) -> Option<&Arc<Session>> {
        self.dispatcher.as_ref().map(|(_, session)| session)
    }

    fn detach(&self) {
        if let Some(session) = self.session() {
            self.server.detached(session, &self.outbox);
        }
    }

    /// Takes in messages and sends out answers until the connection is to be closed.
    async fn run(&mut self) -> CloseReason {
        loop {
            match self.next_wake(true, None).await {
                Wake::Received(Received::Message(message)) => {
                    let since = Instant::now();
                    self.take_in(&message).await;
                    self.give_way(message.len(), since).await;
                }
                Wake::Received(Received::Refused(error)) => {
                    let refusal = Answer::refusal(self.server.stats(), self.outbox.style(), None, &error);
                    self.send(refusal, 1, 0);
                }
                Wake::Received(Received::Finished) => return self.finish().await,
                Wake::Received(Received::Gone(reason)) => return reason,
                Wake::ServerLeaves => {
                    // All of it is, by now.
                    self.answer_waiting(Instant::now() + GOODBYE).await;
                    return CloseReason::ShuttingDown;
                }
                Wake::Overstayed => return CloseReason::NotInitialized,
                Wake::Answered(waited) => self.answer(waited),
                Wake::Outbox | Wake::Deadline => {}
            }
            if self.outbox.is_closing() {
                return CloseReason::Done;
            }
            if self.outbox.load().bytes > WRITE_BATCH_BYTES {
                // Long answers take their time; other connections have a right to theirs.
                yield_now().await;
            }
        }
    }

    /// The peer has said everything: answers it, ends its session and tells how that went.
    async fn finish(&mut self) -> CloseReason {
        self.answer_waiting(Instant::now() + ANSWER_AFTER_END).await;
        if let Some(session) = self.session().cloned() {
            let grace = self.server.config().terminate_grace;
            session.end(&Stop::with_session(grace));
            let over = Instant::now() + grace + 2 * KILLED_DRAIN;
            let closed = session.ended();
            tokio::pin!(closed);
            // Reads may still wait for what becomes of the processes.
            while Instant::now() < over && !self.outbox.is_closing() {
                let wake = tokio::select! {
                    () = &mut closed => break,
                    wake = self.next_wake(false, Some(over)) => wake,
                };
                match wake {
                    Wake::Answered(waited) => self.answer(waited),
                    Wake::ServerLeaves => break,
                    Wake::Received(_) | Wake::Outbox | Wake::Overstayed | Wake::Deadline => {}
                }
            }
        }
        // Whatever waits for something else is told that it will not come.
        self.stopping.cancel();
        self.answer_waiting(Instant::now() + GOODBYE).await;
        CloseReason::Done
    }

    async fn answer_waiting(&mut self, deadline: Instant) {
        while !self.waiting.is_empty() && !self.outbox.is_closing() {
            let load = self.outbox.load();
            tokio::select! {
                Some(waited) = self.waiting.next(), if load.has_room() => self.answer(waited),
                () = self.outbox.relieved(load), if !load.has_room() => {}
                () = self.outbox.ends() => return,
                () = until(Some(deadline)) => return,
            }
        }
    }

    /// Waits for whatever is next. Each branch is cancel safe.
    async fn next_wake(&mut self, reads: bool, deadline: Option<Instant>) -> Wake {
        let load = self.outbox.load();
        let paused_until = self
            .session()
            .filter(|_| reads)
            .and_then(|session| session.files().pause());
        let may_read = reads && self.waiting.has_room_beside(load) && paused_until.is_none();
        tokio::select! {
            received = self.source.next(), if may_read => Wake::Received(received),
            Some(waited) = self.waiting.next(), if load.has_room() => Wake::Answered(waited),
            () = self.outbox.relieved(load), if !(may_read && load.has_room()) => Wake::Outbox,
            () = self.outbox.ends() => Wake::Outbox,
            () = self.server.stopped().cancelled() => Wake::ServerLeaves,
            () = until(self.initialize_by) => Wake::Overstayed,
            () = until(deadline.into_iter().chain(paused_until).min()) => Wake::Deadline,
        }
    }

    /// Lets others have their turn, if this message of so many bytes, which was begun then, was the last of ours. A peer that never
    /// pauses, and wants no answers, would leave them none.
    async fn give_way(&mut self, bytes: usize, since: Instant) {
        let by_all = self.server.stats().answered.get();
        let by_others = by_all.wrapping_sub(self.answered);
        if self.turn.ends_with(bytes, since.elapsed(), by_others) {
            yield_now().await;
        }
    }

    /// Sends the answer to so many requests, which came in one message of so many bytes.
    fn send(&mut self, answer: Answer, requests: usize, bytes: usize) {
        match answer {
            Answer::Now(answer) => self.push(answer, requests),
            Answer::Later(answer) => self.waiting.push(answer, requests, bytes),
        }
    }

    fn answer(&mut self, Waited { answer, requests, .. }: Waited) {
        self.push(answer, requests);
    }

    fn push(&mut self, answer: Vec<u8>, requests: usize) {
        self.count_answers(requests);
        self.outbox.push_answer(answer);
    }

    fn count_answers(&mut self, requests: usize) {
        self.answered += requests as u64;
        self.server.stats().answered.add(requests);
    }
}

/// Whoever serves a connection may stop at any point: its session is free then as after any other end.
impl Drop for Dispatch<'_> {
    fn drop(&mut self) {
        self.outbox.close(CloseReason::Done);
        // The end of a session is waited for by a task. Without a runtime there is nobody left to wait for.
        if Handle::try_current().is_ok() {
            self.detach();
        }
    }
}
