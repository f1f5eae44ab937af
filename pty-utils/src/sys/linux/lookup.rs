//! Where a program is looked for. Pure: whether the files exist is seen by trying to run them.
use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::{OsStrExt, OsStringExt},
};

/// Where programs are when the environment has no `PATH`.
const DEFAULT_PATH: &str = "/usr/bin:/bin";

/// The paths to try, in this order, each relative to the child's working directory.
///
/// The rules are those of `execvp`, applied to the child's environment instead of ours. Of several `PATH`s
/// the first counts, as it does for `getenv`.
pub(super) fn candidates(program: &OsStr, env: &[(OsString, OsString)]) -> Vec<OsString> {
    if program.is_empty() {
        return Vec::new();
    }
    if program.as_bytes().contains(&b'/') {
        return vec![program.to_owned()];
    }
    let path = env
        .iter()
        .find(|(name, _)| name == "PATH")
        .map(|(_, value)| value.as_os_str());
    path.unwrap_or(OsStr::new(DEFAULT_PATH))
        .as_bytes()
        .split(|&byte| byte == b':')
        .map(|directory| join(directory, program))
        .collect()
}

fn join(directory: &[u8], program: &OsStr) -> OsString {
    if directory.is_empty() {
        return program.to_owned();
    }
    OsString::from_vec([directory, b"/", program.as_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_path(path: &str) -> Vec<(OsString, OsString)> {
        vec![("HOME".into(), "/".into()), ("PATH".into(), path.into())]
    }

    #[test]
    fn a_name_with_a_slash_is_not_looked_up() {
        assert_eq!(candidates("bin/run".as_ref(), &with_path("/a:/b")), ["bin/run"]);
    }

    #[test]
    fn a_bare_name_is_tried_in_each_element_in_order() {
        assert_eq!(
            candidates("run".as_ref(), &with_path("/a:b")),
            ["/a/run", "b/run"]
        );
    }

    #[test]
    fn an_empty_element_is_the_working_directory() {
        assert_eq!(
            candidates("run".as_ref(), &with_path(":/a:")),
            ["run", "/a/run", "run"]
        );
    }

    #[test]
    fn without_a_path_the_system_directories_are_tried() {
        assert_eq!(candidates("run".as_ref(), &[]), ["/usr/bin/run", "/bin/run"]);
    }

    #[test]
    fn the_empty_name_is_nowhere() {
        assert!(candidates("".as_ref(), &with_path("/a")).is_empty());
    }
}
