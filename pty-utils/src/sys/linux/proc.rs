//! What `/proc` tells of a process.
use rustix::process::Pid;
use std::{fs, io, time::Duration};

/// A line of `/proc/PID/stat` (proc(5)), as far as it is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stat {
    pub(super) life: Life,
    pub(super) parent: i32,
    pub(super) group: i32,
    pub(super) session: i32,
    /// The device of the controlling terminal, 0 for none.
    pub(super) terminal: u64,
    /// With the children that it has waited for.
    pub(super) user: Duration,
    /// With the children that it has waited for.
    pub(super) system: Duration,
    /// Of the children that it has waited for alone.
    pub(super) childrens: [Duration; 2],
}

/// Whether a process can still do anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    Alive,
    /// A zombie, or one that is just going.
    Over,
}

impl Stat {
    /// None if there is no such process, or it cannot be told.
    pub(super) fn of(pid: Pid) -> Option<Self> {
        Self::read(pid).ok().flatten()
    }

    /// None if there is no such process.
    ///
    /// # Errors
    /// If it cannot be told.
    pub(super) fn read(pid: Pid) -> io::Result<Option<Self>> {
        match fs::read(format!("/proc/{pid}/stat")) {
            Ok(line) => Ok(Self::parse(&line)),
            Err(error) if is_gone(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The name is in brackets and may hold anything, brackets and blanks too.
    fn parse(text: &[u8]) -> Option<Self> {
        let behind_name = text.rsplit(|&byte| byte == b')').next()?;
        let mut fields = str::from_utf8(behind_name).ok()?.split_ascii_whitespace();
        let state = fields.next()?;
        let [parent, group, session, terminal] =
            [(); 4].map(|()| fields.next().and_then(|it| it.parse().ok()));
        let mut numbers = fields.skip(6).map(|number| number.parse::<u64>().ok());
        let [user, system, childrens_user, childrens_system] =
            [(); 4].map(|()| numbers.next().flatten().map(from_ticks));
        let childrens = [childrens_user?, childrens_system?];
        // Behind the priority and the niceness, which may be negative.
        let threads = numbers.nth(2)??;
        let life = match state {
            // Its first thread has ended, and others run.
            "Z" if threads > 1 => Life::Alive,
            "Z" | "X" => Life::Over,
            _ => Life::Alive,
        };
        Some(Self {
            life,
            parent: parent?,
            group: group?,
            session: session?,
            terminal: u64::from(i32::cast_unsigned(terminal?)),
            user: user? + childrens[0],
            system: system? + childrens[1],
            childrens,
        })
    }
}

fn from_ticks(ticks: u64) -> Duration {
    let per_second = rustix::param::clock_ticks_per_second();
    Duration::from_nanos(ticks.saturating_mul(1_000_000_000 / per_second))
}

/// Whether a file of a process cannot be read because there is no such process.
pub(super) fn is_gone(error: &io::Error) -> bool {
    // The latter if it was gone between opening and reading.
    matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ESRCH))
}

/// Whether it is there and no zombie.
pub(super) fn is_alive(pid: Pid) -> bool {
    Stat::of(pid).is_some_and(|stat| stat.life == Life::Alive)
}

/// The most memory that a living process ever had resident, in bytes.
pub(super) fn peak_rss_bytes(pid: Pid) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim_end().parse().ok()?;
    kib.checked_mul(1024)
}

/// Every process of the system, without its threads.
pub(super) fn all() -> io::Result<impl Iterator<Item = Pid>> {
    let entries = fs::read_dir("/proc")?;
    Ok(entries.filter_map(|entry| pid_of(entry.ok()?.file_name().to_str()?)))
}

/// A pid in text.
pub(super) fn pid_of(text: &str) -> Option<Pid> {
    text.parse().ok().and_then(Pid::from_raw)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_pass_for_the_rest_of_the_line() {
        let line = b"12 (a) S 1 7 7) R 1 4 5 136 -1 0 0 0 0 0 100 200 300 400 20 -5 3";
        let stat = Stat::parse(line).unwrap();
        assert_eq!(
            (stat.life, stat.parent, stat.group, stat.session, stat.terminal),
            (Life::Alive, 1, 4, 5, 136)
        );
        assert_eq!(
            (stat.user, stat.system),
            (Duration::from_secs(4), Duration::from_secs(6))
        );
        assert_eq!(Stat::parse(b""), None);
    }

    #[test]
    fn who_has_a_thread_left_is_alive() {
        for (state, threads, life) in [
            ('Z', 1, Life::Over),
            ('Z', 0, Life::Over),
            ('Z', 2, Life::Alive),
            ('X', 2, Life::Over),
            ('S', 1, Life::Alive),
        ] {
            let line = format!("12 (a) {state} 1 4 5 0 -1 0 0 0 0 0 0 0 0 0 20 0 {threads} 0 77");
            assert_eq!(Stat::parse(line.as_bytes()).unwrap().life, life, "{line}");
        }
    }

    #[test]
    fn this_process_is_alive_and_takes_memory() {
        let this = rustix::process::getpid();
        assert!(is_alive(this));
        assert!(peak_rss_bytes(this).unwrap() > 1 << 16);
        assert!(all().unwrap().any(|pid| pid == this));
    }
}
