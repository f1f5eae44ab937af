//! What spawners leave behind that died together with their keepers, or before they had one.
use super::{directory::Directory, name::Name};
use std::{fs, path::Path, time::Duration};
use tokio::time::Instant;

/// How long it may take in all: somebody waits for a spawner. A thousand processes die in less.
const PATIENCE: Duration = Duration::from_millis(50);

/// Kills everybody in the groups of dead spawners that are in the same directory as ours, and removes the groups.
/// Gives those that take longer.
///
/// Two may do so at the same time: what one of them has done is done for the other. What is refused is left as
/// it is, and what there is no time for to the next spawner.
pub(super) fn sweep(parent: &Path, ours: &Name) -> Vec<Directory> {
    let end = Instant::now() + PATIENCE;
    let left = || end.saturating_duration_since(Instant::now());
    let Ok(entries) = fs::read_dir(parent) else {
        return Vec::new();
    };
    let dead = entries.filter_map(|entry| {
        let entry = entry.ok()?;
        let name = Name::parse(entry.file_name().to_str()?)?;
        name.is_dead_to(ours).then(|| Directory::new(entry.path()))
    });
    // All of them die at the same time.
    let killed: Vec<_> = dead
        .take_while(|_| !left().is_zero())
        .filter(|directory| directory.kill().is_ok())
        .collect();
    let is_left = |directory: &Directory| !directory.remove_within(left()).unwrap_or(true);
    killed.into_iter().filter(is_left).collect()
}
