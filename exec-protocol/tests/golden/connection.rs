//! What is said of a connection and its session.

use exec_protocol::environment::{
    EnvironmentCapabilities, EnvironmentInfo, EnvironmentStatus, Info, Readiness, Shell, Status,
};
use exec_protocol::initialize::{
    Capabilities, Initialize, InitializeParams, InitializeResult, Limits, Notifications, ServerInfo,
};
use exec_protocol::process::Containment;
use exec_protocol::session::Close;
use exec_protocol::{
    CancelParams, CancelRequest, Empty, ErrorKind, LimitReached, RpcError, SessionId, parse_params,
};

use crate::file::{method, notice};
use crate::path;

pub(crate) fn initialize() -> &'static str {
    let session_id = SessionId::new("3f6c").unwrap();
    let params = |resume_session_id, notifications| InitializeParams {
        client_name: "golden".into(),
        resume_session_id,
        notifications,
    };
    let full = InitializeResult {
        session_id: session_id.clone(),
        environment_info: this_machine(),
        server_info: Some(ServerInfo {
            name: "exec-server".into(),
            version: "0.1.0".into(),
        }),
        capabilities: Capabilities {
            close_stdin: true,
            resize: true,
            initial_size: true,
            write_eof: true,
            signal_delivered: true,
            offsets: true,
            slow_client: true,
            retain_bytes: true,
            ack: true,
            notifications: true,
            grace: true,
            timeouts: true,
            drain_grace: true,
            records: true,
            uids: true,
            start_key: true,
            write_offset: true,
            on_disconnect: true,
            keep: true,
            cancel: true,
            session_close: true,
            server_stats: true,
            wait: true,
            files: true,
            tasks: true,
            process_limits: true,
            umask: true,
            no_new_privs: true,
            tree_memory_limit: true,
            tree_processes_limit: true,
        },
        limits: Some(limits()),
        containment: Some(Containment::Cgroup),
    };
    let core_only = InitializeResult {
        session_id: session_id.clone(),
        environment_info: EnvironmentInfo {
            shell: Shell {
                name: "sh".into(),
                path: "/bin/sh".into(),
            },
            cwd: path("/"),
            user_home_dir: None,
            platform_os: String::new(),
            temp_dir: None,
            capabilities: EnvironmentCapabilities::default(),
        },
        server_info: None,
        capabilities: Capabilities::default(),
        limits: None,
        containment: None,
    };
    let [supervised, grouped] =
        [Containment::Supervisor, Containment::Group].map(|containment| InitializeResult {
            containment: Some(containment),
            ..core_only.clone()
        });
    let params = [
        params(None, Notifications::All),
        params(Some(session_id), Notifications::Lifecycle),
        params(None, Notifications::None),
    ];
    method::<Initialize>(&params, &[full, core_only, supervised, grouped])
}

pub(crate) fn environment_info() -> &'static str {
    assert_eq!(parse_params(None), Ok(Empty {}), "params may be absent");
    method::<Info>(&[Empty {}], &[this_machine()])
}

pub(crate) fn environment_status() -> &'static str {
    let ready = EnvironmentStatus {
        status: Readiness::Ready,
    };
    method::<Status>(&[Empty {}], &[ready])
}

/// An id is repeated with the characters it was sent with, whatever they are.
pub(crate) fn cancel_request() -> &'static str {
    let params = ["7", "-0", "1.50e3", r#""7""#, r#""a\u00fc \"1\"""#, r#""""#].map(|id| {
        let id = serde_json::from_str(id).unwrap();
        CancelParams { id }
    });
    for id in ["null", "true", "[7]", r#"{"id":7}"#] {
        parse_params::<CancelParams>(Some(&format!(r#"{{"id":{id}}}"#))).expect_err(id);
    }
    parse_params::<CancelParams>(None).expect_err("no id");
    notice::<CancelRequest>(&params)
}

pub(crate) fn close_session() -> &'static str {
    method::<Close>(&[Empty {}], &[Empty {}])
}

#[test]
fn a_limit_that_was_reached_has_the_name_that_it_has_in_initialize() {
    let told = serde_json::to_value(limits()).unwrap();
    for (limit, name) in [
        (LimitReached::Sessions, "sessions"),
        (LimitReached::Processes, "processes"),
        (LimitReached::ProcessesPerSession, "processesPerSession"),
        (LimitReached::OutputMemoryBytes, "outputMemoryBytes"),
        (LimitReached::StdinQueueBytes, "stdinQueueBytes"),
        (LimitReached::FileHandles, "fileHandles"),
        (LimitReached::FileHandlesTotal, "fileHandlesTotal"),
    ] {
        let error = RpcError::new(ErrorKind::MemoryLimit, "no more").with_limit(limit);
        let text = serde_json::to_string(&error).unwrap();
        let data = format!(r#"{{"kind":"memoryLimit","limit":"{name}"}}"#);
        assert_eq!(
            text,
            format!(r#"{{"code":-32603,"message":"no more","data":{data}}}"#)
        );
        assert_eq!(serde_json::from_str::<RpcError>(&text).unwrap(), error);
        assert!(told[name].is_u64(), "{name}");
    }
    let newer = r#"{"code":-32603,"message":"","data":{"kind":"memoryLimit","limit":"ofTomorrow"}}"#;
    let error: RpcError = serde_json::from_str(newer).unwrap();
    assert_eq!(
        (error.kind(), error.data.limit),
        (Some(ErrorKind::MemoryLimit), Some(LimitReached::Other))
    );
}

/// Each has a number of its own, so that none can stand for another.
fn limits() -> Limits {
    Limits {
        message_bytes: 1,
        batch_elements: 2,
        message_depth: 3,
        id_bytes: 4,
        requests_in_flight: 5,
        stdin_queue_bytes: 6,
        write_ids: 7,
        retain_bytes: 8,
        read_wait_ms: 9,
        read_bytes: 10,
        terminate_grace_ms: 11,
        retain_ended_ms: 12,
        detached_session_ms: 13,
        processes: 14,
        ended_processes: 15,
        sessions: 16,
        connections: 17,
        output_memory_bytes: 18,
        ping_after_ms: 22,
        silent_peer_ms: 23,
        wait_processes: 24,
        pattern_bytes: 25,
        file_bytes: 26,
        file_block_bytes: 27,
        file_handles: 28,
        walk_depth: 29,
        walk_directories: 30,
        walk_entries: 31,
        task_output_bytes: Some(32),
        task_storage_bytes: Some(33),
        expired_processes: 19,
        retain_expired_ms: 20,
        record_bytes: 21,
        processes_per_session: 34,
        file_handles_total: 35,
        arguments: 36,
        names: 37,
        labels: 38,
        globs: 39,
        glob_steps: 40,
        path_bytes: 41,
        control_frames: 42,
        control_frames_per_second: 43,
        fragment_head_bytes: 44,
    }
}

fn this_machine() -> EnvironmentInfo {
    EnvironmentInfo {
        shell: Shell {
            name: "bash".into(),
            path: "/bin/bash".into(),
        },
        cwd: path("/srv/a b"),
        user_home_dir: Some(path("/home/u")),
        platform_os: "linux".into(),
        temp_dir: Some(path("/tmp")),
        capabilities: EnvironmentCapabilities {
            file_write_streaming: true,
        },
    }
}
