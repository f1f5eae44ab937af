//! Who else uses the machine: a figure that was taken beside somebody's compiler is none.

use std::fs;
use std::thread;
use std::time::Duration;

use crate::clock;
use crate::proc;
use crate::stats::float;

/// A share of one core that others may have without being called a disturbance.
const QUIET_SHARE: f64 = 0.1;

/// How long others are watched before a run. Less than ten ticks would tell nothing.
const LOOK: Duration = Duration::from_millis(200);

/// Fields of the first line of `/proc/stat` in which somebody works: all but idle and the wait for disks, and
/// without those of guests, which are counted twice.
const BUSY_FIELDS: [usize; 6] = [0, 1, 2, 5, 6, 7];

/// What the machine and this program had worked at a moment, in nanoseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    now_ns: u64,
    all: u64,
    ours: u64,
}

impl Moment {
    /// Now. Children count as ours once they have been waited for.
    pub(crate) fn now() -> Self {
        Self {
            now_ns: clock::now_ns(),
            all: all_ns().unwrap_or(0),
            ours: proc::family_cpu_ns(),
        }
    }

    /// The share of one core that others have used since this moment.
    pub(crate) fn others_since(self) -> f64 {
        let now = Self::now();
        let all_ns = now.all.saturating_sub(self.all);
        let others_ns = all_ns.saturating_sub(now.ours.saturating_sub(self.ours));
        // A tick that had begun before, or goes on, is no one's for sure.
        let others_ns = others_ns.saturating_sub(2 * proc::tick_ns());
        float(others_ns) / float(now.now_ns.saturating_sub(self.now_ns).max(1))
    }
}

/// Whether others with this share of a core disturb.
pub(crate) fn is_disturbed(share: f64) -> bool {
    share > QUIET_SHARE
}

/// Waits until others do little, but no longer than this.
pub(crate) fn wait_for_quiet(most: Duration) {
    let start_ns = clock::now_ns();
    while u128::from(clock::since(start_ns)) < most.as_nanos() {
        let before = Moment::now();
        thread::sleep(LOOK);
        if !is_disturbed(before.others_since()) {
            return;
        }
    }
}

fn all_ns() -> Option<u64> {
    let text = fs::read_to_string("/proc/stat").ok()?;
    let fields: Vec<u64> = text
        .lines()
        .next()?
        .split_whitespace()
        .skip(1)
        .flat_map(str::parse)
        .collect();
    let ticks: u64 = BUSY_FIELDS.iter().filter_map(|&field| fields.get(field)).sum();
    Some(ticks * proc::tick_ns())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_has_worked() {
        assert!(all_ns().unwrap() > 0);
        assert!(Moment::now().others_since() >= 0.0);
        assert!(is_disturbed(1.0) && !is_disturbed(0.0));
    }
}
