//! What a server tells of itself.

use exec_protocol::SessionId;
use exec_protocol::initialize::{Capabilities, InitializeResult, ServerInfo};

use super::Server;

impl Server {
    /// Which server this is.
    pub(crate) fn identity() -> ServerInfo {
        ServerInfo {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// What `initialize` answers.
    pub(crate) fn introduction(&self, session_id: &SessionId) -> InitializeResult {
        let controllers = self.0.spawner.controllers();
        InitializeResult {
            session_id: session_id.clone(),
            environment_info: self.environment_info().clone(),
            server_info: Some(Self::identity()),
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
                keep: self.config().keep,
                cancel: true,
                session_close: true,
                server_stats: true,
                wait: true,
                files: true,
                tasks: self.background().is_some(),
                // Elsewhere a child has no way to them, and they are refused.
                process_limits: cfg!(target_os = "linux"),
                umask: cfg!(target_os = "linux"),
                no_new_privs: cfg!(target_os = "linux"),
                tree_memory_limit: controllers.memory,
                tree_processes_limit: controllers.processes,
            },
            limits: Some(self.config().limits()),
            containment: Some(self.containment()),
        }
    }
}
