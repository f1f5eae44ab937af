//! Submissions that are refused, and one that is taken on and cannot be started.

use exec_protocol::process::EndReason;
use exec_protocol::task::TaskState;
use exec_tests::{Peer, on_every_wire_with_tasks};
use serde_json::json;

use super::{end, kind_and_field, task};

on_every_wire_with_tasks! {
    async fn params_that_can_never_run_are_refused_and_leave_nothing(peer: &mut Peer) {
        let argv = json!(["/bin/true"]);
        let long = "x".repeat(65);
        for (params, kind, field) in [
            (json!({}), "invalidParams", Some("command")),
            (json!({"command": "true", "argv": argv}), "invalidParams", Some("command")),
            (json!({"argv": []}), "emptyArgv", Some("argv")),
            (json!({"argv": [""]}), "emptyArgv", Some("argv")),
            (json!({"argv": argv, "taskId": ""}), "invalidParams", Some("taskId")),
            (json!({"argv": argv, "taskId": "../x"}), "invalidParams", Some("taskId")),
            (json!({"argv": argv, "taskId": "-x"}), "invalidParams", Some("taskId")),
            (json!({"argv": argv, "taskId": long}), "invalidParams", Some("taskId")),
            (json!({"argv": argv, "timeoutMs": 0}), "invalidParams", Some("timeoutMs")),
            (json!({"argv": argv, "idleTimeoutMs": 0}), "invalidParams", Some("idleTimeoutMs")),
            (json!({"argv": argv, "size": {"rows": 1, "cols": 1}}), "invalidParams", Some("size")),
            (json!({"argv": argv, "retry": {"maxAttempts": 0, "on": ["failure"]}}), "invalidParams", Some("retry.maxAttempts")),
            (json!({"argv": argv, "retry": {"maxAttempts": 1001, "on": ["failure"]}}), "invalidParams", Some("retry.maxAttempts")),
            (json!({"argv": argv, "retry": {"maxAttempts": 2, "on": []}}), "invalidParams", Some("retry.on")),
            (json!({"argv": argv, "title": "t".repeat(5_000)}), "invalidParams", Some("title")),
        ] {
            let shown = params.to_string();
            let error = peer.refused("task/submit", params).await;
            assert_eq!(kind_and_field(&error), (kind, field), "{shown}: {error:?}");
        }
        let list = peer.call("task/list", json!({})).await;
        assert_eq!(list, json!({"records": [], "next": null}));
    }

    async fn members_of_another_type_are_refused(peer: &mut Peer) {
        for (member, value) in [
            ("argv", json!("true")),
            ("env", json!({"A": 1})),
            ("lane", json!("l".repeat(257))),
            ("group", json!("g".repeat(257))),
            ("priority", json!(1.5)),
            ("onOutputLimit", json!("wait")),
            ("retry", json!({"maxAttempts": 1, "on": ["always"]})),
            ("notBefore", json!(-1)),
            ("cwd", json!("not/absolute")),
        ] {
            let mut params = json!({"command": "true"});
            params[member] = value;
            let shown = params.to_string();
            let error = peer.refused("task/submit", params).await;
            assert_eq!(error.code, -32602, "{shown}: {error:?}");
        }
    }

    async fn a_program_that_is_not_there_is_a_failed_task(peer: &mut Peer) {
        let record = peer.run_task(json!({"taskId": "t", "argv": ["/no/such/program"]})).await;
        assert_eq!(end(&record), (TaskState::Failed, Some(EndReason::StartFailed), None));
        let [attempt] = &record.attempts[..] else { panic!("{record:?}") };
        let failure = attempt.failure.as_ref().expect("it is told why");
        assert_eq!(failure.kind, "programNotFound");
        assert!(failure.message.contains("/no/such/program"), "{failure:?}");
        assert_eq!((&attempt.uid, attempt.pid, attempt.state), (&None, None, TaskState::Failed));
        assert_eq!(peer.task_output("t").await, b"");
        let notices = peer.call("task/notices", json!({})).await;
        let summary = notices["notices"][0]["summary"].as_str().unwrap();
        assert!(summary.starts_with("/no/such/program could not be started: "), "{summary}");
    }

    async fn each_reason_not_to_start_has_its_kind(peer: &mut Peer) {
        for (id, params, kind) in [
            ("directory", json!({"argv": ["/"]}), "notExecutable"),
            ("cwd", json!({"argv": ["/bin/true"], "cwd": "/no/such"}), "cwdNotFound"),
        ] {
            let mut params = params;
            params["taskId"] = json!(id);
            let record = peer.run_task(params).await;
            let failure = record.attempts[0].failure.as_ref().expect("it is told why");
            assert_eq!((failure.kind.as_str(), record.state), (kind, TaskState::Failed), "{id}");
        }
        // It holds no place of its lane.
        peer.run_task(task("after", ["exit", "0"])).await;
        let lanes = peer.call("task/lanes", json!({})).await;
        assert_eq!((&lanes["lanes"][0]["running"], &lanes["lanes"][0]["queued"]), (&json!(0), &json!(0)));
    }
}
