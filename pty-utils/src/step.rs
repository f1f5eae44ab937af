//! The steps of a spawn, so that an error can say where it happened.
use crate::restrictions::Resource;
use std::fmt;

/// A step on the way from a command to a running child.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// Opening `/dev/null` or a pipe.
    OpenPipes,
    /// Opening a terminal.
    OpenTerminal,
    /// Preparing what holds the child's descendants together.
    Containment,
    /// Creating the child.
    Clone,
    /// Arranging that the child dies with this process.
    DeathSignal,
    /// Making the child the leader of a session and a group.
    Session,
    /// Connecting the standard streams.
    Streams,
    /// Making the terminal the controlling one.
    ControllingTerminal,
    /// Closing all other descriptors.
    CloseDescriptors,
    /// Entering the working directory.
    Cwd,
    /// Setting the permissions that new files do not get.
    Umask,
    /// Giving up the privileges that programs could bring.
    Privileges,
    /// Bounding what the child may use of this.
    Limit(Resource),
    /// Bounding what the child and its descendants may use together.
    TreeLimits,
    /// Resetting dispositions and the mask of signals.
    Signals,
    /// Starting the process that watches over the child's descendants.
    Supervisor,
    /// Finding and executing the program.
    Execute,
    /// Loading the program that was found.
    Load,
    /// Registering our ends with the runtime.
    Register,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self {
            Self::Limit(resource) => return write!(f, "limit {resource}"),
            Self::OpenPipes => "open the pipes",
            Self::OpenTerminal => "open a terminal",
            Self::Containment => "prepare the containment",
            Self::Clone => "create the process",
            Self::DeathSignal => "set the death signal",
            Self::Session => "start a session",
            Self::Streams => "connect the standard streams",
            Self::ControllingTerminal => "take the controlling terminal",
            Self::CloseDescriptors => "close inherited descriptors",
            Self::Cwd => "enter the working directory",
            Self::Umask => "set the umask",
            Self::Privileges => "give up privileges",
            Self::TreeLimits => "limit the tree",
            Self::Signals => "reset the signals",
            Self::Supervisor => "start the supervisor",
            Self::Execute => "execute the program",
            Self::Load => "load the program",
            Self::Register => "register with the runtime",
        };
        f.write_str(what)
    }
}
