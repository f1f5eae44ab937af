//! `exec-server completions`: what a shell has to know to complete the arguments of this program.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::{Cli, Failure};

/// Print what makes a shell complete the arguments of this program
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct CompletionsArgs {
    /// Which shell
    shell: Shell,
}

const EXAMPLES: &str = "\
Examples:
  exec-server completions bash > ~/.local/share/bash-completion/completions/exec-server
  exec-server completions zsh > ~/.zfunc/_exec-server       with ~/.zfunc in $fpath
  exec-server completions fish > ~/.config/fish/completions/exec-server.fish";

/// Prints the script.
pub(super) fn print(args: &CompletionsArgs) -> Result<ExitCode, Failure> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(&script(args.shell))?;
    stdout.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn script(shell: Shell) -> Vec<u8> {
    // In memory first: the generator panics where it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "exec-server", &mut script);
    script
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::*;

    #[test]
    fn every_shell_learns_the_commands() {
        for shell in Shell::value_variants() {
            let script = String::from_utf8(script(*shell)).unwrap();
            for word in ["submit", "stop-group", "older-than", "drop-oldest"] {
                assert!(script.contains(word), "{shell}: {word}");
            }
        }
    }
}
