//! Which file a program's name means.
use crate::support::{PIPES, beside, command, run, script};
use pty_utils::Command;
use std::{fs, path::Path};
use tempfile::TempDir;

/// A directory with `a/tool` and `b/tool`, each of which says where it is.
async fn tools() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for name in ["a", "b"] {
        fs::create_dir(directory.path().join(name)).unwrap();
        let text = format!("#!/bin/sh\necho {name}\n");
        script(&directory.path().join(name).join("tool"), "755", &text).await;
    }
    directory
}

fn tool(cwd: &Path, path: &str) -> Command {
    let mut command = command(&["tool"], PIPES);
    command.cwd = cwd.into();
    command.env = vec![("PATH".into(), path.into())];
    command
}

#[test]
fn the_childs_path_counts_and_not_ours() {
    beside(async {
        let tools = tools().await;
        let (a, b) = (tools.path().join("a"), tools.path().join("b"));
        let path = format!("{}:{}", b.display(), a.display());
        assert_eq!(run(tool(tools.path(), &path)).await.text(), "b\n");
    });
}

#[test]
fn a_relative_element_is_relative_to_the_childs_cwd() {
    beside(async {
        let tools = tools().await;
        assert_eq!(run(tool(tools.path(), "nowhere:b")).await.text(), "b\n");
    });
}

#[test]
fn an_empty_element_is_the_childs_cwd() {
    beside(async {
        let tools = tools().await;
        for path in ["", ":/nowhere", "/nowhere:", "/nowhere::/nowhere"] {
            assert_eq!(
                run(tool(&tools.path().join("a"), path)).await.text(),
                "a\n",
                "{path:?}"
            );
        }
    });
}

#[test]
fn a_name_with_a_slash_is_relative_to_the_childs_cwd() {
    beside(async {
        let tools = tools().await;
        let mut command = tool(tools.path(), "");
        command.argv = vec!["a/tool".into()];
        assert_eq!(run(command).await.text(), "a\n");
    });
}

#[test]
fn without_a_path_the_system_directories_are_searched() {
    beside(async {
        let mut command = command(&["echo", "found"], PIPES);
        command.env.clear();
        assert_eq!(run(command).await.text(), "found\n");
    });
}

#[test]
fn a_file_that_may_not_run_does_not_end_the_search() {
    beside(async {
        let tools = tools().await;
        for name in ["denied", "directory", "dangling"] {
            fs::create_dir(tools.path().join(name)).unwrap();
        }
        script(&tools.path().join("denied/tool"), "644", "#!/bin/sh\n").await;
        fs::create_dir(tools.path().join("directory/tool")).unwrap();
        script(&tools.path().join("dangling/tool"), "755", "#!/no/interpreter\n").await;
        let command = tool(tools.path(), "denied:directory:dangling:denied/tool:a:b");
        assert_eq!(run(command).await.text(), "a\n");
    });
}
