//! Whom a message is about.

use crate::{ProcessId, Uid};

/// A process, by one of its two names. On the wire it is `processId` or `uid`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Target {
    /// By the client's name, which counts in its session only.
    Name(ProcessId),
    /// By the server's name, which finds a process that outlives its session from any other.
    Uid(Uid),
}

impl From<ProcessId> for Target {
    fn from(name: ProcessId) -> Self {
        Self::Name(name)
    }
}

impl From<Uid> for Target {
    fn from(uid: Uid) -> Self {
        Self::Uid(uid)
    }
}

/// Why it is not clear whom params are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TargetError {
    /// Neither name was given. In serde's words, as of any other member.
    #[error("missing field `processId`")]
    Missing,
    /// Both names were given.
    #[error("processId and uid exclude each other")]
    Both,
}

impl Target {
    pub(super) fn of_members(name: Option<ProcessId>, uid: Option<Uid>) -> Result<Self, TargetError> {
        match (name, uid) {
            (Some(name), None) => Ok(Self::Name(name)),
            (None, Some(uid)) => Ok(Self::Uid(uid)),
            (None, None) => Err(TargetError::Missing),
            (Some(_), Some(_)) => Err(TargetError::Both),
        }
    }

    pub(super) fn into_members(self) -> (Option<ProcessId>, Option<Uid>) {
        match self {
            Self::Name(name) => (Some(name), None),
            Self::Uid(uid) => (None, Some(uid)),
        }
    }
}

/// Declares params about one process, and how they stand on the wire: there `process` is two members.
///
/// Serde's `flatten` could do that too, but it buffers every member, the bytes of a write among them, and
/// no longer knows which one was wrong.
macro_rules! about_one_process {
    (
        $(#[$of_params:meta])*
        pub struct $params:ident {
            $(#[$of_process:meta])*
            pub process: Target,
            $(
                $(#[doc = $doc:literal])*
                $(#[serde($($serde:tt)*)])*
                pub $member:ident: $type:ty,
            )*
        }
    ) => {
        $(#[$of_params])*
        #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "Members", into = "Members")]
        pub struct $params {
            $(#[$of_process])*
            pub process: Target,
            $(
                $(#[doc = $doc])*
                pub $member: $type,
            )*
        }

        #[derive(serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Members {
            #[serde(skip_serializing_if = "Option::is_none")]
            process_id: Option<crate::ProcessId>,
            #[serde(skip_serializing_if = "Option::is_none")]
            uid: Option<crate::Uid>,
            $(
                $(#[serde($($serde)*)])*
                $member: $type,
            )*
        }

        impl TryFrom<Members> for $params {
            type Error = super::target::TargetError;

            fn try_from(members: Members) -> Result<Self, Self::Error> {
                Ok(Self {
                    process: Target::of_members(members.process_id, members.uid)?,
                    $($member: members.$member,)*
                })
            }
        }

        impl From<$params> for Members {
            fn from(params: $params) -> Self {
                let (process_id, uid) = params.process.into_members();
                Self {
                    process_id,
                    uid,
                    $($member: params.$member,)*
                }
            }
        }
    };
}

pub(super) use about_one_process;
