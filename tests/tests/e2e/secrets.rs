//! Processes see no secret of the server that they run under, even if they are the same user.

mod descriptors;
mod environment;
mod server;

use exec_protocol::process::Containment;

/// The ways in which an ordinary user's processes are held together.
const WAYS: [Containment; 2] = [Containment::Supervisor, Containment::Group];

fn name(containment: Containment) -> &'static str {
    match containment {
        Containment::Cgroup => "cgroup",
        Containment::Supervisor => "supervisor",
        Containment::Group => "group",
    }
}
