//! Where the control group of this process is. Pure but for the reading of three files.
use super::room::above_leaf;
use std::{
    ffi::OsString,
    fs, io,
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::{Path, PathBuf},
};

/// The control group (v2) of this process: where its directory is, and what the kernel calls it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Own {
    pub(super) directory: PathBuf,
    /// As in `/proc/PID/cgroup`, without a slash at the end.
    pub(super) name: OsString,
}

impl Own {
    /// The group that this process has its groups in: its own, or that which it has made [room](super::room) in.
    ///
    /// # Errors
    /// `NotFound` if no mount that we can see has it.
    pub(super) fn find_base() -> io::Result<Self> {
        let own = Self::find()?;
        let above = |path: &Path| above_leaf(path).map(Path::to_owned);
        Ok(match (above(&own.directory), above(Path::new(&own.name))) {
            (Some(directory), Some(name)) => Self {
                directory,
                name: without_slash(name),
            },
            _ => own,
        })
    }

    /// The group that this process is in.
    ///
    /// # Errors
    /// `NotFound` if no mount that we can see has it.
    pub(super) fn find() -> io::Result<Self> {
        let name = name(&fs::read("/proc/self/cgroup")?);
        let name = name.ok_or(io::ErrorKind::NotFound)?;
        let mounts = fs::read("/proc/self/mountinfo")?;
        directories(&mounts, &name)
            .into_iter()
            .find(|directory| lists_us(directory))
            .map(|directory| Self { directory, name })
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

/// The root's name is empty.
fn without_slash(name: PathBuf) -> OsString {
    if name == Path::new("/") {
        OsString::new()
    } else {
        name.into()
    }
}

/// The name of the group in v2, which is the line of hierarchy 0.
pub(super) fn name(cgroups: &[u8]) -> Option<OsString> {
    let line = lines(cgroups).find_map(|line| line.strip_prefix(b"0::"))?;
    let line = line.strip_suffix(b"/").unwrap_or(line);
    Some(OsString::from_vec(line.to_owned()))
}

/// Where that group can be, one path for each mount of v2.
fn directories(mounts: &[u8], name: &OsString) -> Vec<PathBuf> {
    let of_mount = |line| {
        // `ID parent device root mountpoint options … - type source options`, see proc(5).
        let fields: Vec<&[u8]> = <[u8]>::split(line, |&byte| byte == b' ').collect();
        let behind = fields.iter().position(|field| *field == b"-")?;
        if fields.get(behind + 1) != Some(&&b"cgroup2"[..]) {
            return None;
        }
        let (root, point) = (unescaped(fields.get(3)?), unescaped(fields.get(4)?));
        let below = Path::new(name).strip_prefix(Path::new(&root));
        let name = below.unwrap_or(Path::new(name));
        Some(Path::new(&point).join(name.strip_prefix("/").unwrap_or(name)))
    };
    lines(mounts).filter_map(of_mount).collect()
}

fn lists_us(directory: &Path) -> bool {
    let ours = std::process::id().to_string();
    let listed = fs::read(directory.join("cgroup.procs")).unwrap_or_default();
    lines(&listed).any(|line| line == ours.as_bytes())
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|&byte| byte == b'\n')
}

/// Blanks and the like are written as a backslash and three octal digits.
fn unescaped(field: &[u8]) -> OsString {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let [first, behind @ ..] = rest {
        rest = behind;
        let octal = match (first, behind) {
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..]) => {
                rest = after;
                Some((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'))
            }
            _ => None,
        };
        bytes.push(octal.unwrap_or(*first));
    }
    OsString::from_vec(bytes)
}

/// Whether a process is in the group of this name or in one below, by its `/proc/PID/cgroup`.
pub(super) fn is_within(cgroups: &[u8], group: &[u8]) -> bool {
    name(cgroups).is_some_and(|name| {
        let below = name.as_bytes().strip_prefix(group);
        below.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &[u8] = b"32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n\
        41 31 0:38 / /sys/fs/cgroup/unified rw shared:1 - cgroup2 cgroup2 rw\n\
        42 31 0:38 /user /my\\040groups rw - cgroup2 cgroup2 rw\n";

    #[test]
    fn each_mount_of_v2_is_tried_from_its_root() {
        assert_eq!(
            directories(MOUNTS, &"/user/me".into()),
            [
                Path::new("/sys/fs/cgroup/unified/user/me"),
                Path::new("/my groups/me")
            ]
        );
        assert_eq!(
            directories(MOUNTS, &"".into())[0],
            Path::new("/sys/fs/cgroup/unified/")
        );
    }

    #[test]
    fn the_name_is_that_of_v2() {
        assert_eq!(name(b"4:memory:/a\n0::/b c\n"), Some("/b c".into()));
        assert_eq!(name(b"0::/\n"), Some("".into()));
        assert_eq!(name(b"4:memory:/a\n"), None);
    }

    #[test]
    fn a_group_is_within_itself_and_those_above_and_in_no_other() {
        assert!(is_within(b"0::/a/7\n", b"/a/7"));
        assert!(is_within(b"0::/a/7/inner\n", b"/a/7"));
        assert!(!is_within(b"0::/a/77\n", b"/a/7"));
        assert!(!is_within(b"0::/a\n", b"/a/7"));
    }
}
