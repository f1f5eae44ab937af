//! What was submitted, with what it leaves open filled in.

use exec_protocol::process::StartParams;
use exec_protocol::task::{RetryOn, SubmitParams, TaskId};
use exec_protocol::{ProcessId, StringMap, WirePath};
use serde::{Deserialize, Serialize};

use crate::error::TaskError;

/// Command line, environment and its policy of one task together, in bytes. The system runs what is about as long.
///
/// A word of the command line and a glob count as one more, with which they end: else any number of empty ones would fit. Names of
/// variables are no more than a [message may have](exec_protocol::MAX_NAMES).
const MAX_SPEC_BYTES: usize = 1 << 20;

/// Title and labels of one task together, in bytes, as of a process. They are repeated in each list.
const MAX_TEXT_BYTES: usize = 4 << 10;

/// How much of a command makes a title, in bytes.
const TITLE_BYTES: usize = 120;

/// Most attempts of a task without anybody asking for one.
const MAX_ATTEMPTS: u32 = 1_000;

/// Longest time between two attempts, in milliseconds.
const MAX_BACKOFF_MS: u64 = 60 * 60 * 1000;

/// How many times the time between two attempts doubles, at most: beyond that it is the longest anyway.
const MAX_DOUBLINGS: u32 = 32;

/// By this variable a task knows which it is.
const ID_VARIABLE: &str = "EXEC_TASK_ID";

/// By this variable what is left of a dead server's tasks is found.
pub(crate) const SERVER_VARIABLE: &str = "EXEC_TASK_SERVER";

/// What was submitted, with what it leaves open filled in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Spec {
    pub(crate) id: TaskId,
    pub(crate) title: String,
    pub(crate) argv: Vec<String>,
    pub(crate) cwd: WirePath,
    pub(crate) max_output_bytes: u64,
    pub(crate) params: SubmitParams,
}

/// What a server fills in.
#[derive(Debug, Clone)]
pub(crate) struct Defaults {
    /// The user's shell.
    pub(crate) shell: String,
    pub(crate) cwd: WirePath,
    pub(crate) output_bytes: u64,
}

impl Spec {
    /// Fills in what `params` leave open.
    ///
    /// # Errors
    ///
    /// A [`TaskError::Invalid`] for what can never run.
    pub(crate) fn new(params: SubmitParams, id: TaskId, defaults: &Defaults) -> Result<Self, TaskError> {
        let argv = match (&params.command, &params.argv) {
            (Some(command), None) => vec![defaults.shell.clone(), "-c".to_owned(), command.clone()],
            (None, Some(argv)) if argv.first().is_some_and(|program| !program.is_empty()) => argv.clone(),
            (None, Some(_)) => return Err(TaskError::EmptyArgv),
            (Some(_), Some(_)) | (None, None) => {
                return Err(TaskError::invalid(
                    "command",
                    "one of command and argv is to be given",
                ));
            }
        };
        check(&params)?;
        let title = match &params.title {
            Some(title) => title.clone(),
            None => shortened(params.command.clone().unwrap_or_else(|| argv.join(" "))),
        };
        Ok(Self {
            id,
            title,
            argv,
            cwd: params.cwd.clone().unwrap_or_else(|| defaults.cwd.clone()),
            max_output_bytes: params.max_output_bytes.unwrap_or(defaults.output_bytes),
            params,
        })
    }

    /// What starts an attempt of it on this server.
    pub(crate) fn start_params(&self, attempt: u32, incarnation: &str) -> StartParams {
        let id = format!("{}/{attempt}", self.id);
        let params = &self.params;
        let mut env = params.env.clone();
        env.insert(ID_VARIABLE.to_owned(), self.id.to_string());
        env.insert(SERVER_VARIABLE.to_owned(), incarnation.to_owned());
        let id = ProcessId::new(&id).expect("a task's id and a number are fewer than 256 bytes");
        StartParams {
            cwd: Some(self.cwd.clone()),
            env,
            env_policy: Some(params.env_policy.clone().unwrap_or_default()),
            tty: params.tty,
            pipe_stdin: params.pipe_stdin,
            size: params.size,
            timeout_ms: params.timeout_ms,
            idle_timeout_ms: params.idle_timeout_ms,
            grace_ms: params.grace_ms,
            title: Some(shortened(self.title.clone())),
            group: params.group.clone(),
            ..StartParams::new(id, self.argv.iter().cloned())
        }
    }

    /// When the attempt behind this one may begin, in Unix milliseconds; None if none is to be made.
    pub(crate) fn next_attempt(&self, attempts: u32, ended: RetryOn, now_ms: u64) -> Option<u64> {
        let retry = self.params.retry.as_ref()?;
        if attempts >= retry.max_attempts || !retry.on.contains(&ended) {
            return None;
        }
        let doublings = attempts.saturating_sub(1).min(MAX_DOUBLINGS);
        let backoff = retry
            .backoff_ms
            .saturating_mul(1 << doublings)
            .min(MAX_BACKOFF_MS);
        Some(now_ms.saturating_add(backoff))
    }
}

fn check(params: &SubmitParams) -> Result<(), TaskError> {
    let too_long =
        |field: &'static str, most: usize| TaskError::invalid(field, format!("longer than {most} bytes"));
    let title = params.title.as_ref().map_or(0, String::len);
    if title > MAX_TEXT_BYTES {
        return Err(too_long("title", MAX_TEXT_BYTES));
    }
    if title + bytes_of(&params.labels) > MAX_TEXT_BYTES {
        return Err(too_long("labels", MAX_TEXT_BYTES));
    }
    let argv = bytes_of_all(params.argv.iter().flatten());
    let command = params.command.as_ref().map_or(argv, String::len);
    if command > MAX_SPEC_BYTES {
        let field = if params.argv.is_some() { "argv" } else { "command" };
        return Err(too_long(field, MAX_SPEC_BYTES));
    }
    if command + bytes_of(&params.env) > MAX_SPEC_BYTES {
        return Err(too_long("env", MAX_SPEC_BYTES));
    }
    let policy = params.env_policy.as_ref().map_or(0, |policy| {
        let globs = policy.exclude.iter().chain(&policy.include_only);
        bytes_of(&policy.set) + bytes_of_all(globs)
    });
    if command + bytes_of(&params.env) + policy > MAX_SPEC_BYTES {
        return Err(too_long("envPolicy", MAX_SPEC_BYTES));
    }
    if params.size.is_some() && !params.tty {
        return Err(TaskError::invalid("size", "only a terminal has a size"));
    }
    for (time, field) in [
        (params.timeout_ms, "timeoutMs"),
        (params.idle_timeout_ms, "idleTimeoutMs"),
    ] {
        if time == Some(0) {
            return Err(TaskError::invalid(
                field,
                "no time at all would end it before it does anything",
            ));
        }
    }
    if let Some(retry) = &params.retry {
        if !(1..=MAX_ATTEMPTS).contains(&retry.max_attempts) {
            let message = format!("not between 1 and {MAX_ATTEMPTS}");
            return Err(TaskError::invalid("retry.maxAttempts", message));
        }
        if retry.on.is_empty() {
            return Err(TaskError::invalid(
                "retry.on",
                "nothing that is followed by another attempt",
            ));
        }
    }
    Ok(())
}

/// How long names and values are, in bytes.
fn bytes_of(pairs: &StringMap) -> usize {
    pairs.iter().map(|(name, value)| name.len() + value.len()).sum()
}

/// How long words are, each with its end, in bytes.
fn bytes_of_all<'a>(words: impl Iterator<Item = &'a String>) -> usize {
    words.map(|word| word.len() + 1).sum()
}

/// The beginning of the first line of a text.
fn shortened(text: String) -> String {
    let line = text
        .lines()
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default()
        .trim();
    if line.len() == text.len() && text.len() <= TITLE_BYTES {
        return text;
    }
    let end = line.floor_char_boundary(TITLE_BYTES);
    format!("{}…", &line[..end])
}

#[cfg(test)]
mod tests {
    use exec_protocol::process::EnvPolicy;
    use exec_protocol::task::RetryPolicy;

    use super::*;

    fn spec(params: SubmitParams) -> Result<Spec, TaskError> {
        let defaults = Defaults {
            shell: "/bin/sh".to_owned(),
            cwd: WirePath::parse("/tmp").unwrap(),
            output_bytes: 7,
        };
        Spec::new(params, TaskId::new("t").unwrap(), &defaults)
    }

    fn command(command: &str) -> SubmitParams {
        SubmitParams {
            command: Some(command.to_owned()),
            ..SubmitParams::default()
        }
    }

    #[test]
    fn a_command_is_run_by_the_shell_and_is_its_own_title() {
        let spec = spec(command("make test\nmake install")).unwrap();
        assert_eq!(spec.argv, ["/bin/sh", "-c", "make test\nmake install"]);
        assert_eq!((spec.title.as_str(), spec.max_output_bytes), ("make test…", 7));
        let start = spec.start_params(3, "server");
        assert_eq!(start.process_id.as_str(), "t/3");
        assert_eq!(start.env[ID_VARIABLE], "t");
    }

    #[test]
    fn what_can_never_run_is_refused() {
        let argv = |argv: &[&str]| SubmitParams {
            argv: Some(argv.iter().map(|&word| word.to_owned()).collect()),
            ..SubmitParams::default()
        };
        assert!(matches!(spec(argv(&[])), Err(TaskError::EmptyArgv)));
        let both = SubmitParams {
            command: Some("x".to_owned()),
            ..argv(&["x"])
        };
        let no_time = SubmitParams {
            timeout_ms: Some(0),
            ..command("x")
        };
        for (params, field) in [
            (SubmitParams::default(), "command"),
            (both, "command"),
            (no_time, "timeoutMs"),
        ] {
            let error = spec(params).unwrap_err();
            assert!(
                matches!(&error, TaskError::Invalid { field: at, .. } if *at == field),
                "{error:?}"
            );
        }
    }

    #[test]
    fn words_without_letters_and_policies_count_as_well() {
        let of_words = |count: usize| SubmitParams {
            argv: Some([vec!["x".to_owned()], vec![String::new(); count - 1]].concat()),
            ..SubmitParams::default()
        };
        let of_policy = |bytes: usize| SubmitParams {
            env_policy: Some(EnvPolicy {
                exclude: vec!["x".repeat(bytes / 2 - 1)],
                include_only: vec!["x".repeat(bytes / 4 - 1)],
                set: [("x".to_owned(), "x".repeat(bytes / 4 - 1))].into(),
                ..EnvPolicy::default()
            }),
            ..command("")
        };
        let refused_for = |params| match spec(params) {
            Ok(_) => None,
            Err(TaskError::Invalid { field, .. }) => Some(field),
            Err(error) => panic!("{error:?}"),
        };
        assert_eq!(refused_for(of_words(MAX_SPEC_BYTES - 1)), None);
        assert_eq!(refused_for(of_words(MAX_SPEC_BYTES)), Some("argv"));
        assert_eq!(refused_for(of_policy(MAX_SPEC_BYTES)), None);
        assert_eq!(refused_for(of_policy(MAX_SPEC_BYTES + 4)), Some("envPolicy"));
    }

    #[test]
    fn the_time_between_two_attempts_doubles() {
        let spec = spec(SubmitParams {
            retry: Some(RetryPolicy {
                max_attempts: 100,
                backoff_ms: 1_000,
                on: vec![RetryOn::Failure],
            }),
            ..command("x")
        })
        .unwrap();
        let next = |attempts| spec.next_attempt(attempts, RetryOn::Failure, 5);
        assert_eq!([1, 2, 3].map(next), [Some(1_005), Some(2_005), Some(4_005)]);
        assert_eq!((next(99), next(100)), (Some(MAX_BACKOFF_MS + 5), None));
        assert_eq!(spec.next_attempt(1, RetryOn::Timeout, 5), None);
    }
}
