//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::blocking_loop::LoopMode;
use crate::child::ChildMode;
use crate::command_line::{CommandLine, ServerSpec};
use crate::figure::Figure;
use crate::figures::FIGURES;
use crate::wire::Wire;

/// Measures servers that speak the core wire, beside each other and beside what the machine can do.
///
/// The servers are measured in turns, so that all of them see the same noise, each run with a server of its
/// own. A number is the median of the runs, with its spread, and its ratio to the floors and to the other
/// servers.
#[derive(Debug, Parser)]
#[command(name = "exec-bench", args_conflicts_with_subcommands = true, after_long_help = figures_help())]
pub(crate) struct Cli {
    /// A server, for example `ours=target/release/exec-server --listen {listen}`. May be given several times.
    ///
    /// The command is split as by a shell and may begin with VAR=VALUE words. {listen} becomes `stdio` or
    /// `ws://127.0.0.1:0`. Name the program itself and no script around it: processor time and memory are
    /// those of this process.
    #[arg(long = "server", value_name = "NAME=COMMAND")]
    pub(crate) servers: Vec<ServerSpec>,

    /// The same for a single server, which is then called `server`.
    #[arg(long, value_name = "COMMAND", conflicts_with = "servers")]
    pub(crate) cmd: Option<CommandLine>,

    /// The wires to measure; by default both.
    #[arg(long = "wire", value_enum, value_delimiter = ',')]
    pub(crate) wires: Vec<Wire>,

    /// Only figures whose name begins like one of these.
    #[arg(long, value_delimiter = ',', value_name = "FIGURE")]
    pub(crate) only: Vec<String>,

    /// Runs of each figure, for each server and floor [default: 5, or 1 with --quick].
    #[arg(long)]
    pub(crate) runs: Option<u32>,

    /// Small sizes: to see that everything works, not for figures that mean something.
    #[arg(long)]
    pub(crate) quick: bool,

    /// MiB of output that are pushed or pulled [default: 256, or 16 with --quick].
    #[arg(long, value_name = "N")]
    pub(crate) output_mib: Option<u64>,

    /// How long a slow reader does not read [default: 3, or 0.3 with --quick].
    #[arg(long, value_name = "N")]
    pub(crate) slow_reader_seconds: Option<u64>,

    /// When a run that has not ended is given up, and its server killed.
    #[arg(long, value_name = "N", default_value_t = 60)]
    pub(crate) deadline_seconds: u64,

    /// How long a run may be put off, or done again, because others use more than a tenth of a core.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) patience_seconds: u64,

    /// Everything that was measured, as JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,

    /// Fail if a server lost output, died or took too long.
    #[arg(long)]
    pub(crate) strict: bool,

    /// What this program does when it starts itself.
    #[command(subcommand)]
    pub(crate) mode: Option<Mode>,
}

/// What this program does when it starts itself.
#[derive(Debug, Subcommand)]
pub(crate) enum Mode {
    /// A command under test.
    #[command(subcommand, hide = true)]
    Child(ChildMode),
    /// The blocking read, encode and write loop.
    #[command(hide = true)]
    Loop(LoopMode),
}

impl Cli {
    /// The servers, whichever way they were given.
    pub(crate) fn servers(&self) -> Vec<ServerSpec> {
        let single = self.cmd.iter().map(|command| ServerSpec {
            name: "server".to_owned(),
            command: command.clone(),
        });
        self.servers.iter().cloned().chain(single).collect()
    }

    /// The wires, in the order of the tables.
    pub(crate) fn wires(&self) -> Vec<Wire> {
        let mut wires = self.wires.clone();
        if wires.is_empty() {
            wires = vec![Wire::Stdio, Wire::Websocket];
        }
        wires.sort_unstable();
        wires.dedup();
        wires
    }
}

fn figures_help() -> String {
    let line = |figure: &Figure| format!("  {:12} {}", figure.name, figure.about);
    let lines: Vec<String> = FIGURES.iter().map(line).collect();
    format!(
        "Figures:
{}",
        lines.join(
            "
"
        )
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_single_server_has_a_name_too() {
        let cli = Cli::parse_from(["exec-bench", "--cmd", "prog {listen}"]);
        assert_eq!(cli.servers()[0].name, "server");
        assert_eq!(cli.wires(), [Wire::Stdio, Wire::Websocket]);
    }

    #[test]
    fn wires_and_figures_may_be_listed() {
        let cli = Cli::parse_from([
            "exec-bench",
            "--cmd",
            "p",
            "--wire",
            "websocket",
            "--only",
            "push,echo-pty",
        ]);
        assert_eq!(cli.wires(), [Wire::Websocket]);
        assert_eq!(cli.only, ["push", "echo-pty"]);
    }
}
