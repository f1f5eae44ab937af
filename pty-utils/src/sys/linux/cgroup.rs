//! A control group (v2) for each child, all of them below one for the spawner.
//!
//! A child is created in its group (`CLONE_INTO_CGROUP`): moving it there waits for a grace period of the kernel,
//! 9 to 17 ms on an idle machine.
mod controllers;
mod directory;
mod leaf;
mod mount;
mod name;
mod room;
mod sweep;

pub(super) use leaf::Leaf;
pub(crate) use room::make_room;

use super::{
    clone::vfork,
    helper::{Helper, Role, Running},
    lock::lock,
    stack::Stack,
};
use crate::restrictions::Controllers;
use directory::Directory;
use mount::Own;
use name::Name;
use rustix::process::{WaitId, WaitIdOptions, waitid};
use std::{
    ffi::{OsString, c_int, c_void},
    fs, io,
    os::{fd::AsFd, unix::ffi::OsStringExt},
    path::Path,
    ptr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// How long the end of a spawner waits for those it has killed. They are gone in milliseconds, unless a disk or
/// a network holds one of them up.
const DEATH: Duration = Duration::from_secs(2);

/// The groups of a spawner.
#[derive(Debug)]
pub(super) struct Groups {
    directory: Directory,
    /// What it can limit.
    controllers: Controllers,
    name: OsString,
    leaves: AtomicU64,
    /// Those whose members took too long to die, also of dead spawners.
    left: Mutex<Vec<Directory>>,
}

/// Owns the groups of a spawner, and the process that ends them if we cannot. Dropping it kills everybody.
#[derive(Debug)]
pub(super) struct Hierarchy {
    groups: Arc<Groups>,
    /// Let go of when the groups are gone.
    keeper: Option<Keeper>,
}

/// Ends the groups if we cannot.
#[derive(Debug)]
struct Keeper {
    program: Helper,
    running: Running,
    /// Whether it is known to be a helper. Until the first spawn it has time to say so.
    is_known: bool,
}

impl Hierarchy {
    /// Makes the spawner's group and tries it out, and ends what dead spawners have left.
    ///
    /// # Errors
    /// Whatever keeps this process from having groups, or from starting the keeper.
    pub(super) fn new(stack: &mut Stack, helper: Option<&Helper>) -> io::Result<Self> {
        let own = Own::find_base()?;
        let name = Name::new()?;
        let path = own.directory.join(name.to_string());
        fs::create_dir(&path)?;
        let directory = Directory::new(path);
        let mut hierarchy = Self {
            groups: Arc::new(Groups {
                // Where it cannot be told, there are none.
                controllers: directory.controllers().unwrap_or_default(),
                directory,
                name: below(&own.name, &name.to_string()),
                leaves: AtomicU64::new(0),
                left: Mutex::new(Vec::new()),
            }),
            keeper: None,
        };
        hierarchy.try_out(stack)?;
        if let Some(helper) = helper {
            hierarchy.keeper = Some(Keeper::new(
                stack,
                helper.clone(),
                hierarchy.groups.directory.path(),
            )?);
        }
        for directory in sweep::sweep(&own.directory, &name) {
            hierarchy.groups.remove_later(directory);
        }
        Ok(hierarchy)
    }

    /// A group for one child.
    ///
    /// # Errors
    /// Also if the keeper turns out to be none, or was killed and no other can be started.
    pub(super) fn leaf_for_child(&mut self, stack: &mut Stack) -> io::Result<Leaf> {
        if let Some(keeper) = &mut self.keeper {
            keeper.require(stack, self.groups.directory.path())?;
        }
        self.leaf()
    }

    /// Which limits of trees it can keep.
    pub(super) fn controllers(&self) -> Controllers {
        self.groups.controllers
    }

    fn leaf(&self) -> io::Result<Leaf> {
        self.groups.remove_left();
        let number = self.groups.leaves.fetch_add(1, Ordering::Relaxed).to_string();
        let path = self.groups.directory.path().join(&number);
        fs::create_dir(&path)?;
        let name = below(&self.groups.name, &number);
        Ok(Leaf::new(Arc::clone(&self.groups), Directory::new(path), name))
    }

    /// Creates a process in a group that does nothing, since a filter, permissions or the kind of our own group
    /// may forbid it.
    fn try_out(&self, stack: &mut Stack) -> io::Result<()> {
        let leaf = self.leaf()?;
        let group = leaf.open()?;
        // SAFETY: `leave` uses nothing of ours.
        let created = unsafe { vfork(stack, Some(group.as_fd()), leave, ptr::null_mut()) };
        let (_, pidfd) = created?;
        waitid(WaitId::PidFd(pidfd.as_fd()), WaitIdOptions::EXITED)?;
        leaf.require_kill()
    }
}

impl Drop for Hierarchy {
    fn drop(&mut self) {
        // What is refused here is left to the keeper.
        let _ = self.groups.directory.kill();
        let _ = self.groups.directory.remove_within(DEATH);
        drop(self.keeper.take());
    }
}

impl Keeper {
    fn new(stack: &mut Stack, program: Helper, group: &Path) -> io::Result<Self> {
        let running = program.start(stack, Role::Keeper, group.as_os_str())?;
        Ok(Self {
            program,
            running,
            is_known: false,
        })
    }

    /// Puts another one in the place of one that somebody has killed.
    fn require(&mut self, stack: &mut Stack, group: &Path) -> io::Result<()> {
        if !self.running.is_alive() {
            self.running = self.program.start(stack, Role::Keeper, group.as_os_str())?;
            self.is_known = false;
        }
        if !self.is_known {
            self.running.wait_for_hello()?;
            self.is_known = true;
        }
        Ok(())
    }
}

impl Groups {
    /// Leaves a group whose members are dying to a later spawn, or to the end of the spawner.
    fn remove_later(&self, directory: Directory) {
        lock(&self.left).push(directory);
    }

    fn remove_left(&self) {
        lock(&self.left).retain(|directory| {
            // Killing them may have been refused before, for want of a descriptor.
            let _ = directory.kill();
            !directory.remove().unwrap_or(false)
        });
    }
}

fn below(name: &OsString, child: &str) -> OsString {
    let mut name = name.clone().into_vec();
    name.push(b'/');
    name.extend(child.as_bytes());
    OsString::from_vec(name)
}

/// Ends what a keeper looked after: kills everybody in the group and removes it, if they die in time.
pub(super) fn end(path: &Path, patience: Duration) -> io::Result<bool> {
    let directory = Directory::new(path.to_owned());
    // What is refused now may not be in the next round, and who is dying already needs no signal.
    let _ = directory.kill();
    directory.remove_within(patience)
}

extern "C" fn leave(_: *mut c_void) -> c_int {
    // SAFETY: it ends this process at once, without running what belongs to the parent at its exit.
    unsafe { libc::_exit(0) }
}
