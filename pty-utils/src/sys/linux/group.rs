//! Who is in a group.
use rustix::process::Pid;
use std::{fs, io};

/// Whether somebody alive beside its leader is in the group that `leader` leads.
pub(super) fn has_followers(leader: Pid) -> io::Result<bool> {
    let group = leader.as_raw_nonzero().get();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        // A process that ends while we look is no follower any more.
        if pid != group && fs::read(format!("/proc/{pid}/stat")).is_ok_and(|stat| is_alive_in(group, &stat)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Reads a line of `/proc/PID/stat`: pid, name in brackets, state, parent, group (proc(5)). The name may hold
/// anything, brackets and blanks too.
fn is_alive_in(group: i32, stat: &[u8]) -> bool {
    let behind_name = stat.rsplit(|&byte| byte == b')').next().unwrap_or_default();
    let text = String::from_utf8_lossy(behind_name);
    let mut fields = text.split_ascii_whitespace();
    let is_alive = fields.next().is_some_and(|state| !matches!(state, "Z" | "X"));
    is_alive && fields.nth(1).and_then(|field| field.parse().ok()) == Some(group)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_pass_for_the_rest_of_the_line() {
        let stat = b"12 (a) S 1 7 7) R 1 5 5 0 -1";
        assert!(is_alive_in(5, stat));
        assert!(!is_alive_in(7, stat));
        assert!(!is_alive_in(5, b"12 (a) Z 1 5 5 0 -1"));
        assert!(!is_alive_in(5, b""));
    }
}
