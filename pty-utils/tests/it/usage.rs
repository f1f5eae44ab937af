//! What trees have used.
use crate::{
    marked::{all, whole},
    support::{PIPES, beside, read_until, sh},
};
use pty_utils::Child;
use std::time::Duration;

/// Takes some 100 ms of a processor in a child of the leader.
const BUSY: &str = "(i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done)";

#[test]
fn what_a_tree_uses_grows_and_is_known_until_the_release() {
    beside(async {
        for (containment, spawner) in all() {
            let script = format!("echo one; {BUSY}; echo two; exit");
            let child = spawner.spawn(sh(&script, PIPES)).await.unwrap();
            read_until(&child.outputs[0], "one").await;
            let first = child.tree.usage();
            read_until(&child.outputs[0], "two").await;
            child.leader.exited().await.unwrap();
            let last = child.tree.usage();
            assert!(first.user.unwrap() < last.user.unwrap(), "{containment}");
            assert!(
                last.user.unwrap() + last.system.unwrap() > Duration::from_millis(20),
                "{containment}: {last:?}"
            );
            // A shell is smaller than the tests, so that its peak cannot be told from theirs any more.
            assert!(first.max_rss_bytes.unwrap() > 100_000, "{containment}: {first:?}");
            assert_eq!(last.max_rss_bytes, None, "{containment}");
            let Child { leader, tree, .. } = child;
            assert_eq!(tree.usage(), last);
            assert!(tree.release(leader).await.is_none());
        }
    });
}

#[test]
fn who_left_the_session_counts_too() {
    beside(async {
        for (containment, spawner) in whole() {
            let script = format!("setsid sh -c '{BUSY}; echo done' & sleep 60");
            let child = spawner.spawn(sh(&script, PIPES)).await.unwrap();
            read_until(&child.outputs[0], "done").await;
            let usage = child.tree.usage();
            assert!(
                usage.user.unwrap() + usage.system.unwrap() > Duration::from_millis(20),
                "{containment}: {usage:?}"
            );
        }
    });
}
