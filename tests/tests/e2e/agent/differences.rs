//! Where an answer of ours may differ from the recorded one, and why.

use serde_json::Value;

use super::recording::LEFT_OUT;

/// Where it is so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum In {
    /// In each recording.
    All,
    /// In this one.
    Recording(&'static str),
    /// In the answer to the request with this id in this recording.
    Answer(&'static str, u64),
}

/// What is so instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// We do not say it.
    Absent,
    /// Another value of the same type.
    OfItsType,
    /// Another folder.
    FileUri,
    /// An error with this code.
    Refused(i64),
    /// The same bytes, in pieces of any length.
    Joined,
    /// The same variables, with those of this machine among them.
    Variables,
    /// The recording ends before the process does.
    ToItsEnd,
}

use In::{All, Answer, Recording};
use Rule::{Absent, FileUri, Joined, OfItsType, Refused, ToItsEnd, Variables};

/// Why we do not say that we have something.
const NOT_OURS: &str = "we do not have it, and the agent must not ask for it";

/// All of them: where, in what method's answer or notification, at which member, what is so instead, and why. Members of
/// ours that the recorded answers do not have are no difference, because the agent does not look at them.
#[rustfmt::skip]
const DIFFERENCES: &[(In, &str, &str, Rule, &str)] = &[
    (All, "initialize", "/sessionId", OfItsType, "each server makes up its own"),
    (All, "initialize", "/environmentInfo/cwd", FileUri, "folders with different names were all written down as one"),
    (All, "initialize", "/environmentInfo/tempDir", FileUri, "it is the one of the machine"),
    (All, "initialize", "/environmentInfo/executorVersion", Absent, "it is the version of another program"),
    (All, "initialize", "/environmentInfo/providerId", Absent, "it names the other server's surroundings"),
    (All, "initialize", "/environmentInfo/prependPathDirs", Absent, "programs of its own are what the other server brings, not we"),
    (All, "initialize", "/environmentInfo/temporaryDirectories", Absent, "there were none"),
    (All, "initialize", "/environmentInfo/capabilities/networkProxyLaunch", Absent, NOT_OURS),
    (All, "initialize", "/environmentInfo/capabilities/networkProxyReviewDomains", Absent, NOT_OURS),
    (All, "initialize", "/environmentInfo/capabilities/credentialMasking", Absent, NOT_OURS),
    (All, "initialize", "/environmentInfo/capabilities/credentialMaskingCustomProviders", Absent, NOT_OURS),
    (All, "initialize", "/environmentInfo/capabilities/capabilityDiscoverySandbox", Absent, NOT_OURS),
    (All, "initialize", "/environmentInfo/capabilities/fsWatchMissing", Absent, NOT_OURS),
    (All, "initialize", "/environmentInfo/capabilities/capabilityDiscoveryV2", Absent, NOT_OURS),
    (All, "initialize", "/environmentInfo/capabilities/environmentConfigRead", Absent, NOT_OURS),
    (All, "initialize", "/environmentInfo/capabilities/httpHeaderEnvVars", Absent, NOT_OURS),
    (All, "initialize", "/environmentInfo/capabilities/sandboxedFileStreaming", Absent, NOT_OURS),
    (All, "initialize", "/environmentInfo/capabilities/shellSnapshotV2", Absent, NOT_OURS),
    (All, "initialize", "/environmentInfo/capabilities/windowsMxc", Absent, NOT_OURS),
    (All, "initialize", "/environmentInfo/capabilities/linuxRootWritePreservesDevices", Absent, NOT_OURS),
    (All, "initialize", "/environmentInfo/capabilities/linuxApprovedRootWritePreservesRestrictions", Absent, NOT_OURS),
    (All, "fs/watchMissing", "", Refused(-32601), "asked for only because the other server had said fsWatchMissing"),
    (All, "environmentConfig/read", "", Refused(-32601), "asked for only because the other server had said environmentConfigRead"),
    (All, "fs/getMetadata", "/createdAtMs", OfItsType, "it is a time, or 0 on a file system that does not know it"),
    (All, "fs/getMetadata", "/modifiedAtMs", OfItsType, "it is a time"),
    (All, "process/read", "/chunks", Joined, "where a chunk ends depends on when the pipe was read"),
    (All, "process/read", "/nextSeq", Joined, "it counts the chunks"),
    (All, "process/output", "/chunk", Joined, "where a chunk ends depends on when the pipe was read"),
    (Recording("env_vars"), "process/output", "/chunk", Variables, "HOME, PATH and PWD are those of the machine"),
    (Answer("cancel", 21), "process/terminate", "/running", OfItsType, "the first request may be carried out by then"),
    (Recording("cancel"), "process/closed", "", ToItsEnd, "the agent left without waiting for the end"),
];

/// What is so instead of what was recorded, and why; the most particular rule.
pub(super) fn rule(recording: &str, id: Option<u64>, method: &str, at: &str) -> Option<(Rule, &'static str)> {
    let mut found = None;
    for (place, of, member, rule, reason) in DIFFERENCES {
        let is_here = match *place {
            All => true,
            Recording(name) => name == recording,
            Answer(name, request) => name == recording && id == Some(request),
        };
        if is_here && *of == method && *member == at {
            found = Some((*rule, *reason));
        }
    }
    found
}

/// A result, and where it was recorded.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answered<'a> {
    pub(super) recording: &'a str,
    pub(super) id: u64,
    pub(super) method: &'a str,
}

impl Answered<'_> {
    /// Checks that we answer with all members that were recorded.
    ///
    /// # Panics
    ///
    /// If one is missing or has another value, and the table does not say so.
    pub(super) fn check(self, recorded: &Value, ours: &Value) {
        self.check_at("", recorded, Some(ours));
    }

    fn check_at(self, at: &str, recorded: &Value, ours: Option<&Value>) {
        let rule = rule(self.recording, Some(self.id), self.method, at);
        let Some(ours) = ours else {
            let is_known = rule.is_some_and(|(rule, _)| rule == Absent);
            assert!(is_known, "{self:?}: there is no {at}, recorded was {recorded}");
            return;
        };
        match rule {
            Some((Absent, reason)) => panic!("{self:?}: there is {at} {ours}, although {reason}"),
            Some((OfItsType, reason)) => assert!(
                std::mem::discriminant(recorded) == std::mem::discriminant(ours),
                "{self:?}: {at} is {ours} instead of another {recorded}: {reason}"
            ),
            Some((FileUri, reason)) => assert!(
                ours.as_str().is_some_and(|uri| uri.starts_with("file:///")),
                "{self:?}: {at} is {ours} instead of another {recorded}: {reason}"
            ),
            // These are looked at by themselves.
            Some((Refused(_) | Joined | Variables | ToItsEnd, _)) => {}
            None => match (recorded, ours) {
                (Value::Object(members), ours) => {
                    for (name, recorded) in members {
                        self.check_at(&format!("{at}/{name}"), recorded, ours.get(name));
                    }
                    assert!(ours.is_object(), "{self:?}: {at} is {ours}");
                }
                (Value::String(recorded), Value::String(ours)) if recorded.contains(LEFT_OUT) => {
                    assert!(has_the_ends_of(ours, recorded), "{self:?}: {at} differs");
                }
                _ => assert_eq!(ours, recorded, "{self:?}: {at}"),
            },
        }
    }
}

/// Whether a payload begins and ends as one whose middle is left out.
pub(super) fn has_the_ends_of(payload: &str, shortened: &str) -> bool {
    let (begin, end) = shortened.split_once(LEFT_OUT).expect("it is shortened");
    payload.len() > begin.len() + end.len() && payload.starts_with(begin) && payload.ends_with(end)
}
