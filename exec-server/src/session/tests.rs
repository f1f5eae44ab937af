//! A session against a model of it: who speaks for it, and who is asked to end and why.

use std::collections::BTreeMap;

use exec_protocol::process::EndReason;
use proptest::prelude::*;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use super::*;
use crate::access::Identity;
use crate::files::Threads;
use crate::limits::TERMINATE_GRACE;
use crate::process;

/// Names, so that some are taken when they are wanted.
const NAMES: usize = 4;

#[derive(Debug, Clone)]
enum Step {
    Attach(Takeover),
    /// The connection that came as this one is gone, or was so before.
    Detach(prop::sample::Index),
    /// The time is over that began with this absence.
    EndIfStill(prop::sample::Index),
    EndIfIdle,
    End,
    Start(usize, OnDisconnect),
    /// It closes, and is kept for a while.
    Close(usize),
    Forget(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let on_disconnect = prop_oneof![
        Just(OnDisconnect::Session),
        Just(OnDisconnect::Kill),
        Just(OnDisconnect::Keep),
    ];
    prop_oneof![
        4 => prop_oneof![Just(Takeover::Allowed), Just(Takeover::Refused)].prop_map(Step::Attach),
        4 => any::<prop::sample::Index>().prop_map(Step::Detach),
        2 => any::<prop::sample::Index>().prop_map(Step::EndIfStill),
        1 => Just(Step::EndIfIdle),
        1 => Just(Step::End),
        6 => (0..NAMES, on_disconnect).prop_map(|(name, kind)| Step::Start(name, kind)),
        3 => (0..NAMES).prop_map(Step::Close),
        2 => (0..NAMES).prop_map(Step::Forget),
    ]
}

/// The session and its surroundings, and what must be so of them.
struct Case {
    session: Session,
    outboxes: Vec<Arc<Outbox>>,
    absences: Vec<Absence>,
    processes: BTreeMap<usize, Started>,
    /// The one of the outboxes that the session must have.
    attached: Option<usize>,
    /// The newest of the absences, while it lasts.
    absence: Option<usize>,
    is_over: bool,
}

struct Started {
    process: Arc<Process>,
    is_closed: bool,
    /// Why it must have been asked to end.
    wish: Option<EndReason>,
}

impl Case {
    fn new() -> Self {
        let files = Files::new(
            &Threads::default(),
            &TaskTracker::new(),
            &Arc::new(Semaphore::new(1)),
        );
        Self {
            session: Session::new(SessionId::new("s").unwrap(), files, Identity::Local),
            outboxes: Vec::new(),
            absences: Vec::new(),
            processes: BTreeMap::new(),
            attached: None,
            absence: None,
            is_over: false,
        }
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Attach(takeover) => self.attach(*takeover),
            Step::Detach(which) if !self.outboxes.is_empty() => {
                self.detach(which.index(self.outboxes.len()));
            }
            Step::EndIfStill(which) if !self.absences.is_empty() => {
                let which = which.index(self.absences.len());
                let is_same = self.absence == Some(which);
                let wish = Stop::with_session(TERMINATE_GRACE);
                assert_eq!(self.session.end_if_still(self.absences[which], &wish), is_same);
                if is_same {
                    self.end(EndReason::Disconnected);
                }
            }
            Step::Detach(_) | Step::EndIfStill(_) => {}
            Step::EndIfIdle => {
                let is_idle =
                    self.attached.is_none() && self.processes.values().all(|started| started.is_closed);
                assert_eq!(self.session.idle_since().is_some(), is_idle);
                let wish = Stop::with_session(TERMINATE_GRACE);
                assert_eq!(self.session.end_if_idle(&wish), is_idle);
                if is_idle {
                    self.end(EndReason::Disconnected);
                }
            }
            Step::End => {
                self.session.end(&Stop::with_server(TERMINATE_GRACE));
                self.end(EndReason::ServerShutdown);
            }
            Step::Start(name, on_disconnect) => self.start(*name, *on_disconnect),
            Step::Close(name) => {
                if let Some(started) = self.processes.get_mut(name).filter(|started| !started.is_closed) {
                    self.session.keep_ended(&started.process);
                    started.is_closed = true;
                }
            }
            Step::Forget(name) => {
                if let Some(started) = self.processes.remove(name) {
                    assert!(self.session.remove(&started.process));
                    assert!(!self.session.remove(&started.process), "removed twice");
                }
            }
        }
    }

    fn attach(&mut self, takeover: Takeover) {
        let outbox = Arc::new(Outbox::default());
        let attached = self
            .session
            .attach(&outbox, Notifications::All, takeover, b"answer".to_vec());
        let is_refused = match (self.is_over, takeover, self.attached) {
            (true, ..) => true,
            (false, Takeover::Allowed, _) => false,
            (false, Takeover::Refused, older) => older.is_some(),
        };
        assert_eq!(attached.is_err(), is_refused);
        assert_eq!(
            outbox.load().answers,
            usize::from(!is_refused),
            "the answer is there if it came to that"
        );
        if !is_refused {
            if let Some(older) = self.attached {
                assert!(
                    self.outboxes[older].is_closing(),
                    "the older one is not hung up on"
                );
            }
            self.attached = Some(self.outboxes.len());
            self.absence = None;
            self.outboxes.push(outbox);
        }
    }

    fn detach(&mut self, which: usize) {
        let absence = self.session.detach(&self.outboxes[which]);
        assert_eq!(
            absence.is_some(),
            self.attached == Some(which),
            "who does not speak for it is not missed"
        );
        if let Some(absence) = absence {
            assert!(!self.absences.contains(&absence), "two absences are one");
            self.attached = None;
            self.absence = Some(self.absences.len());
            self.absences.push(absence);
            for started in self.processes.values_mut() {
                if started.process.on_disconnect() == OnDisconnect::Kill {
                    started.wish.get_or_insert(EndReason::Disconnected);
                }
            }
        }
    }

    fn start(&mut self, name: usize, on_disconnect: OnDisconnect) {
        let process = process::tests::starting(name, on_disconnect);
        let outcome = self.session.reserve(&process);
        let is_taken = self.processes.contains_key(&name);
        assert_eq!(outcome.is_err(), self.is_over || is_taken);
        if outcome.is_ok() {
            // Nobody is there to be lost again.
            let is_late = on_disconnect == OnDisconnect::Kill && self.attached.is_none();
            let wish = is_late.then_some(EndReason::Disconnected);
            let started = Started {
                process,
                is_closed: false,
                wish,
            };
            self.processes.insert(name, started);
        }
    }

    fn end(&mut self, reason: EndReason) {
        self.is_over = true;
        for started in self.processes.values_mut() {
            if started.process.on_disconnect() != OnDisconnect::Keep {
                started.wish.get_or_insert(reason);
            }
        }
    }

    fn check(&self) {
        assert_eq!(self.session.is_over(), self.is_over);
        assert_eq!(self.session.is_attached(), self.attached.is_some());
        for (at, outbox) in self.outboxes.iter().enumerate() {
            assert!(
                Some(at) != self.attached || !outbox.is_closing(),
                "it is hung up on whose session it is"
            );
        }
        for (name, started) in &self.processes {
            let wish = started.process.wish().map(|stop| stop.reason);
            assert_eq!(
                wish,
                started.wish,
                "{name} with {:?}",
                started.process.on_disconnect()
            );
            assert!(self.session.has(&started.process));
        }
        assert_eq!(self.session.processes().len(), self.processes.len());
    }
}

proptest! {
    #[test]
    fn whoever_comes_and_goes_one_connection_has_it_and_processes_end_with_whom_they_should(
        steps in prop::collection::vec(step(), 0..40),
    ) {
        // The locks of outboxes and logs are loom's in unit tests.
        loom::model(move || {
            let mut case = Case::new();
            for step in &steps {
                case.take(step);
                case.check();
            }
        });
    }
}
