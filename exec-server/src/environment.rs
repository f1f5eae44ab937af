//! The machine that commands run on, as clients are told of it.

use std::io;
use std::path::{Path, PathBuf};

use exec_protocol::WirePath;
use exec_protocol::environment::{EnvironmentCapabilities, EnvironmentInfo, Shell};

/// The shell of a user for whom neither the environment nor the password database names one.
const DEFAULT_SHELL: &str = "/bin/sh";

/// Looks around.
///
/// # Errors
///
/// When there is no working directory.
pub(crate) fn info() -> io::Result<EnvironmentInfo> {
    let cwd = WirePath::new(std::env::current_dir()?).map_err(io::Error::other)?;
    Ok(EnvironmentInfo {
        shell: shell(std::env::var_os("SHELL").map(PathBuf::from), login_shell),
        cwd,
        user_home_dir: std::env::home_dir().and_then(|home| WirePath::new(home).ok()),
        platform_os: std::env::consts::OS.to_owned(),
        temp_dir: WirePath::new(std::env::temp_dir()).ok(),
        capabilities: EnvironmentCapabilities {
            file_write_streaming: true,
        },
    })
}

/// What the password database says, which may be on another machine.
fn login_shell() -> Option<PathBuf> {
    let user = nix::unistd::User::from_uid(nix::unistd::getuid()).ok()??;
    Some(user.shell)
}

/// The first that can be one: the one that is named, that of the database, the default.
fn shell(named: Option<PathBuf>, in_database: impl FnOnce() -> Option<PathBuf>) -> Shell {
    let path = named
        .filter(|path| path.is_absolute())
        .or_else(|| in_database().filter(|path| path.is_absolute()))
        .unwrap_or_else(|| Path::new(DEFAULT_SHELL).to_owned());
    let name = path
        .file_stem()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned();
    Shell {
        name,
        path: path.to_string_lossy().into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shell_is_the_users_or_the_systems() {
        let named = |variable: Option<&str>, database: Option<&str>| {
            let shell = shell(variable.map(PathBuf::from), || database.map(PathBuf::from));
            (shell.name, shell.path)
        };
        let is = |name: &str, path: &str| (name.to_owned(), path.to_owned());
        let (zsh, fish) = (Some("/usr/bin/zsh"), Some("/usr/bin/fish"));
        assert_eq!(named(zsh, fish), is("zsh", "/usr/bin/zsh"));
        for unusable in [None, Some(""), Some("zsh")] {
            assert_eq!(named(unusable, fish), is("fish", "/usr/bin/fish"), "{unusable:?}");
            assert_eq!(named(unusable, unusable), is("sh", "/bin/sh"), "{unusable:?}");
        }
    }
}
