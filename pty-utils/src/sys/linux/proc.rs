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
    /// None if there is no such process.
    pub(super) fn of(pid: Pid) -> Option<Self> {
        let line = fs::read(format!("/proc/{pid}/stat")).ok()?;
        Self::parse(&line)
    }

    /// The name is in brackets and may hold anything, brackets and blanks too.
    fn parse(text: &[u8]) -> Option<Self> {
        let behind_name = text.rsplit(|&byte| byte == b')').next()?;
        let mut fields = str::from_utf8(behind_name).ok()?.split_ascii_whitespace();
        let life = match fields.next()? {
            "Z" | "X" => Life::Over,
            _ => Life::Alive,
        };
        let [parent, group, session, terminal] =
            [(); 4].map(|()| fields.next().and_then(|it| it.parse().ok()));
        let mut times = fields.skip(6).map(|ticks| ticks.parse().ok().map(from_ticks));
        let [user, system, childrens_user, childrens_system] = [(); 4].map(|()| times.next().flatten());
        let childrens = [childrens_user?, childrens_system?];
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
        let line = b"12 (a) S 1 7 7) R 1 4 5 136 -1 0 0 0 0 0 100 200 300 400 20";
        let stat = Stat::parse(line).unwrap();
        assert_eq!(
            (stat.life, stat.parent, stat.group, stat.session, stat.terminal),
            (Life::Alive, 1, 4, 5, 136)
        );
        assert_eq!(
            (stat.user, stat.system),
            (Duration::from_secs(4), Duration::from_secs(6))
        );
        let zombie = b"12 (a) Z 1 4 5 0 -1 0 0 0 0 0 0 0 0 0 20";
        assert_eq!(Stat::parse(zombie).unwrap().life, Life::Over);
        assert_eq!(Stat::parse(b""), None);
    }

    #[test]
    fn this_process_is_alive_and_takes_memory() {
        let this = rustix::process::getpid();
        assert!(is_alive(this));
        assert!(peak_rss_bytes(this).unwrap() > 1 << 16);
        assert!(all().unwrap().any(|pid| pid == this));
    }
}
