//! Where a program is looked for. Pure: whether the files exist is seen by trying to run them.
use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::{OsStrExt, OsStringExt},
};

/// Where programs are when the environment has no `PATH`.
const DEFAULT_PATH: &str = "/usr/bin:/bin";

/// Most elements of a `PATH`. Each is a call of the system, and all children of a spawner are started by one thread:
/// so many take ten milliseconds or two. The longest that package managers make have some hundreds.
const MAX_ELEMENTS: usize = 4096;

/// Longest name in a directory, in bytes (`NAME_MAX`).
const MAX_NAME_BYTES: usize = 255;

/// The paths to try, in this order, each relative to the child's working directory. None if there are too many.
///
/// The rules are those of `execvp`, applied to the child's environment instead of ours. Of several `PATH`s
/// the first counts, as it does for `getenv`.
pub(super) fn candidates(program: &OsStr, env: &[(OsString, OsString)]) -> Option<Vec<OsString>> {
    if program.is_empty() {
        return Some(Vec::new());
    }
    // A name that is too long is so in every directory.
    if program.as_bytes().contains(&b'/') || program.len() > MAX_NAME_BYTES {
        return Some(vec![program.to_owned()]);
    }
    let path = env
        .iter()
        .find(|(name, _)| name == "PATH")
        .map(|(_, value)| value.as_os_str());
    let path = path.unwrap_or(OsStr::new(DEFAULT_PATH)).as_bytes();
    let directories = || path.split(|&byte| byte == b':');
    (directories().nth(MAX_ELEMENTS).is_none())
        .then(|| directories().map(|directory| join(directory, program)).collect())
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

    fn found(program: &str, env: &[(OsString, OsString)]) -> Vec<OsString> {
        candidates(program.as_ref(), env).unwrap()
    }

    #[test]
    fn there_is_an_end_to_looking() {
        let path = |elements: usize| with_path(&":".repeat(elements - 1));
        assert_eq!(found("run", &path(MAX_ELEMENTS)).len(), MAX_ELEMENTS);
        assert_eq!(candidates("run".as_ref(), &path(MAX_ELEMENTS + 1)), None);
        assert_eq!(found("/run", &path(MAX_ELEMENTS + 1)), ["/run"]);
        let long = "n".repeat(MAX_NAME_BYTES + 1);
        assert_eq!(found(&long, &path(2)), [&*long]);
    }

    #[test]
    fn a_name_with_a_slash_is_not_looked_up() {
        assert_eq!(found("bin/run", &with_path("/a:/b")), ["bin/run"]);
    }

    #[test]
    fn a_bare_name_is_tried_in_each_element_in_order() {
        assert_eq!(found("run", &with_path("/a:b")), ["/a/run", "b/run"]);
    }

    #[test]
    fn an_empty_element_is_the_working_directory() {
        assert_eq!(found("run", &with_path(":/a:")), ["run", "/a/run", "run"]);
    }

    #[test]
    fn without_a_path_the_system_directories_are_tried() {
        assert_eq!(found("run", &[]), ["/usr/bin/run", "/bin/run"]);
    }

    #[test]
    fn the_empty_name_is_nowhere() {
        assert!(found("", &with_path("/a")).is_empty());
    }
}
