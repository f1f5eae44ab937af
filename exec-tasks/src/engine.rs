//! The one thread that owns all tasks: nobody else changes their state.

mod asking;
mod cleaning;
mod ending;
mod recovery;
mod stopping;
mod submitting;

use std::collections::HashMap;
use std::sync::Arc;

use exec_protocol::process::EndReason;
use exec_protocol::task::{Attempt, LogState, TaskState};
use tokio::sync::{mpsc, oneshot, watch};

use crate::attempt::{self, Begun};
use crate::clock::now_ms;
use crate::context::{Context, Progress};
use crate::log::{LogTotals, Terms};
use crate::queue::{Number, Queue};
use crate::runner::Running;
use crate::state_dir::StateDir;
use crate::store::{AttemptRow, Store, StoreError};

pub(crate) use asking::LogSource;
pub(crate) use recovery::recover;
pub(crate) use stopping::StopWish;

/// What is done by the engine for somebody.
pub(crate) type Call = Box<dyn FnOnce(&mut Engine) + Send>;

/// How long the start of an attempt is put off that could not be kept, in milliseconds: the disk may be full.
const BEGIN_AGAIN_MS: u64 = 5_000;

/// All tasks, their queue, and what runs. It is on a thread of its own, as the disk may hold it up.
#[derive(Debug)]
pub(crate) struct Engine {
    context: Arc<Context>,
    store: Store,
    queue: Queue,
    live: HashMap<Number, Live>,
    /// Ends that could not be kept, to be tried again.
    unsaved: Vec<(Number, attempt::Finished)>,
    /// When it is to be woken, for who looks after the time.
    alarm: watch::Sender<Alarm>,
    /// Nothing is begun any more.
    is_stopping: bool,
    /// Until the engine ends.
    _state_dir: StateDir,
    /// There is nothing left to do. Behind the directory: it is the last that is let go of.
    done: Option<oneshot::Sender<()>>,
}

/// What an engine waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Alarm {
    /// When a task's time comes, in Unix milliseconds.
    pub(crate) next_task_ms: Option<u64>,
    /// Whether anything runs or waits, so that others are to see that this server lives.
    pub(crate) is_active: bool,
}

/// An attempt that runs.
#[derive(Debug)]
struct Live {
    attempt: Attempt,
    progress: Arc<Progress>,
    /// None while it is being started.
    running: Option<Arc<dyn Running>>,
    /// That it is to end, if somebody said so.
    stop: Option<StopWish>,
}

impl Live {
    /// The attempt as it is now.
    fn attempt(&self) -> AttemptRow {
        with_totals(self.attempt.clone(), &self.progress.borrow())
    }
}

impl Engine {
    pub(crate) fn new(
        context: Arc<Context>,
        store: Store,
        state_dir: StateDir,
        alarm: watch::Sender<Alarm>,
    ) -> Self {
        Self {
            context,
            store,
            queue: Queue::default(),
            live: HashMap::new(),
            unsaved: Vec::new(),
            alarm,
            is_stopping: false,
            _state_dir: state_dir,
            done: None,
        }
    }

    /// Does what it is asked until it is told that there is nothing left to do.
    pub(crate) fn run(mut self, mut calls: mpsc::Receiver<Call>) {
        self.go_on();
        while self.done.is_none()
            && let Some(call) = calls.blocking_recv()
        {
            call(&mut self);
            self.go_on();
        }
    }

    /// Makes room for how tasks end. Waits for the disk.
    pub(crate) fn set_room_aside(&mut self) {
        self.store.set_room_aside();
    }

    /// Nothing is begun from now on.
    pub(crate) fn begin_shutdown(&mut self) {
        self.is_stopping = true;
    }

    /// The end: all attempts have ended. `done` is let go of when everything is closed.
    pub(crate) fn finish(&mut self, done: oneshot::Sender<()>) {
        self.tick();
        self.done = Some(done);
    }

    /// Some time has passed.
    pub(crate) fn tick(&mut self) {
        if let Err(error) = self.store.touch_server(&self.context.incarnation, now_ms()) {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "it cannot be kept that this server lives"
            );
        }
        for (task, finished) in std::mem::take(&mut self.unsaved) {
            self.take_end(task, finished);
        }
    }

    /// Begins what may begin, and says when to be woken.
    fn go_on(&mut self) {
        while !self.is_stopping
            && let Some(task) = self.queue.pop(now_ms())
        {
            if let Err(error) = self.begin(task) {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "an attempt cannot be begun"
                );
                self.put_off(task);
            }
        }
        self.store.look_after_journal();
        let (running, waiting) = self.queue.load();
        let alarm = Alarm {
            next_task_ms: self.queue.next_time().filter(|_| !self.is_stopping),
            is_active: running + waiting > 0,
        };
        self.alarm
            .send_if_modified(|before| std::mem::replace(before, alarm) != alarm);
    }

    /// Makes an attempt: it is kept before anything runs, so that nothing runs twice.
    fn begin(&mut self, number: Number) -> Result<(), StoreError> {
        let Some(mut task) = self.store.task(number)? else {
            return Ok(());
        };
        task.state = TaskState::Running;
        task.not_before_ms = None;
        task.end_reason = None;
        task.ended_by = None;
        task.attempts += 1;
        task.incarnation.clone_from(&self.context.incarnation);
        let attempt = new_attempt(task.attempts, now_ms());
        let row = with_totals(attempt.clone(), &LogTotals::default());
        self.store.change(|store| {
            store.put_attempt(number, &row)?;
            store.update_task(&task)
        })?;
        let progress = Arc::new(Progress::new(LogTotals::default()));
        let begun = Begun {
            task: number,
            params: task.spec.start_params(task.attempts, &self.context.incarnation),
            files: self.context.log_files(&task.spec.id, task.attempts),
            terms: Terms {
                max_bytes: task.spec.max_output_bytes,
                on_limit: task.spec.params.on_output_limit,
            },
            progress: Arc::clone(&progress),
        };
        let live = Live {
            attempt,
            progress,
            running: None,
            stop: None,
        };
        self.live.insert(number, live);
        self.context.feed.change(number);
        let run = attempt::run(Arc::clone(&self.context), begun);
        self.context.attempts.spawn_on(run, &self.context.runtime);
        Ok(())
    }

    /// Lets a task wait again whose attempt could not be kept.
    fn put_off(&mut self, number: Number) {
        // What is not known any more needs no turn.
        if let Ok(Some(task)) = self.store.task(number) {
            let params = &task.spec.params;
            self.queue.finish(number, &params.lane);
            let at = now_ms() + BEGIN_AGAIN_MS;
            self.queue.push(number, &params.lane, params.priority, Some(at));
        }
    }

    /// The process of an attempt runs.
    pub(crate) fn take_start(&mut self, number: Number, running: Arc<dyn Running>) {
        let Some(live) = self.live.get_mut(&number) else {
            return;
        };
        live.attempt.uid = Some(running.uid());
        live.attempt.pid = Some(running.pid());
        if let Some(stop) = &live.stop {
            running.stop(EndReason::Terminated, stop.asked_by.as_deref(), stop.grace);
        }
        live.running = Some(running);
        let row = live.attempt();
        if let Err(error) = self.store.put_attempt(number, &row) {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "a task's pid cannot be kept"
            );
        }
    }
}

/// An attempt that begins.
fn new_attempt(number: u32, now_ms: u64) -> Attempt {
    Attempt {
        attempt: number,
        state: TaskState::Running,
        uid: None,
        pid: None,
        started_at_ms: now_ms,
        ended_at_ms: None,
        end_reason: None,
        exit_code: None,
        signal: None,
        failure: None,
        bytes: exec_protocol::process::StreamBytes::default(),
        last_seq: 0,
        last_output_at_ms: None,
        log: LogState::default(),
    }
}

/// An attempt whose output has come so far.
fn with_totals(attempt: Attempt, totals: &LogTotals) -> AttemptRow {
    AttemptRow {
        attempt: Attempt {
            bytes: totals.bytes,
            last_seq: totals.last_seq.0,
            last_output_at_ms: totals.last_output_at_ms,
            log: totals.state.clone(),
            ..attempt
        },
        lines: totals.total_lines,
    }
}

/// How far the output of an attempt has come, as it is kept.
fn totals_of(row: &AttemptRow) -> LogTotals {
    let AttemptRow { attempt, lines } = row;
    let bytes = attempt.bytes;
    LogTotals {
        state: attempt.log.clone(),
        total_bytes: bytes.total(),
        total_lines: *lines,
        bytes,
        last_seq: exec_protocol::Seq(attempt.last_seq),
        last_output_at_ms: attempt.last_output_at_ms,
    }
}
