//! What a process may use at most, and what it may not do. Pure.

use exec_protocol::process::{ProcessLimits, StartParams, TreeLimits, Umask};
use pty_utils::{Controllers, Limit, Privileges, Resource, Restrictions, Strength};

use super::CommandError;

/// What holds for every process of this server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct HouseRules {
    /// Where a start does not say.
    pub(crate) umask: Option<Umask>,
    /// Whatever a start says.
    pub(crate) no_new_privs: bool,
    /// The soft limit of open files, where a start does not say. None: this program's.
    pub(crate) open_files: Option<u64>,
    /// Which limits of trees there can be.
    pub(crate) controllers: Controllers,
}

/// What a start asks for, within the rules of the house.
///
/// # Errors
///
/// [`CommandError::LimitsUnsupported`] for a limit that nobody could keep.
pub(super) fn restrictions(params: &StartParams, rules: HouseRules) -> Result<Restrictions, CommandError> {
    let limits = params.limits.unwrap_or_default();
    Ok(Restrictions {
        limits: of_each(limits, rules),
        tree: of_all(limits.tree.unwrap_or_default(), rules.controllers)?,
        umask: params.umask.or(rules.umask).map(|umask| umask.bits().into()),
        privileges: if params.no_new_privs || rules.no_new_privs {
            Privileges::NoNew
        } else {
            Privileges::Inherited
        },
    })
}

/// What each process of a tree may use for itself.
fn of_each(asked: ProcessLimits, rules: HouseRules) -> Vec<Limit> {
    let hard = [
        (Resource::CpuSeconds, asked.cpu_seconds),
        (Resource::MemoryBytes, asked.memory_bytes),
        (Resource::OpenFiles, asked.open_files),
        (Resource::Processes, asked.processes),
        (Resource::FileBytes, asked.file_bytes),
        (Resource::CoreBytes, asked.core_bytes),
    ];
    // A core dump has all that its process knew, and lies about in the working directory.
    let soft = [
        (
            Resource::OpenFiles,
            rules.open_files.filter(|_| asked.open_files.is_none()),
        ),
        (Resource::CoreBytes, asked.core_bytes.is_none().then_some(0)),
    ];
    let limit = |strength| {
        move |(resource, value): (_, Option<u64>)| {
            value.map(|value| Limit {
                resource,
                value,
                strength,
            })
        }
    };
    let hard = hard.into_iter().filter_map(limit(Strength::Hard));
    hard.chain(soft.into_iter().filter_map(limit(Strength::Soft)))
        .collect()
}

/// What the processes of a tree may use together.
fn of_all(asked: TreeLimits, controllers: Controllers) -> Result<pty_utils::TreeLimits, CommandError> {
    let limits = pty_utils::TreeLimits {
        memory_bytes: asked.memory_bytes,
        processes: asked.processes,
    };
    let unsupported = |field| Err(CommandError::LimitsUnsupported { field });
    match limits.needs() {
        needed if controllers.include(needed) => Ok(limits),
        needed if needed.memory && !controllers.memory => unsupported("limits.tree.memoryBytes"),
        _ => unsupported("limits.tree.processes"),
    }
}

#[cfg(test)]
mod tests {
    use exec_protocol::ProcessId;

    use super::*;

    fn asking(limits: ProcessLimits) -> StartParams {
        StartParams {
            limits: Some(limits),
            ..StartParams::new(ProcessId::new("p").unwrap(), ["true"])
        }
    }

    fn plain() -> StartParams {
        asking(ProcessLimits::default())
    }

    fn limit(resource: Resource, value: u64, strength: Strength) -> Limit {
        Limit {
            resource,
            value,
            strength,
        }
    }

    #[test]
    fn what_is_not_asked_for_is_the_houses() {
        let rules = HouseRules {
            umask: Some("077".parse().unwrap()),
            open_files: Some(1_024),
            ..HouseRules::default()
        };
        let found = restrictions(&plain(), rules).unwrap();
        assert_eq!(
            found.limits,
            [
                limit(Resource::OpenFiles, 1_024, Strength::Soft),
                limit(Resource::CoreBytes, 0, Strength::Soft)
            ]
        );
        assert_eq!(
            (found.umask, found.privileges),
            (Some(0o77), Privileges::Inherited)
        );
        let asked = StartParams {
            umask: Some("0".parse().unwrap()),
            ..asking(ProcessLimits {
                open_files: Some(7),
                core_bytes: Some(8),
                ..ProcessLimits::default()
            })
        };
        let found = restrictions(&asked, rules).unwrap();
        assert_eq!(
            found.limits,
            [
                limit(Resource::OpenFiles, 7, Strength::Hard),
                limit(Resource::CoreBytes, 8, Strength::Hard)
            ]
        );
        assert_eq!(found.umask, Some(0));
    }

    #[test]
    fn privileges_are_given_up_if_either_wants_it() {
        for (asks, has_rule, privileges) in [
            (false, false, Privileges::Inherited),
            (true, false, Privileges::NoNew),
            (false, true, Privileges::NoNew),
            (true, true, Privileges::NoNew),
        ] {
            let params = StartParams {
                no_new_privs: asks,
                ..plain()
            };
            let rules = HouseRules {
                no_new_privs: has_rule,
                ..HouseRules::default()
            };
            assert_eq!(restrictions(&params, rules).unwrap().privileges, privileges);
        }
    }

    #[test]
    fn a_limit_of_a_tree_is_refused_by_its_name_unless_there_is_a_controller() {
        let [memory, processes] = ["limits.tree.memoryBytes", "limits.tree.processes"];
        let controllers = |memory, processes| Controllers { memory, processes };
        for (memory_bytes, of_processes, has, refused) in [
            (None, None, controllers(false, false), None),
            (Some(1), Some(1), controllers(true, true), None),
            (Some(1), Some(1), controllers(false, false), Some(memory)),
            (Some(1), Some(1), controllers(true, false), Some(processes)),
            (Some(1), None, controllers(false, true), Some(memory)),
            (None, Some(1), controllers(true, false), Some(processes)),
            (None, Some(1), controllers(false, true), None),
        ] {
            let params = asking(ProcessLimits {
                tree: Some(TreeLimits {
                    memory_bytes,
                    processes: of_processes,
                }),
                ..ProcessLimits::default()
            });
            let rules = HouseRules {
                controllers: has,
                ..HouseRules::default()
            };
            let found = restrictions(&params, rules).err();
            assert_eq!(
                found,
                refused.map(|field| CommandError::LimitsUnsupported { field })
            );
        }
    }
}
