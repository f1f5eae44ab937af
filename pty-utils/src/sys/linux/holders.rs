//! Who holds the child's side of an output open.
use super::proc::{self, Stat};
use crate::holder::Holder;
use rustix::{
    fs::{fstat, stat},
    process::{Pid, getpid},
    pty::ptsname,
};
use std::{
    fs, io,
    os::{fd::AsFd, unix::ffi::OsStrExt},
    path::Path,
};

/// How many are told: enough to see who it is, and few enough to be read.
const MOST: usize = 16;
/// How much of a command line is told.
const COMMAND_BYTES: usize = 256;

/// Which file is looked for.
#[derive(Debug)]
pub(crate) struct HoldersQuery(io::Result<Side>);

/// The child's side of an output.
#[derive(Debug, PartialEq, Eq)]
enum Side {
    /// What its descriptors are links to.
    Pipe { link: String },
    /// Its device, and what links to it end in.
    Terminal { device: u64, name: String },
}

impl HoldersQuery {
    pub(super) fn of_pipe(ours: impl AsFd) -> Self {
        let side = fstat(ours).map(|status| Side::Pipe {
            link: format!("pipe:[{}]", status.st_ino),
        });
        Self(side.map_err(Into::into))
    }

    pub(super) fn of_terminal(master: impl AsFd) -> Self {
        let side = ptsname(master, Vec::new()).and_then(|path| {
            let name = path
                .to_string_lossy()
                .rsplit('/')
                .next()
                .unwrap_or_default()
                .to_owned();
            let device = stat(&*path)?.st_rdev;
            Ok(Side::Terminal { device, name })
        });
        Self(side.map_err(Into::into))
    }

    pub(crate) fn run(self, found: impl FnMut(Holder)) -> io::Result<()> {
        let side = self.0?;
        let ours = getpid();
        let holders = proc::all()?.filter(|&pid| pid != ours && side.is_held_by(pid));
        holders
            .take(MOST)
            .map(|pid| Holder {
                pid: pid.as_raw_nonzero().get().unsigned_abs(),
                command: command(pid),
            })
            .for_each(found);
        Ok(())
    }
}

impl Side {
    /// False also if we may not look.
    fn is_held_by(&self, pid: Pid) -> bool {
        let descriptors = fs::read_dir(format!("/proc/{pid}/fd"));
        descriptors.is_ok_and(|mut descriptors| {
            descriptors.any(|entry| entry.is_ok_and(|entry| self.is_open_as(pid, &entry.path())))
        })
    }

    fn is_open_as(&self, pid: Pid, descriptor: &Path) -> bool {
        let Ok(link) = fs::read_link(descriptor) else {
            return false;
        };
        let bytes = link.as_os_str().as_bytes();
        match self {
            Self::Pipe { link } => bytes == link.as_bytes() && may_write(pid, descriptor),
            // Another mount may give it another path. Its owner can also open it as `/dev/tty`.
            Self::Terminal { device, .. } if bytes == b"/dev/tty" => {
                Stat::of(pid).is_some_and(|stat| stat.terminal == *device)
            }
            Self::Terminal { device, name } => {
                bytes.rsplit(|&byte| byte == b'/').next() == Some(name.as_bytes())
                    && stat(descriptor).is_ok_and(|status| status.st_rdev == *device)
            }
        }
    }
}

/// The other end of the pipe, ours, keeps no end of file away.
fn may_write(pid: Pid, descriptor: &Path) -> bool {
    /// The mode of opening, in octal.
    const MODE: u32 = 0o3;
    const READ_ONLY: u32 = 0;
    let number = descriptor.file_name().unwrap_or_default().to_string_lossy();
    let info = fs::read_to_string(format!("/proc/{pid}/fdinfo/{number}")).unwrap_or_default();
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
    let flags = flags.and_then(|flags| u32::from_str_radix(flags.trim(), 8).ok());
    flags.is_some_and(|flags| flags & MODE != READ_ONLY)
}

fn command(pid: Pid) -> String {
    let mut line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    while line.last() == Some(&0) {
        line.pop();
    }
    if line.is_empty() {
        // A zombie or a thread of the kernel.
        line = fs::read(format!("/proc/{pid}/comm")).unwrap_or_default();
    }
    line.truncate(COMMAND_BYTES);
    for byte in &mut line {
        if byte.is_ascii_control() {
            *byte = b' ';
        }
    }
    let text = String::from_utf8_lossy(&line);
    text[..text.floor_char_boundary(COMMAND_BYTES)]
        .trim_end()
        .to_owned()
}
