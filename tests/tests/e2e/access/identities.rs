//! What belongs to whom.

use exec_tests::fixture;
use serde_json::{Value, json};

use super::signed::on_a_server_that_trusts;
use super::{Known, bearer, host};

#[tokio::test]
async fn a_session_is_resumed_by_whoever_opened_it() {
    on_a_server_that_trusts(&[], async |server, sign| {
        let headers =
            |name: &str| host(server) + &bearer(sign(&json!({"sub": name, "exp": 4_000_000_000_u64})));
        let mut alice = Known::newcomer(server.url(), &headers("alice")).await;
        let session = alice.call("initialize", &json!({})).await["result"]["sessionId"].clone();
        assert!(session.is_string());
        let resume = json!({"resumeSessionId": session});
        let mut mallory = Known::newcomer(server.url(), &headers("mallory")).await;
        let refused = mallory.call("initialize", &resume).await;
        // Not even that there is one.
        assert_eq!(refused["error"]["data"]["kind"], "unknownSession");
        // With another token of hers, once this one has expired.
        let mut again = Known::newcomer(server.url(), &headers("alice")).await;
        assert_eq!(
            again.call("initialize", &resume).await["result"]["sessionId"],
            session
        );
    })
    .await;
}

#[tokio::test]
async fn a_process_that_outlives_its_session_is_found_by_whoever_started_it() {
    on_a_server_that_trusts(&[], async |server, sign| {
        let headers =
            |name: &str| host(server) + &bearer(sign(&json!({"sub": name, "exp": 4_000_000_000_u64})));
        let mut alice = Known::connect(server.url(), &headers("alice")).await;
        let start = json!({"processId": "p", "argv": fixture::argv(["never-read"]), "onDisconnect": "keep"});
        let uid = alice.call("process/start", &start).await["result"]["uid"].clone();
        assert!(uid.is_string());
        alice.call("session/close", &Value::Null).await;
        let list = json!({"scope": "server"});
        let get = json!({"uid": uid});
        let mut mallory = Known::connect(server.url(), &headers("mallory")).await;
        assert_eq!(
            mallory.call("process/list", &list).await["result"]["records"],
            json!([])
        );
        let refused = mallory.call("process/get", &get).await;
        assert_eq!(refused["error"]["data"]["kind"], "unknownProcess");
        let ended = mallory.call("process/terminate", &get).await;
        assert_eq!(ended["result"]["running"], false, "it is not hers to end");
        let mut alice = Known::connect(server.url(), &headers("alice")).await;
        let records = &alice.call("process/list", &list).await["result"]["records"];
        assert_eq!(
            (&records[0]["uid"], &records[0]["state"]),
            (&uid, &json!("running"))
        );
        let ended = alice
            .call("process/terminate", &json!({"uid": uid, "graceMs": 0}))
            .await;
        assert_eq!(ended["result"]["running"], true);
    })
    .await;
}
