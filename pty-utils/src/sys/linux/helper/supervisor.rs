//! The helper that watches over one tree: it is the parent of the leader, and of every orphan below.
use super::deaths::Deaths;
use crate::{
    exit::ExitStatus,
    signal::Signal,
    sys::linux::{
        descendants::{self, children},
        proc::pid_of,
        rusage,
        supervisor::{Report, Request, Rest},
    },
};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::{Errno, retry_on_intr},
    net::{RecvFlags, SendFlags, recv, send},
    process::{Pid, PidfdFlags, WaitId, WaitIdOptions, getpid, kill_process, pidfd_open, waitid},
    stdio::stdin,
    thread::nanosleep,
};
use std::{
    collections::HashSet,
    env, io,
    os::fd::{AsFd, OwnedFd},
};

const NOW: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 0,
};
/// How long it waits between two looks for those who are to be killed, where no death tells that somebody became
/// our child: one that hangs in the kernel keeps its dead children to itself. Also before something is tried again
/// that was in short supply.
const PAUSE: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 5_000_000,
};

/// Watches until nobody is left and the server has let go of the leader, or is gone.
pub(super) fn run(leader: &str) -> io::Result<()> {
    // Nothing that we stand in must be kept from being unmounted. That is not worth a tree.
    let _ = env::set_current_dir("/");
    let leader = pid_of(leader).ok_or(io::ErrorKind::InvalidInput)?;
    let watch = Watch {
        this: getpid(),
        deaths: persist(Deaths::open)?,
        leader,
        pidfd: persist(|| pidfd_open(leader, PidfdFlags::empty()))?,
        life: Life::Runs,
        is_released: false,
        server: Server::Listens,
        end: End::Natural,
        told: Told::Nothing,
        killed: HashSet::new(),
    };
    watch.run();
    Ok(())
}

/// A tree, and what has happened to it. Nothing of that is ever undone.
#[derive(Debug)]
struct Watch {
    this: Pid,
    /// Readable when a child has died, or the thread that spawned us.
    deaths: Deaths,
    leader: Pid,
    pidfd: OwnedFd,
    life: Life,
    /// Whether the server does not need the leader's pid any more.
    is_released: bool,
    server: Server,
    end: End,
    told: Told,
    /// Those of our children who have got their signal.
    killed: HashSet<Pid>,
}

/// The leader's. It is kept as a zombie, so that its pid can be signalled, until it is let go of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    Runs,
    Exited,
    Reaped,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Server {
    Listens,
    Gone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Natural,
    Killed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Nothing,
    Empty,
}

/// What follows a look at everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// The next look is after a death or a request, at most so late.
    Wait(Option<&'static Timespec>),
    Exit,
}

/// What a look for those who are to be killed has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    /// Somebody new, so there may be more.
    Fresh,
    /// Those who have got their signal and are dying.
    Dying,
    /// Those whom we may not kill.
    Untouchable,
}

impl Watch {
    fn run(mut self) {
        loop {
            // What was in short supply comes back, and until then it is not known whether anybody lives.
            match self.look().unwrap_or(Next::Wait(Some(&PAUSE))) {
                Next::Wait(patience) => self.wait(patience),
                Next::Exit => return,
            }
        }
    }

    fn look(&mut self) -> io::Result<Next> {
        // Before the look: a death that comes after it is told by the next wait.
        if self.deaths.take() {
            self.end = End::Killed;
        }
        // The leader first, or it would be taken for alive.
        self.look_at_leader()?;
        let living = self.reap()?;
        if self.life != Life::Runs && living.is_empty() {
            return Ok(self.look_at_nobody());
        }
        if self.end == End::Natural {
            return Ok(Next::Wait(None));
        }
        Ok(match self.kill(&living)? {
            Found::Fresh => Next::Wait(Some(&NOW)),
            // Nobody is there for whom to wait.
            Found::Untouchable if self.server == Server::Gone => Next::Exit,
            Found::Dying | Found::Untouchable => Next::Wait(Some(&PAUSE)),
        })
    }

    /// Whoever is not found may be there all the same, if somebody has hidden `/proc` from us.
    fn look_at_nobody(&mut self) -> Next {
        if has_living_children() {
            return Next::Wait(Some(&PAUSE));
        }
        if self.told == Told::Nothing {
            self.told = Told::Empty;
            tell(Report::Empty);
        }
        if self.life == Life::Reaped {
            Next::Exit
        } else {
            Next::Wait(None)
        }
    }

    /// Reaps all children but the leader, and tells who else is there. Of a tree, whoever has lost their parent is.
    fn reap(&mut self) -> io::Result<Vec<Pid>> {
        let mut living = children(self.this)?;
        living.retain(|&child| {
            // Once it is reaped its pid may be another one's, an orphan's for example.
            if child == self.leader && self.life != Life::Reaped {
                return self.life == Life::Runs;
            }
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
            let is_over = !matches!(waitid(WaitId::Pid(child), options), Ok(None));
            if is_over {
                self.killed.remove(&child);
            }
            !is_over
        });
        Ok(living)
    }

    /// Tells how the leader ended, once, and lets go of it if there is nobody who could want it.
    fn look_at_leader(&mut self) -> io::Result<()> {
        if self.life == Life::Runs {
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
            let Some(status) = waitid(WaitId::PidFd(self.pidfd.as_fd()), options)? else {
                return Ok(());
            };
            let code = status.exit_status().map(ExitStatus::Code);
            let status = code.or_else(|| status.terminating_signal().map(ExitStatus::Signal));
            let usage = rusage::of_exited(self.pidfd.as_fd()).unwrap_or_default();
            self.life = Life::Exited;
            tell(Report::Exited(status.ok_or(Errno::CHILD)?, usage));
        }
        if self.server == Server::Gone || self.is_released {
            self.reap_leader();
        }
        Ok(())
    }

    fn reap_leader(&mut self) {
        if self.life == Life::Exited {
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
            // It is there as a zombie, and nobody else can have taken it.
            let _ = waitid(WaitId::PidFd(self.pidfd.as_fd()), options);
            self.life = Life::Reaped;
        }
    }

    /// Children first: their pids cannot be given to others, so there is little between finding and killing them,
    /// which a chain of forks must not slip through. Whoever is deeper becomes our child when those above are dead.
    fn kill(&mut self, living: &[Pid]) -> io::Result<Found> {
        let mut found = Found::Dying;
        let mut untouchable = 0;
        for &child in living {
            if kill_process(child, Signal::Kill.into()) == Err(Errno::PERM) {
                untouchable += 1;
            } else if self.killed.insert(child) {
                found = Found::Fresh;
            }
        }
        if found == Found::Fresh {
            return Ok(found);
        }
        match descendants::signal(self.this, Signal::Kill) {
            Err(error) if error.raw_os_error() == Some(libc::EPERM) => {}
            sent => drop(sent?),
        }
        if untouchable > 0 && untouchable == living.len() {
            found = Found::Untouchable;
        }
        Ok(found)
    }

    /// Waits for a death or a request, at most so long.
    fn wait(&mut self, patience: Option<&Timespec>) {
        let stdin = stdin();
        let mut fds = [
            PollFd::new(&self.deaths, PollFlags::IN),
            // What has ended once would be ready for ever.
            PollFd::new(&stdin, PollFlags::IN),
        ];
        let listened_to = match self.server {
            Server::Listens => &mut fds[..],
            Server::Gone => &mut fds[..1],
        };
        if retry_on_intr(|| poll(listened_to, patience)).is_err() {
            pause();
        }
        if self.server == Server::Listens {
            self.obey();
        }
    }

    fn obey(&mut self) {
        let mut message = [0];
        let received = retry_on_intr(|| recv(stdin(), &mut message, RecvFlags::DONTWAIT));
        match received.map(|(count, _)| (count, Request::from_byte(message[0]))) {
            Err(Errno::AGAIN) => {}
            Ok((1.., Some(Request::Kill))) => self.end = End::Killed,
            Ok((1.., Some(Request::Release))) => self.release(),
            Ok(_) | Err(_) => {
                self.server = Server::Gone;
                self.end = End::Killed;
            }
        }
    }

    fn release(&mut self) {
        self.is_released = true;
        // The server knows of the exit by other ways, perhaps before us.
        let living = self.look_at_leader().and_then(|()| self.reap());
        let rest = if living.is_ok_and(|living| living.is_empty()) && !has_living_children() {
            Rest::Nobody
        } else {
            Rest::Somebody
        };
        tell(Report::Released(rest));
    }
}

fn tell(report: Report) {
    let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
    // There are three reports at most, so there is room; and whoever is gone need not know.
    let _ = persist(|| retry_on_intr(|| send(stdin(), &report.to_bytes(), flags)));
}

/// Zombies do not count, as nothing is told of them here. It asks the kernel, without `/proc` and descriptors.
fn has_living_children() -> bool {
    let options = WaitIdOptions::STOPPED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    !matches!(waitid(WaitId::All, options), Err(Errno::CHILD))
}

/// Tries until it is not for want of something that comes back.
fn persist<T>(mut attempt: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    loop {
        match attempt() {
            Err(Errno::NFILE | Errno::MFILE | Errno::NOMEM | Errno::NOBUFS) => pause(),
            done => return done,
        }
    }
}

fn pause() {
    // Waking early means one look more.
    let _ = nanosleep(&PAUSE);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_short_supply_is_tried_again_and_what_is_refused_is_not() {
        let mut answers = [Err(Errno::NFILE), Err(Errno::NOMEM), Ok(3)].into_iter();
        assert_eq!(persist(|| answers.next().unwrap()), Ok(3));
        assert_eq!(persist(|| Err::<(), _>(Errno::PERM)), Err(Errno::PERM));
    }
}
