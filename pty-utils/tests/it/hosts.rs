//! What becomes of trees when the process that started them is killed.
use crate::{
    keepers,
    leaks::group_directories,
    marked::{CHAIN, GETAWAYS, HELPER, Marker, whole},
    support::{beside, send, state, until},
};
use pty_utils::Containment;
use rustix::process::Signal;
use std::{
    io::Read,
    process::{Child, Command, Stdio},
};

#[test]
fn when_the_host_is_killed_nobody_is_left() {
    beside(async {
        for (containment, _spawner) in whole() {
            for script in [GETAWAYS[2].1, GETAWAYS[3].1, CHAIN] {
                let marker = Marker::new();
                let host = start(containment, &marker, script).await;
                assert!(!marker.living().is_empty(), "{containment}");
                kill(host, &marker).await;
            }
        }
    });
}

#[test]
fn when_the_host_is_killed_a_stopped_helper_goes_on() {
    beside(async {
        for (containment, _spawner) in whole() {
            let marker = Marker::new();
            let script = match containment {
                Containment::Supervisor => "setsid sleep 60 & kill -STOP $PPID; echo ready; exec sleep 60",
                Containment::Cgroup | Containment::Group => "setsid sleep 60 & echo ready; exec sleep 60",
            };
            let host = start(containment, &marker, script).await;
            for keeper in keepers::of_groups(&format!("exec-server-{}-", host.id())) {
                send(keeper, Signal::STOP);
                until(|| state(keeper) == Some('T')).await;
            }
            kill(host, &marker).await;
        }
    });
}

/// Starts a host, and waits until its child is `ready`.
async fn start(containment: Containment, marker: &Marker, script: &str) -> Child {
    let mut host = Command::new(HELPER)
        .args([containment.as_str(), marker.as_str(), script])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // It ends when the host does, or says `ready`.
    let mut said = [0; 6];
    let mut stdout = host.stdout.take().unwrap();
    let reading = std::thread::spawn(move || stdout.read_exact(&mut said));
    until(|| reading.is_finished()).await;
    reading.join().unwrap().unwrap();
    host
}

/// Kills a host, and waits, within the time that a test has, until it has left nothing.
async fn kill(mut host: Child, marker: &Marker) {
    host.kill().unwrap();
    host.wait().unwrap();
    let prefix = format!("exec-server-{}-", host.id());
    let has_directory = || group_directories().iter().any(|name| name.starts_with(&prefix));
    // No helper is left either.
    until(|| marker.living().is_empty() && !has_directory()).await;
}
