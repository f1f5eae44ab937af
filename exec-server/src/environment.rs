//! The machine that commands run on, as clients are told of it.

use std::io;
use std::path::{Path, PathBuf};

use exec_protocol::WirePath;
use exec_protocol::environment::{EnvironmentInfo, Shell};

/// The shell of a user whose environment does not name one.
const DEFAULT_SHELL: &str = "/bin/sh";

/// Looks around.
///
/// # Errors
///
/// When there is no working directory.
pub(crate) fn info() -> io::Result<EnvironmentInfo> {
    let cwd = WirePath::new(std::env::current_dir()?).map_err(io::Error::other)?;
    Ok(EnvironmentInfo {
        shell: shell(std::env::var_os("SHELL").map(PathBuf::from)),
        cwd,
        user_home_dir: std::env::home_dir().and_then(|home| WirePath::new(home).ok()),
        platform_os: std::env::consts::OS.to_owned(),
        temp_dir: WirePath::new(std::env::temp_dir()).ok(),
    })
}

fn shell(named: Option<PathBuf>) -> Shell {
    let path = named
        .filter(|path| path.is_absolute())
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
        let named = |path: &str| shell(Some(path.into()));
        assert_eq!(
            named("/usr/bin/zsh"),
            Shell {
                name: "zsh".into(),
                path: "/usr/bin/zsh".into()
            }
        );
        for unusable in [shell(None), named(""), named("zsh")] {
            assert_eq!(
                unusable,
                Shell {
                    name: "sh".into(),
                    path: "/bin/sh".into()
                }
            );
        }
    }
}
