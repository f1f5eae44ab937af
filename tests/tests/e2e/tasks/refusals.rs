//! Submissions that are refused, and one that is taken on and cannot be started.

use exec_protocol::process::EndReason;
use exec_protocol::task::TaskState;
use exec_protocol::{MAX_ARGUMENTS, MAX_CHOICES, MAX_IDS};
use exec_tests::{Peer, on_every_wire_with_tasks};
use serde_json::{Value, json};

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
            (json!({"argv": vec!["true"; MAX_ARGUMENTS]}), "invalidParams", Some("argv")),
            (json!({"argv": argv, "envPolicy": {"set": {"A": "a".repeat(1 << 20)}}}), "invalidParams", Some("envPolicy")),
        ] {
            let shown = params.to_string();
            let error = peer.refused("task/submit", params).await;
            assert_eq!(kind_and_field(&error), (kind, field), "{shown}: {error:?}");
        }
        let list = peer.call("task/list", json!({})).await;
        assert_eq!(list, json!({"records": [], "next": null}));
    }

    async fn lists_that_are_too_long_are_refused_by_each_method(peer: &mut Peer) {
        for (method, params, field) in [
            ("task/submit", json!({"argv": vec![""; MAX_ARGUMENTS + 1]}), "argv"),
            ("task/submit", json!({"command": "true", "retry": {"maxAttempts": 2, "on": vec!["failure"; MAX_CHOICES + 1]}}), "retry.on"),
            ("task/list", json!({"states": vec!["queued"; MAX_CHOICES + 1]}), "states"),
            ("task/list", json!({"labels": (0..=100).map(|n| (n.to_string(), json!(""))).collect::<Value>()}), "labels"),
            // Both say themselves that 1,000 are enough.
            ("task/wait", json!({"taskIds": vec!["t"; 1_001]}), "taskIds"),
            ("task/wait", json!({"taskIds": vec!["t"; MAX_IDS + 1]}), "taskIds"),
            ("task/ack", json!({"noticeIds": vec![1; 1_001]}), "noticeIds"),
            ("task/ack", json!({"noticeIds": vec![1; MAX_IDS + 1]}), "noticeIds"),
        ] {
            let error = peer.refused(method, params).await;
            assert_eq!(kind_and_field(&error), ("invalidParams", Some(field)), "{method}: {error:?}");
        }
    }

    /// What it has to match is known when it is started.
    async fn globs_that_could_take_too_long_are_why_a_task_is_not_started(peer: &mut Peer) {
        const LONG: usize = 8 << 10;
        let policy = json!({"set": {"n".repeat(LONG): ""}, "includeOnly": [format!("*{}", "n".repeat(LONG))]});
        let record = peer.run_task(json!({"taskId": "t", "argv": ["/bin/true"], "envPolicy": policy})).await;
        assert_eq!(end(&record), (TaskState::Failed, Some(EndReason::StartFailed), None));
        let failure = record.attempts[0].failure.as_ref().expect("it is told why");
        assert_eq!(failure.kind, "invalidParams");
        assert!(failure.message.contains("envPolicy.includeOnly"), "{failure:?}");
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
