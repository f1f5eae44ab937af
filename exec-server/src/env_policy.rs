//! Which of the server's variables a child gets. Pure.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use exec_protocol::process::{EnvPolicy, Inherit};
use wildmatch::WildMatch;

use crate::limits::MAX_GLOB_STEPS;

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

/// Finding out which names match the globs of this member could take too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the globs of `{field}` are too many, or too long, for so many variables: {MAX_GLOB_STEPS} steps are allowed"
)]
pub(crate) struct TooManySteps {
    /// The member.
    pub(crate) field: &'static str,
}

/// Applies a policy to the server's environment, in the order of the contract: inherit, default
/// excludes, exclude, set, include only. What is the server's own is not there to be inherited.
///
/// # Errors
///
/// [`TooManySteps`] if it could take more than [`MAX_GLOB_STEPS`].
pub(crate) fn apply(
    policy: &EnvPolicy,
    environment: &[(OsString, OsString)],
) -> Result<Environment, TooManySteps> {
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
    check_steps(&env, &policy.exclude, "envPolicy.exclude")?;
    drop_matching(&mut env, &globs(&policy.exclude));
    env.extend(policy.set.iter().map(|(name, value)| (name.into(), value.into())));
    if !policy.include_only.is_empty() {
        check_steps(&env, &policy.include_only, "envPolicy.includeOnly")?;
        let kept = globs(&policy.include_only);
        env.retain(|name, _| matches(&kept, name));
    }
    Ok(env)
}

/// At worst a glob is compared with a name from each of its letters on, if it has a `*`, and else once. So what matching may
/// take is known before.
fn check_steps(env: &Environment, globs: &[String], field: &'static str) -> Result<(), TooManySteps> {
    let letters: usize = env.keys().map(|name| name.len() + 1).sum();
    let steps = |glob: &String| {
        let starts = if glob.contains('*') { letters } else { env.len() };
        starts.saturating_mul(glob.len() + 1)
    };
    if globs.iter().map(steps).fold(0, usize::saturating_add) > MAX_GLOB_STEPS {
        return Err(TooManySteps { field });
    }
    Ok(())
}

fn globs(patterns: &[impl AsRef<str>]) -> Vec<WildMatch> {
    patterns
        .iter()
        .map(|pattern| WildMatch::new(&without_case(pattern.as_ref())))
        .collect()
}

fn drop_matching(env: &mut Environment, globs: &[WildMatch]) {
    env.retain(|name, _| !matches(globs, name));
}

fn matches(globs: &[WildMatch], name: &OsStr) -> bool {
    let name = without_case(&name.to_string_lossy());
    globs.iter().any(|glob| glob.matches(&name))
}

/// A text without the case of its letters: once for each text, and not for each letter that is compared, which takes many times
/// as long beyond ASCII. No letter becomes two, so `?` stands for the same as before.
fn without_case(text: &str) -> String {
    let letter = |letter: char| {
        let mut lower = letter.to_lowercase();
        match (lower.next(), lower.next()) {
            (Some(only), None) => only,
            _ => letter,
        }
    };
    text.chars().map(letter).collect()
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
            .unwrap()
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

    #[test]
    fn letters_are_compared_without_case_in_any_alphabet_and_stay_letters() {
        for (glob, name) in [
            ("ÉTÉ_*", "été_1"),
            ("k?", "\u{212A}B"),
            ("a?c", "A\u{130}C"),
            ("\u{130}", "\u{130}"),
        ] {
            let policy = EnvPolicy {
                inherit: Inherit::None,
                set: [
                    (name.to_owned(), String::new()),
                    ("other".to_owned(), String::new()),
                ]
                .into(),
                include_only: strings(&[glob]),
                ..EnvPolicy::default()
            };
            assert_eq!(names(&policy), [name], "{glob}");
        }
    }

    #[test]
    fn what_could_take_too_long_is_refused_exactly_from_there_on() {
        const NAME: usize = 1 << 10;
        let environment = [(OsString::from("n".repeat(NAME - 1)), OsString::new())];
        let with_glob = |bytes: usize| strings(&[&format!("*{}x", "n".repeat(bytes - 2))]);
        let longest = MAX_GLOB_STEPS / NAME - 1;
        let exclude = |bytes| EnvPolicy {
            exclude: with_glob(bytes),
            ..EnvPolicy::default()
        };
        let include_only = |bytes| EnvPolicy {
            include_only: with_glob(bytes),
            ..EnvPolicy::default()
        };
        let kept = |policy: EnvPolicy| apply(&policy, &environment).map(|kept| kept.len());
        let refused = |field| Err(TooManySteps { field });
        assert_eq!(kept(exclude(longest)), Ok(1));
        assert_eq!(kept(exclude(longest + 1)), refused("envPolicy.exclude"));
        assert_eq!(kept(include_only(longest)), Ok(0));
        assert_eq!(kept(include_only(longest + 1)), refused("envPolicy.includeOnly"));
        // It is compared once, however long the name is.
        let literal = EnvPolicy {
            exclude: vec!["n".repeat(NAME); longest / NAME * 64],
            ..EnvPolicy::default()
        };
        assert_eq!(kept(literal), Ok(1));
    }
}
