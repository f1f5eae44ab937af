//! A server with something to do says that it is alive.

use exec_tests::Wire;
use exec_tests::wait::until;

use super::{StateDir, get, script, submit, was_lost};

/// When the server of this task said last that it is alive, to the database.
fn last_seen_ms(state: &StateDir, incarnation: &str) -> u64 {
    let sql = "SELECT last_seen_ms FROM servers WHERE incarnation = ?1";
    let seen: i64 = state
        .open_database()
        .query_row(sql, [incarnation], |row| row.get(0))
        .unwrap();
    u64::try_from(seen).unwrap()
}

/// Waits until a server says again that it is alive.
async fn says_so_again(state: &StateDir, incarnation: &str) {
    let before = last_seen_ms(state, incarnation);
    until("it says again that it is alive", || {
        last_seen_ms(state, incarnation) > before
    })
    .await;
}

#[tokio::test]
async fn it_moves_on_while_a_task_runs_and_stands_still_when_its_server_is_dead() {
    let state = StateDir::new();
    let server = state.server(Wire::Websocket).await;
    let mut peer = server.session().await;
    submit(&mut peer, script("t", "exec sleep 1000")).await;
    let first = get(&mut peer, "t").await.server;
    says_so_again(&state, &first.incarnation).await;
    let second = get(&mut peer, "t").await.server;
    assert!(second.last_seen_ms > first.last_seen_ms, "who answers is alive");
    server.crash().await;
    peer.hang_up();
    let at_crash = last_seen_ms(&state, &first.incarnation);

    let server = state.server(Wire::Websocket).await;
    let mut peer = server.session().await;
    let record = get(&mut peer, "t").await;
    assert!(was_lost(&record), "{record:?}");
    assert_eq!(record.server.incarnation, first.incarnation);
    assert_eq!(record.server.last_seen_ms, at_crash);
    submit(&mut peer, script("u", "exec sleep 1000")).await;
    let ours = get(&mut peer, "u").await.server;
    assert_ne!(ours.incarnation, first.incarnation);
    says_so_again(&state, &ours.incarnation).await;
    assert_eq!(get(&mut peer, "t").await.server.last_seen_ms, at_crash);
    peer.finish().await;
    server.finish().await;
}
