//! The start of a process.

use exec_protocol::process::{
    EnvPolicy, Inherit, OnDisconnect, OnSlowClient, ProcessLimits, Size, Start, StartParams, StartResult,
    TreeLimits,
};
use exec_protocol::{Group, ProcessId, StartKey};

use crate::file::method;
use crate::{path, process, strings, uid, variables};

pub(crate) fn start() -> &'static str {
    let plain = StartParams::new(process(), ["true"]);
    let full = StartParams {
        process_id: ProcessId::new("p \"1\"").unwrap(),
        argv: strings(&["/bin/sh", "-c", "echo ü"]),
        cwd: Some(path("/srv/a b")),
        env: variables(&[("A", "1"), ("B", "x=y")]),
        env_policy: Some(EnvPolicy {
            inherit: Inherit::Core,
            ignore_default_excludes: true,
            exclude: strings(&["AWS_*"]),
            set: variables(&[("C", "2")]),
            include_only: strings(&["A", "C"]),
        }),
        tty: true,
        pipe_stdin: true,
        arg0: Some("-sh".into()),
        size: Some(Size::new(50, 132).unwrap()),
        retain_bytes: Some(65_536),
        on_slow_client: Some(OnSlowClient::Block),
        on_disconnect: Some(OnDisconnect::Keep),
        timeout_ms: Some(60_000),
        idle_timeout_ms: Some(5_000),
        grace_ms: Some(0),
        drain_grace_ms: Some(250),
        limits: None,
        umask: None,
        no_new_privs: false,
        start_key: Some(StartKey::new("k1").unwrap()),
        title: Some("build \"all\"".into()),
        group: Some(Group::new("g").unwrap()),
        labels: variables(&[("ci", "1"), ("job", "x=y")]),
        sandbox: Some(serde_json::json!({"type": "strict"})),
        enforce_managed_network: true,
        managed_network: Some(serde_json::json!({"port": 1})),
        metadata: Some(serde_json::json!({"note": [1, 2.5, null]})),
    };
    let empty = StartParams {
        env_policy: Some(EnvPolicy::default()),
        ..StartParams::new(ProcessId::new("").unwrap(), [""; 0])
    };
    let nothing_inherited = StartParams {
        env_policy: Some(EnvPolicy {
            inherit: Inherit::None,
            ..EnvPolicy::default()
        }),
        on_slow_client: Some(OnSlowClient::Skip),
        on_disconnect: Some(OnDisconnect::Kill),
        ..plain.clone()
    };
    let attached = StartParams {
        on_disconnect: Some(OnDisconnect::Session),
        ..plain.clone()
    };
    let limited = StartParams {
        limits: Some(ProcessLimits {
            cpu_seconds: Some(60),
            memory_bytes: Some(1 << 32),
            open_files: Some(1_024),
            processes: Some(500),
            file_bytes: Some(1 << 30),
            core_bytes: Some(0),
            tree: Some(TreeLimits {
                memory_bytes: Some(1 << 31),
                processes: Some(100),
            }),
        }),
        umask: Some("077".parse().unwrap()),
        no_new_privs: true,
        ..plain.clone()
    };
    let unlimited = StartParams {
        limits: Some(ProcessLimits {
            tree: Some(TreeLimits::default()),
            ..ProcessLimits::default()
        }),
        ..plain.clone()
    };
    let core_only = StartResult {
        process_id: full.process_id.clone(),
        sandbox_type: "none".into(),
        uid: None,
        pid: None,
        started_at_ms: None,
    };
    let named = StartResult {
        uid: Some(uid()),
        pid: Some(4_194_304),
        started_at_ms: Some(1_763_700_000_000),
        ..core_only.clone()
    };
    let params = [
        plain,
        full,
        empty,
        nothing_inherited,
        attached,
        limited,
        unlimited,
    ];
    method::<Start>(&params, &[core_only, named])
}
