//! Which tasks a command is about, where they are not named one by one.

use clap::Args;
use exec_protocol::Group;
use exec_protocol::task::Scope;

/// A group, a parent, or both.
#[derive(Debug, Clone, Args)]
pub(super) struct ScopeArgs {
    /// Tasks of this group
    #[arg(long, value_name = "GROUP", value_parser = Group::new)]
    pub(super) group: Option<Group>,
    /// Tasks of this parent
    #[arg(long, value_name = "PARENT", value_parser = Group::new)]
    pub(super) parent: Option<Group>,
}

impl From<ScopeArgs> for Scope {
    fn from(ScopeArgs { group, parent }: ScopeArgs) -> Self {
        Self { group, parent }
    }
}
