//! Who keeps the end of output away.
use crate::support::{PIPES, TERMINAL, beside, end, read_until, sh};
use pty_utils::{Holder, HoldersQuery, Signal, Spawner};

fn all(query: HoldersQuery) -> Vec<Holder> {
    let mut holders = Vec::new();
    query.run(|holder| holders.push(holder)).unwrap();
    holders
}

#[test]
fn the_holder_of_an_output_is_named() {
    beside(async {
        for streams in [PIPES, TERMINAL] {
            let spawner = Spawner::new().unwrap();
            // A terminal that loses its leader hangs up on the others, unless they do not mind.
            let script = "trap '' HUP; sleep 61 >&2 2>/dev/null & sleep 62 & echo $!.";
            let child = spawner.spawn(sh(script, streams)).await.unwrap();
            let text = read_until(&child.outputs[0], ".").await;
            let pid = text.trim().trim_end_matches('.').parse().unwrap();
            child.leader.exited().await.unwrap();
            let holders = loop {
                let query = child.outputs[0].holders();
                let holders = std::thread::spawn(|| all(query)).join().unwrap();
                // It is the shell until it has executed the program.
                if holders.iter().any(|holder| holder.command == "sleep 62") {
                    break holders;
                }
                tokio::task::yield_now().await;
            };
            let holder = holders
                .iter()
                .find(|holder| holder.command == "sleep 62")
                .unwrap();
            assert_eq!(holder.pid, pid, "{holders:?}");
            assert!(holders.iter().all(|holder| holder.pid != std::process::id()));
            child.leader.signal_group(Signal::Kill).unwrap();
            let output = child.outputs[0].holders();
            end(child).await;
            assert_eq!(all(output), []);
        }
    });
}
