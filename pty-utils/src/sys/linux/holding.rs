//! Which containment there is, and creating a child in it.
use super::{
    cgroup::{Hierarchy, Leaf},
    clone::spawn,
    failure::{Failure, errno_of},
    helper::{Helper, Role},
    image::Image,
    process::Process,
    register::register_process,
    stack::Stack,
    supervisor,
    tree::Family,
};
use crate::{
    containment::{Containment, SpawnerError},
    restrictions::{Controllers, TreeLimits},
    step::Step,
};
use rustix::io::Errno;
use std::{ffi::OsStr, io, os::fd::AsFd, path::Path};

/// What holds the descendants of children together.
#[derive(Debug)]
pub(super) enum Holding {
    Cgroup(Hierarchy),
    /// The stack is the leader's, while its supervisor is on the usual one.
    Supervisor(Helper, Stack),
    Group,
}

/// A child in its containment. Dropping it kills the tree.
#[derive(Debug)]
pub(super) enum Born {
    // The leaf comes first, so that it is empty of all but the leader when that one is reaped.
    Cgroup(Leaf, Process),
    Supervised(supervisor::Born),
    Group(Process),
}

impl Holding {
    /// Takes what was asked for, or the strongest there is.
    pub(super) fn new(
        stack: &mut Stack,
        containment: Option<Containment>,
        helper: Option<&Path>,
    ) -> Result<Self, SpawnerError> {
        let helper = match (containment, helper) {
            (Some(Containment::Group), _) | (_, None) => None,
            (_, Some(program)) => {
                let weakest = containment.unwrap_or(Containment::Supervisor);
                Some(Helper::new(program).map_err(unavailable(weakest))?)
            }
        };
        let helper = helper.as_ref();
        match containment {
            Some(Containment::Cgroup) => Self::cgroup(stack, helper),
            Some(Containment::Supervisor) => Self::supervisor(stack, helper),
            Some(Containment::Group) => Ok(Self::Group),
            // Nothing weaker takes the place of a helper that does not run.
            None => match (Self::cgroup(stack, helper), helper) {
                (Ok(cgroup), _) => Ok(cgroup),
                (Err(_), Some(_)) => Self::supervisor(stack, helper),
                (Err(_), None) => Ok(Self::Group),
            },
        }
    }

    fn cgroup(stack: &mut Stack, helper: Option<&Helper>) -> Result<Self, SpawnerError> {
        let hierarchy = Hierarchy::new(stack, helper);
        hierarchy
            .map(Self::Cgroup)
            .map_err(unavailable(Containment::Cgroup))
    }

    fn supervisor(stack: &mut Stack, helper: Option<&Helper>) -> Result<Self, SpawnerError> {
        let no_helper = || unavailable(Containment::Supervisor)(io::Error::other("there is no helper"));
        let helper = helper.cloned().ok_or_else(no_helper)?;
        try_out(stack, &helper).map_err(unavailable(Containment::Supervisor))?;
        Ok(Self::Supervisor(helper, Stack::new().map_err(io::Error::from)?))
    }

    pub(super) fn containment(&self) -> Containment {
        match self {
            Self::Cgroup(_) => Containment::Cgroup,
            Self::Supervisor(..) => Containment::Supervisor,
            Self::Group => Containment::Group,
        }
    }

    /// Which limits of trees it can keep.
    pub(super) fn controllers(&self) -> Controllers {
        match self {
            Self::Cgroup(hierarchy) => hierarchy.controllers(),
            Self::Supervisor(..) | Self::Group => Controllers::default(),
        }
    }

    /// Creates a child. When this returns, it is the program or there is none.
    pub(super) fn spawn(
        &mut self,
        stack: &mut Stack,
        image: &Image<'_>,
        limits: TreeLimits,
    ) -> Result<Born, Failure> {
        if !self.controllers().include(limits.needs()) {
            return Err(Step::TreeLimits.failed()(Errno::OPNOTSUPP));
        }
        match self {
            Self::Cgroup(hierarchy) => {
                let failed = |error| Step::Containment.failed()(errno_of(&error));
                let leaf = hierarchy.leaf_for_child(stack).map_err(failed)?;
                let unlimited = |error| Step::TreeLimits.failed()(errno_of(&error));
                leaf.limit(limits).map_err(unlimited)?;
                let group = leaf.open().map_err(failed)?;
                Ok(Born::Cgroup(leaf, spawn(stack, image, Some(group.as_fd()))?))
            }
            Self::Supervisor(helper, inner) => {
                supervisor::spawn([stack, inner], helper, image).map(Born::Supervised)
            }
            Self::Group => spawn(stack, image, None).map(Born::Group),
        }
    }
}

impl Born {
    /// Registers it with the runtime. When that fails, the tree is killed.
    pub(super) fn register(self) -> io::Result<Family> {
        Ok(match self {
            Self::Cgroup(leaf, process) => Family::Cgroup(leaf, register_process(process)?),
            Self::Supervised(born) => Family::Supervised(born.register()?),
            Self::Group(process) => Family::Group(register_process(process)?),
        })
    }
}

/// Sees a helper run.
fn try_out(stack: &mut Stack, helper: &Helper) -> io::Result<()> {
    helper.start(stack, Role::Probe, OsStr::new(""))?.wait_for_hello()
}

fn unavailable(containment: Containment) -> impl FnOnce(io::Error) -> SpawnerError {
    move |source| SpawnerError::Unavailable {
        containment,
        source: source.into(),
    }
}
