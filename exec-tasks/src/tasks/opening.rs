//! How tasks are opened.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use exec_protocol::task::CleanParams;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};
use tokio_util::task::TaskTracker;

use super::TasksConfig;
use crate::clock::now_ms;
use crate::context::Context;
use crate::engine::{Alarm, Call, Engine, recover};
use crate::error::OpenError;
use crate::feed::Feed;
use crate::quota::Quota;
use crate::random;
use crate::runner::Runner;
use crate::spec::Defaults;
use crate::state_dir::StateDir;
use crate::store::Store;
use crate::threads::{Readers, Worker};

/// What waits for the engine. Whoever has more waits with it.
const WAITING_CALLS: usize = 256;

/// How often a server with something to do says that it is alive.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// How often old tasks are looked for.
const BETWEEN_CLEANINGS: Duration = Duration::from_hours(1);

/// Bytes of randomness in the name of a server.
const INCARNATION_BYTES: usize = 16;

/// Opens the directory and starts what looks after the tasks in it.
pub(super) fn open(config: &TasksConfig, runner: &Arc<dyn Runner>) -> Result<Arc<Context>, OpenError> {
    let runtime = Handle::try_current().map_err(|error| OpenError::Os(io::Error::other(error)))?;
    let state_dir = StateDir::open(&config.state_dir)?;
    let database = state_dir.database();
    let store = Store::open(&database).map_err(|source| OpenError::Store {
        path: database.display().to_string(),
        source,
    })?;
    let (calls, waiting) = mpsc::channel(WAITING_CALLS);
    let errands = TaskTracker::new();
    let context = Arc::new(Context {
        runner: Arc::clone(runner),
        incarnation: random::name(INCARNATION_BYTES).map_err(OpenError::Os)?,
        defaults: Defaults {
            shell: config.shell.clone(),
            cwd: config.cwd.clone(),
            output_bytes: config.output_bytes,
        },
        logs: state_dir.logs(),
        quota: Arc::new(Quota::new(config.all_output_bytes, 0)),
        writer: Worker::start("exec-tasks-log").map_err(OpenError::Os)?,
        readers: Readers::new(&runtime, &errands),
        feed: Feed::default(),
        calls,
        runtime: runtime.clone(),
        attempts: TaskTracker::new(),
        errands,
        timekeeper: TaskTracker::new(),
    });
    let (alarm, alarms) = watch::channel(Alarm::default());
    let engine = Engine::new(Arc::clone(&context), store, state_dir, alarm);
    thread::Builder::new()
        .name("exec-tasks".to_owned())
        .spawn(move || look_after(engine, waiting))
        .map_err(OpenError::Os)?;
    let calls = context.calls.downgrade();
    context.timekeeper.spawn_on(keep_time(calls, alarms), &runtime);
    context.timekeeper.close();
    Ok(context)
}

fn look_after(mut engine: Engine, calls: mpsc::Receiver<Call>) {
    engine.set_room_aside();
    if let Err(error) = recover(&mut engine) {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "what an earlier server left cannot be looked after"
        );
    }
    engine.run(calls);
}

/// Wakes the engine when a task's time comes, and now and then.
async fn keep_time(calls: mpsc::WeakSender<Call>, mut alarms: watch::Receiver<Alarm>) {
    let mut clean_at = Instant::now() + BETWEEN_CLEANINGS;
    let mut beat_at = Instant::now();
    loop {
        let alarm = *alarms.borrow_and_update();
        let next_task = alarm
            .next_task_ms
            .map(|at| Instant::now() + Duration::from_millis(at.saturating_sub(now_ms())));
        let heartbeat = alarm.is_active.then_some(beat_at);
        let at = heartbeat
            .into_iter()
            .chain(next_task)
            .fold(clean_at, Instant::min);
        tokio::select! {
            changed = alarms.changed() => {
                if changed.is_err() {
                    return;
                }
                continue;
            }
            () = sleep_until(at) => {}
        }
        beat_at = Instant::now() + HEARTBEAT;
        let is_to_clean = Instant::now() >= clean_at;
        if is_to_clean {
            clean_at = Instant::now() + BETWEEN_CLEANINGS;
        }
        let call: Call = Box::new(move |engine| {
            engine.tick();
            if is_to_clean && let Err(error) = engine.clean(&CleanParams::default()) {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "old tasks cannot be deleted"
                );
            }
        });
        let Some(calls) = calls.upgrade() else { return };
        if calls.send(call).await.is_err() {
            return;
        }
    }
}
