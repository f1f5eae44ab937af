//! Threads that may be blocked.
//!
//! The runtime has such threads too, but it panics where the system has none to give, and those who embed a server may
//! need them for something else.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use crate::limits::MAX_FILE_THREADS;

/// How long a thread waits for something to do before it ends.
const IDLE: Duration = Duration::from_secs(10);

/// Something for a thread to do.
pub(super) type Job = Box<dyn FnOnce() + Send>;

/// The threads of one server for work on files; there are as many as are needed, up to a bound.
#[derive(Debug, Clone, Default)]
pub(crate) struct Threads(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// Held only for the length of a memory operation, and while a thread is started.
    state: Mutex<State>,
    news: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    threads: usize,
    /// Those of the threads that wait for a job.
    idle: usize,
    is_closed: bool,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            jobs, threads, idle, ..
        } = self;
        write!(f, "{} jobs, {threads} threads, {idle} idle", jobs.len())
    }
}

impl Threads {
    /// Has a job done as soon as there is a thread for it. It waits for nothing.
    ///
    /// # Errors
    ///
    /// If there is no thread, and the system has none to give.
    pub(super) fn run(&self, job: Job) -> io::Result<()> {
        let mut state = self.0.lock();
        state.jobs.push_back(job);
        if state.idle < state.jobs.len() && state.threads < MAX_FILE_THREADS {
            let shared = Arc::clone(&self.0);
            let started = thread::Builder::new().name("files".to_owned());
            match started.spawn(move || shared.work()) {
                Ok(_) => state.threads += 1,
                Err(error) if state.threads == 0 => {
                    let job = state.jobs.pop_back();
                    // What goes with it may take its time.
                    drop(state);
                    drop(job);
                    return Err(error);
                }
                // One that is there gets to it.
                Err(error) => tracing::warn!(%error, "no further thread for work on files"),
            }
        }
        drop(state);
        self.0.news.notify_one();
        Ok(())
    }

    /// Lets the threads go, once there is nothing left to do.
    pub(crate) fn close(&self) {
        self.0.lock().is_closed = true;
        self.0.news.notify_all();
    }
}

impl Shared {
    fn work(&self) {
        while let Some(job) = self.next() {
            // What it was to tell is not told then, and whoever waits for it knows what that means.
            let _ = catch_unwind(AssertUnwindSafe(job));
        }
    }

    /// The next job. None if the thread is to end.
    fn next(&self) -> Option<Job> {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                return Some(job);
            }
            if state.is_closed {
                state.threads -= 1;
                return None;
            }
            state.idle += 1;
            let (waited, timeout) = self
                .news
                .wait_timeout(state, IDLE)
                .expect("no holder of this lock can panic");
            state = waited;
            state.idle -= 1;
            if timeout.timed_out() && state.jobs.is_empty() {
                state.threads -= 1;
                return None;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of this lock can panic")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    const PATIENCE: Duration = Duration::from_secs(10);

    #[test]
    fn jobs_that_wait_for_each_other_have_threads_of_their_own() {
        let threads = Threads::default();
        let (to_first, first) = mpsc::channel();
        let (to_second, second) = mpsc::channel();
        let (to_us, us) = mpsc::channel();
        threads
            .run(Box::new(move || {
                to_second.send(first.recv_timeout(PATIENCE)).unwrap();
            }))
            .unwrap();
        threads.run(Box::new(move || to_first.send(7).unwrap())).unwrap();
        threads
            .run(Box::new(move || {
                to_us.send(second.recv_timeout(PATIENCE)).unwrap();
            }))
            .unwrap();
        assert_eq!(us.recv_timeout(PATIENCE), Ok(Ok(Ok(7))));
    }

    #[test]
    fn a_job_that_panics_costs_only_itself() {
        let threads = Threads::default();
        let (tell, told) = mpsc::channel();
        threads.run(Box::new(|| panic!("as it should"))).unwrap();
        threads.run(Box::new(move || tell.send(()).unwrap())).unwrap();
        assert_eq!(told.recv_timeout(PATIENCE), Ok(()));
        threads.close();
        while threads.0.lock().threads > 0 {
            thread::yield_now();
        }
    }
}
