//! Each cause has its error, the same on terminals and pipes.
use crate::support::{PIPES, TERMINAL, alone, beside, command, open_descriptors, script, sh};
use pty_utils::{Command, Field, SpawnError, Spawner, Step};
use std::{ffi::OsString, fs, os::unix::ffi::OsStringExt, path::Path};

const ENOENT: Option<i32> = Some(2);
const E2BIG: Option<i32> = Some(7);
const ENOEXEC: Option<i32> = Some(8);
const EACCES: Option<i32> = Some(13);
const ENOTDIR: Option<i32> = Some(20);
const EMFILE: Option<i32> = Some(24);
const ETXTBSY: Option<i32> = Some(26);
const ENAMETOOLONG: Option<i32> = Some(36);

/// Checks the error on a terminal and on pipes.
async fn refused(command: Command, errno: Option<i32>, expected: impl Fn(&SpawnError) -> bool) {
    let spawner = Spawner::new().unwrap();
    for streams in [PIPES, TERMINAL] {
        let command = Command {
            streams,
            ..command.clone()
        };
        let error = spawner.spawn(command).await.expect_err("it cannot start");
        assert!(expected(&error), "{error:?} on {streams:?}");
        assert_eq!(error.errno(), errno, "{error:?} on {streams:?}");
    }
}

#[test]
fn a_missing_program_is_not_found() {
    beside(async {
        for (program, errno) in [
            ("/no/such/program", ENOENT),
            ("no-such-program", ENOENT),
            ("", ENOENT),
            ("/dev/null/program", ENOTDIR),
            (&"x".repeat(300), ENAMETOOLONG),
        ] {
            refused(command(&[program], PIPES), errno, |error| {
                matches!(error, SpawnError::ProgramNotFound { program: named, .. } if named == program)
            })
            .await;
        }
    });
}

#[test]
fn a_missing_cwd_is_not_found_even_if_the_program_is_missing_too() {
    beside(async {
        for (cwd, errno) in [("/no/such/cwd", ENOENT), ("/dev/null", ENOTDIR)] {
            let mut command = command(&["/no/such/program"], PIPES);
            command.cwd = cwd.into();
            refused(command, errno, |error| {
                matches!(error, SpawnError::CwdNotFound { cwd: named, .. } if named == Path::new(cwd))
            })
            .await;
        }
    });
}

#[test]
fn a_file_without_the_executable_bit_is_denied() {
    beside(async {
        let directory = tempfile::tempdir().unwrap();
        script(&directory.path().join("tool"), "644", "#!/bin/sh\n").await;
        let mut command = command(&["./tool"], PIPES);
        command.cwd = directory.path().into();
        refused(
            command,
            EACCES,
            |error| matches!(error, SpawnError::PermissionDenied { path, .. } if path == Path::new("./tool")),
        )
        .await;
    });
}

#[test]
fn what_is_there_but_no_program_is_not_executable() {
    beside(async {
        let directory = tempfile::tempdir().unwrap();
        script(&directory.path().join("format"), "755", "no program at all").await;
        script(
            &directory.path().join("interpreter"),
            "755",
            "#!/no/interpreter\n",
        )
        .await;
        fs::create_dir(directory.path().join("directory")).unwrap();
        for (name, errno) in [
            ("format", ENOEXEC),
            ("interpreter", ENOENT),
            ("directory", EACCES),
        ] {
            for (program, path) in [(name.to_owned(), "/nowhere:."), (format!("./{name}"), "")] {
                let mut command = command(&[&program], PIPES);
                command.cwd = directory.path().into();
                command.env = vec![("PATH".into(), path.into())];
                refused(command, errno, |error| {
                    matches!(error, SpawnError::NotExecutable { program: named, .. } if *named == *program)
                })
                .await;
            }
        }
    });
}

#[test]
fn no_argv_is_refused() {
    beside(refused(command(&[], PIPES), None, |error| {
        matches!(error, SpawnError::EmptyArgv)
    }));
}

#[test]
fn a_nul_byte_is_refused_wherever_it_is() {
    beside(async {
        let nul = || OsString::from_vec(b"a\0b".to_vec());
        let base = || command(&["true"], PIPES);
        let mut program = base();
        program.argv[0] = nul();
        let mut argument = base();
        argument.argv.push(nul());
        let mut arg0 = base();
        arg0.arg0 = Some(nul());
        let mut cwd = base();
        cwd.cwd = nul().into();
        let mut name = base();
        name.env.push((nul(), "".into()));
        let mut value = base();
        value.env.push(("A".into(), nul()));
        for (command, place) in [
            (program, Field::Argv),
            (argument, Field::Argv),
            (arg0, Field::Arg0),
            (cwd, Field::Cwd),
            (name, Field::Env),
            (value, Field::Env),
        ] {
            refused(
                command,
                None,
                |error| matches!(error, SpawnError::NulByte { field } if *field == place),
            )
            .await;
        }
    });
}

#[test]
fn too_many_arguments_are_refused() {
    beside(async {
        let argument = "x".repeat(200_000);
        refused(command(&["true", &argument], PIPES), E2BIG, |error| {
            matches!(error, SpawnError::ArgumentListTooLong { .. })
        })
        .await;
    });
}

#[test]
fn what_has_no_name_says_its_step_and_errno() {
    beside(async {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tool");
        script(&path, "755", "#!/bin/sh\n").await;
        // A file that is being written cannot be executed.
        let _writer = fs::File::options().append(true).open(&path).unwrap();
        refused(command(&[path.to_str().unwrap()], PIPES), ETXTBSY, |error| {
            matches!(
                error,
                SpawnError::Os {
                    step: Step::Execute,
                    ..
                }
            )
        })
        .await;
    });
}

#[test]
fn the_message_is_a_fragment_and_the_cause_is_its_source() {
    beside(async {
        let error = Spawner::new()
            .unwrap()
            .spawn(command(&["/no/such"], PIPES))
            .await
            .unwrap_err();
        assert_eq!(error.to_string(), "program \"/no/such\" not found");
        assert!(
            std::error::Error::source(&error)
                .unwrap()
                .to_string()
                .contains("os error 2")
        );
    });
}

#[test]
fn without_a_free_descriptor_it_is_too_many_files_and_none_is_left_behind() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    alone(async {
        let spawner = Spawner::new().unwrap();
        let before = open_descriptors();
        let limit = getrlimit(Resource::Nofile);
        let mut refusals = 0;
        for streams in [TERMINAL, PIPES, crate::support::PIPED] {
            // From none at all up to enough: each place where it can run out is met.
            for free in 0..12 {
                let current = Some((before - 1 + free) as u64);
                setrlimit(Resource::Nofile, Rlimit { current, ..limit }).unwrap();
                let result = spawner.spawn(sh("exit", streams)).await;
                setrlimit(Resource::Nofile, limit).unwrap();
                match result {
                    Ok(child) => drop(child),
                    Err(error) => {
                        assert!(matches!(error, SpawnError::TooManyFiles { .. }), "{error:?}");
                        assert_eq!(error.errno(), EMFILE);
                        refusals += 1;
                    }
                }
                assert_eq!(open_descriptors(), before);
            }
        }
        assert!(refusals > 9, "{refusals}");
        spawner.spawn(sh("exit", TERMINAL)).await.unwrap();
    });
}
