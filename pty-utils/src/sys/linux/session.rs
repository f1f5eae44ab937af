//! Who is in a session beside its leader.
//!
//! The system has no question for this, so every process of `/proc` is looked at.
use crate::signal::Signal;
use rustix::{
    io::Errno,
    process::{Pid, PidfdFlags, pidfd_open, pidfd_send_signal},
};
use std::{fs, io};

/// How often a session is gone through before it is left as it is: who forks while it is gone through can
/// leave a child behind that was not seen.
const ROUNDS: usize = 8;

/// Whether somebody alive beside its leader is in the session that `leader` leads.
pub(super) fn has_followers(leader: Pid) -> io::Result<bool> {
    Ok(followers(leader)?.next().is_some())
}

/// Sends a signal to everybody in the session but its leader. For `Kill` again, until nobody is left.
pub(super) fn signal_followers(leader: Pid, signal: Signal) -> io::Result<()> {
    let rounds = if signal == Signal::Kill { ROUNDS } else { 1 };
    for _ in 0..rounds {
        let mut found = 0;
        for pid in followers(leader)? {
            found += 1;
            signal_follower(leader, pid, signal)?;
        }
        if found == 0 {
            break;
        }
    }
    Ok(())
}

fn followers(leader: Pid) -> io::Result<impl Iterator<Item = Pid>> {
    let entries = fs::read_dir("/proc")?;
    Ok(entries.filter_map(move |entry| {
        let pid = entry
            .ok()?
            .file_name()
            .to_str()?
            .parse()
            .ok()
            .and_then(Pid::from_raw)?;
        (pid != leader && is_follower(leader, pid)).then_some(pid)
    }))
}

/// The descriptor holds on to the process, so that what is looked at once more is what gets the signal, even
/// if its pid was given to another one meanwhile.
fn signal_follower(leader: Pid, pid: Pid, signal: Signal) -> io::Result<()> {
    let sent = match pidfd_open(pid, PidfdFlags::empty()) {
        Ok(process) if is_follower(leader, pid) => pidfd_send_signal(process, signal.into()),
        Ok(_) => Ok(()),
        Err(errno) => Err(errno),
    };
    match sent {
        // It is gone, or runs as somebody else.
        Ok(()) | Err(Errno::SRCH | Errno::PERM) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

fn is_follower(leader: Pid, pid: Pid) -> bool {
    let stat = fs::read(format!("/proc/{}/stat", pid.as_raw_nonzero()));
    stat.is_ok_and(|stat| is_alive_in(leader.as_raw_nonzero().get(), &stat))
}

/// Reads a line of `/proc/PID/stat`: pid, name in brackets, state, parent, group, session (proc(5)). The name
/// may hold anything, brackets and blanks too. Zombies cannot be signalled, so they do not count.
fn is_alive_in(session: i32, stat: &[u8]) -> bool {
    let behind_name = stat.rsplit(|&byte| byte == b')').next().unwrap_or_default();
    let text = String::from_utf8_lossy(behind_name);
    let mut fields = text.split_ascii_whitespace();
    let is_alive = fields.next().is_some_and(|state| !matches!(state, "Z" | "X"));
    is_alive && fields.nth(2).and_then(|field| field.parse().ok()) == Some(session)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_pass_for_the_rest_of_the_line() {
        let stat = b"12 (a) S 1 7 7) R 1 4 5 0 -1";
        assert!(is_alive_in(5, stat));
        assert!(!is_alive_in(7, stat));
        assert!(!is_alive_in(5, b"12 (a) Z 1 4 5 0 -1"));
        assert!(!is_alive_in(5, b""));
    }
}
