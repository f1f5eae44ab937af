use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use tempfile::TempDir;

use super::*;

const TEXT: &str = "0123456789abcdef0123456789abcdef";

/// A directory with a file that has these contents and this mode.
fn file(contents: &[u8], mode: u32) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("secret");
    fs::write(&path, contents).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    (directory, path)
}

fn read(contents: &[u8]) -> Result<Secret, SecretError> {
    let (_directory, path) = file(contents, 0o600);
    Secret::from_file(&path)
}

#[test]
fn white_space_at_the_end_of_text_is_none_of_the_secret() {
    for end in ["", "\n", "\r\n", " \t\n\n"] {
        let secret = read(format!("{TEXT}{end}").as_bytes()).unwrap();
        assert_eq!(secret.expose(), TEXT.as_bytes());
    }
}

#[test]
fn random_bytes_are_taken_as_they_are() {
    let mut bytes = [0xff; 32];
    bytes[31] = b'\n';
    assert_eq!(read(&bytes).unwrap().expose(), bytes);
}

#[test]
fn what_is_too_short_or_too_long_is_no_secret() {
    assert!(matches!(read(b""), Err(SecretError::Empty { .. })));
    assert!(matches!(read(b" \n"), Err(SecretError::Empty { .. })));
    let short = format!("{}\n\n\n", &TEXT[1..]);
    assert!(matches!(
        read(short.as_bytes()),
        Err(SecretError::TooShort { bytes: 31, .. })
    ));
    assert!(read(&[b'x'; MAX_SECRET_FILE_BYTES]).is_ok());
    let long = read(&[b'x'; MAX_SECRET_FILE_BYTES + 1]);
    assert!(matches!(long, Err(SecretError::TooLong { .. })));
}

#[test]
fn a_file_that_others_may_use_is_refused() {
    for mode in [0o640, 0o620, 0o604, 0o602, 0o601, 0o610, 0o644, 0o666] {
        let (_directory, path) = file(TEXT.as_bytes(), mode);
        let error = Secret::from_file(&path).unwrap_err();
        assert!(
            matches!(error, SecretError::OpenToOthers { mode: told, .. } if told == mode),
            "{error}"
        );
        assert!(error.to_string().contains("chmod 600"), "{error}");
    }
    for mode in [0o400, 0o600, 0o700] {
        let (_directory, path) = file(TEXT.as_bytes(), mode);
        assert!(Secret::from_file(&path).is_ok());
    }
}

#[test]
fn a_file_of_another_user_is_refused() {
    // Only root can make one.
    if !geteuid().is_root() {
        return;
    }
    let (_directory, path) = file(TEXT.as_bytes(), 0o600);
    std::os::unix::fs::chown(&path, Some(12345), None).unwrap();
    let refused = Secret::from_file(&path);
    assert!(matches!(
        refused,
        Err(SecretError::ForeignOwner { owner: 12345, .. })
    ));
}

#[test]
fn links_are_followed_and_what_they_lead_to_is_checked() {
    let (directory, path) = file(TEXT.as_bytes(), 0o644);
    let link = directory.path().join("link");
    symlink(&path, &link).unwrap();
    assert!(matches!(
        Secret::from_file(&link),
        Err(SecretError::OpenToOthers { .. })
    ));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(Secret::from_file(&link).is_ok());
}

#[test]
fn only_a_regular_file_has_a_secret() {
    let directory = tempfile::tempdir().unwrap();
    let pipe = directory.path().join("pipe");
    let mode = rustix::fs::Mode::from_bits_truncate(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    // Nobody writes to the pipe: it is not waited for.
    for path in [directory.path(), &pipe, Path::new("/dev/null")] {
        assert!(matches!(
            Secret::from_file(path),
            Err(SecretError::NotAFile { .. })
        ));
    }
    let missing = Secret::from_file(&directory.path().join("missing"));
    assert!(matches!(missing, Err(SecretError::Io { .. })));
}

#[test]
fn a_descriptor_is_read_to_its_end() {
    let (reader, mut writer) = io::pipe().unwrap();
    io::Write::write_all(&mut writer, format!("{TEXT}\n").as_bytes()).unwrap();
    drop(writer);
    let descriptor = File::from(std::os::fd::OwnedFd::from(reader));
    let secret = Secret::from_descriptor(descriptor, Path::new("descriptor 3")).unwrap();
    assert_eq!(secret.expose(), TEXT.as_bytes());
}

#[test]
fn neither_errors_nor_debug_tell_the_secret() {
    let secret = read(TEXT.as_bytes()).unwrap();
    assert_eq!(format!("{secret:?}"), "Secret(..)");
    let error = read(&TEXT.as_bytes()[..20]).unwrap_err();
    assert!(!format!("{error} {error:?}").contains(&TEXT[..20]));
}

#[test]
fn secrets_are_equal_by_their_bytes() {
    let [one, same, other] = ["x", "x", "y"].map(|end| read(format!("{TEXT}{end}").as_bytes()).unwrap());
    assert_eq!(one, same);
    assert_ne!(one, other);
}
