//! A leader that a thread looks after.
use super::{detach, lock, tree::Tree};
use crate::{exit::ExitStatus, signal::Signal};
use portable_pty::Child;
use std::{
    io,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};
use tokio::sync::watch;

/// How often the thread looks. It does not wait in the system, as nobody could kill the child meanwhile.
const LOOK_INTERVAL: Duration = Duration::from_millis(10);

/// Dropping it kills the leader.
#[derive(Debug)]
pub(crate) struct Leader {
    process: Arc<Mutex<Process>>,
    exit: watch::Receiver<Option<ExitStatus>>,
    pid: u32,
}

/// Both kinds of child, of which `std` has all but the terminals of Windows.
#[derive(Debug)]
pub(super) struct Process(Box<dyn Child + Send + Sync>);

impl Leader {
    pub(super) fn new(child: Box<dyn Child + Send + Sync>) -> io::Result<Self> {
        let pid = child.process_id().unwrap_or_default();
        let process = Arc::new(Mutex::new(Process(child)));
        let (exited, exit) = watch::channel(None);
        let looked_at = Arc::clone(&process);
        let leader = Self { process, exit, pid };
        detach("exit", move || look(&looked_at, &exited))?;
        Ok(leader)
    }

    /// It sees the leader and does not keep it.
    pub(super) fn tree(&self) -> Tree {
        Tree::new(Arc::clone(&self.process), self.exit.clone())
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    pub(crate) async fn exited(&self) -> io::Result<ExitStatus> {
        exited(self.exit.clone()).await
    }

    pub(crate) fn signal_group(&self, signal: Signal) -> io::Result<bool> {
        lock(&self.process).signal(signal)
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        lock(&self.process).end();
    }
}

impl Process {
    fn status(&mut self) -> io::Result<Option<ExitStatus>> {
        let child: &mut dyn Child = &mut *self.0;
        match child.downcast_mut::<std::process::Child>() {
            Some(child) => Ok(child.try_wait()?.and_then(exit_status)),
            None => Ok(child
                .try_wait()?
                .map(|status| ExitStatus::Code(status.exit_code().cast_signed()))),
        }
    }

    /// False if it has exited.
    pub(super) fn signal(&mut self, signal: Signal) -> io::Result<bool> {
        match signal {
            Signal::Kill => self.kill(),
            Signal::Interrupt
            | Signal::Terminate
            | Signal::Hangup
            | Signal::Quit
            | Signal::Stop
            | Signal::Continue
            | Signal::User1
            | Signal::User2
            | Signal::WindowChange => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// False if it has exited.
    pub(super) fn kill(&mut self) -> io::Result<bool> {
        if self.status()?.is_some() {
            return Ok(false);
        }
        let child: &mut dyn Child = &mut *self.0;
        // What portable_pty does with this one is to hang up first, and to wait.
        match child.downcast_mut::<std::process::Child>() {
            Some(child) => child.kill()?,
            None => child.kill()?,
        }
        Ok(true)
    }

    /// Kills it unless it has exited, and reaps it.
    fn end(&mut self) {
        if let Ok(true) = self.kill() {
            // It was told to, and whoever lost the status does not ask for it any more.
            let _ = self.0.wait();
        }
    }
}

pub(super) async fn exited(mut exit: watch::Receiver<Option<ExitStatus>>) -> io::Result<ExitStatus> {
    let status = exit
        .wait_for(Option::is_some)
        .await
        .ok()
        .and_then(|status| *status);
    status.ok_or_else(|| io::Error::other("the exit status was lost"))
}

#[cfg(unix)]
fn exit_status(status: std::process::ExitStatus) -> Option<ExitStatus> {
    use std::os::unix::process::ExitStatusExt;
    let code = status.code().map(ExitStatus::Code);
    code.or_else(|| status.signal().map(ExitStatus::Signal))
}

#[cfg(not(unix))]
fn exit_status(status: std::process::ExitStatus) -> Option<ExitStatus> {
    status.code().map(ExitStatus::Code)
}

/// Looks until the exit, which a leader that is dropped brings about.
fn look(process: &Mutex<Process>, exited: &watch::Sender<Option<ExitStatus>>) {
    loop {
        match lock(process).status() {
            Ok(None) => {}
            Ok(status) => {
                exited.send_replace(status);
                return;
            }
            Err(_) => return,
        }
        thread::sleep(LOOK_INTERVAL);
    }
}
