//! Nothing is left behind.
use crate::support::{PIPES, TERMINAL, alone, children, command, end, open_descriptors};
use pty_utils::{ExitStatus, Spawner};

#[test]
fn a_thousand_children_leave_no_descriptor_and_no_zombie() {
    alone(async {
        let spawner = Spawner::new().unwrap();
        end(spawner.spawn(command(&["true"], PIPES)).await.unwrap()).await;
        let before = open_descriptors();
        for round in 0..1000 {
            let streams = if round % 2 == 0 { PIPES } else { TERMINAL };
            let child = spawner.spawn(command(&["true"], streams)).await.unwrap();
            assert_eq!(end(child).await.status, ExitStatus::Code(0));
        }
        assert_eq!(open_descriptors(), before);
        assert_eq!(children(), Vec::<u32>::new());
    });
}

#[test]
fn a_failed_start_leaves_no_descriptor_and_no_zombie() {
    alone(async {
        let spawner = Spawner::new().unwrap();
        let before = open_descriptors();
        for streams in [PIPES, TERMINAL] {
            for _ in 0..50 {
                spawner.spawn(command(&["/no/such"], streams)).await.unwrap_err();
            }
        }
        assert_eq!(open_descriptors(), before);
        assert_eq!(children(), Vec::<u32>::new());
    });
}
