//! Which containment there is.
use super::{cgroup::Hierarchy, helper::Helper, stack::Stack};
use crate::containment::{Containment, SpawnerError, SpawnerOptions};
use std::io;

/// What holds the descendants of children together.
#[derive(Debug)]
pub(super) enum Holding {
    Cgroup(Hierarchy),
    Group,
}

impl Holding {
    /// Takes what was asked for, or the strongest there is.
    pub(super) fn new(stack: &mut Stack, options: SpawnerOptions) -> Result<Self, SpawnerError> {
        let helper = options.helper.as_deref().map(Helper::new).transpose()?;
        let unavailable = |containment| {
            move |source: io::Error| SpawnerError::Unavailable {
                containment,
                source: source.into(),
            }
        };
        match options.containment {
            Some(Containment::Cgroup) => Hierarchy::new(stack, helper.as_ref())
                .map(Self::Cgroup)
                .map_err(unavailable(Containment::Cgroup)),
            Some(Containment::Supervisor) => {
                let no_helper = io::Error::other("a supervisor needs a helper");
                Err(unavailable(Containment::Supervisor)(no_helper))
            }
            Some(Containment::Group) => Ok(Self::Group),
            None => match Hierarchy::new(stack, helper.as_ref()) {
                Ok(hierarchy) => Ok(Self::Cgroup(hierarchy)),
                Err(_) => Ok(Self::Group),
            },
        }
    }
}
