//! Which of the server's variables a child gets. Pure.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use exec_protocol::process::{EnvPolicy, Inherit};
use wildmatch::WildMatch;

/// An environment, each name once.
pub(crate) type Environment = BTreeMap<OsString, OsString>;

/// What a program needs to find its way: [`Inherit::Core`].
const CORE: &[&str] = &[
    "HOME", "LANG", "LC_ALL", "LC_CTYPE", "LOGNAME", "PATH", "SHELL", "TEMP", "TMP", "TMPDIR", "TZ", "USER",
    "USERNAME",
];

/// Names that look like secrets.
const DEFAULT_EXCLUDES: &[&str] = &["*KEY*", "*SECRET*", "*TOKEN*"];

/// What its service manager, or whoever administers it, says to the server alone.
const SERVERS_OWN: &[&str] = &[
    "CREDENTIALS_DIRECTORY",
    "EXEC_SERVER_TOKEN_FILE",
    "LISTEN_FDNAMES",
    "LISTEN_FDS",
    "LISTEN_PID",
    "LISTEN_PIDFDID",
    "NOTIFY_SOCKET",
    "WATCHDOG_PID",
    "WATCHDOG_USEC",
];

/// Applies a policy to the server's environment, in the order of the contract: inherit, default
/// excludes, exclude, set, include only. What is the server's own is not there to be inherited.
pub(crate) fn apply(policy: &EnvPolicy, environment: &[(OsString, OsString)]) -> Environment {
    let inherited: &[(OsString, OsString)] = match policy.inherit {
        Inherit::All | Inherit::Core => environment,
        Inherit::None => &[],
    };
    let is_own = |name: &OsStr| SERVERS_OWN.iter().any(|own| name == *own);
    let inherited = inherited.iter().filter(|(name, _)| !is_own(name));
    let mut env: Environment = inherited.cloned().collect();
    if policy.inherit == Inherit::Core {
        env.retain(|name, _| CORE.iter().any(|core| name.eq_ignore_ascii_case(core)));
    }
    if !policy.ignore_default_excludes {
        drop_matching(&mut env, &globs(DEFAULT_EXCLUDES));
    }
    drop_matching(&mut env, &globs(&policy.exclude));
    env.extend(policy.set.iter().map(|(name, value)| (name.into(), value.into())));
    if !policy.include_only.is_empty() {
        let kept = globs(&policy.include_only);
        env.retain(|name, _| matches(&kept, name));
    }
    env
}

fn globs(patterns: &[impl AsRef<str>]) -> Vec<WildMatch> {
    patterns
        .iter()
        .map(|pattern| WildMatch::new_case_insensitive(pattern.as_ref()))
        .collect()
}

fn drop_matching(env: &mut Environment, globs: &[WildMatch]) {
    env.retain(|name, _| !matches(globs, name));
}

fn matches(globs: &[WildMatch], name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    globs.iter().any(|glob| glob.matches(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: &[(&str, &str)] = &[
        ("PATH", "/bin"),
        ("HOME", "/root"),
        ("EDITOR", "vi"),
        ("API_KEY", "k"),
        ("my_token", "t"),
        ("LISTEN_FDS", "1"),
        ("NOTIFY_SOCKET", "/run/notify"),
    ];

    fn names(policy: &EnvPolicy) -> Vec<String> {
        let server: Vec<_> = SERVER
            .iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        apply(policy, &server)
            .into_keys()
            .map(|name| name.into_string().unwrap())
            .collect()
    }

    fn strings(items: &[&str]) -> Vec<String> {
        items.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn inherit_is_the_start_and_secrets_are_dropped_from_it() {
        for (inherit, expected) in [
            (Inherit::All, vec!["EDITOR", "HOME", "PATH"]),
            (Inherit::Core, vec!["HOME", "PATH"]),
            (Inherit::None, vec![]),
        ] {
            assert_eq!(
                names(&EnvPolicy {
                    inherit,
                    ..EnvPolicy::default()
                }),
                expected
            );
        }
    }

    #[test]
    fn default_excludes_can_be_ignored() {
        let policy = EnvPolicy {
            ignore_default_excludes: true,
            ..EnvPolicy::default()
        };
        assert_eq!(names(&policy), ["API_KEY", "EDITOR", "HOME", "PATH", "my_token"]);
    }

    #[test]
    fn what_is_the_servers_own_is_there_only_if_it_is_set() {
        let policy = EnvPolicy {
            set: [("LISTEN_FDS".to_owned(), "3".to_owned())].into(),
            include_only: strings(&["LISTEN_*", "NOTIFY_*"]),
            ..EnvPolicy::default()
        };
        assert_eq!(names(&policy), ["LISTEN_FDS"]);
    }

    #[test]
    fn exclude_is_a_case_insensitive_glob_and_set_comes_after_it() {
        let policy = EnvPolicy {
            exclude: strings(&["ho?e", "e*"]),
            set: [
                ("EDITOR".to_owned(), "ed".to_owned()),
                ("A_SECRET".to_owned(), "s".to_owned()),
            ]
            .into(),
            ..EnvPolicy::default()
        };
        assert_eq!(names(&policy), ["A_SECRET", "EDITOR", "PATH"]);
    }

    #[test]
    fn include_only_drops_what_set_put_in_too() {
        let policy = EnvPolicy {
            set: [("NEW".to_owned(), "1".to_owned())].into(),
            include_only: strings(&["p*"]),
            ..EnvPolicy::default()
        };
        assert_eq!(names(&policy), ["PATH"]);
    }
}
