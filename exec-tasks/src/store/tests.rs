//! Records that are opened again.

use exec_protocol::WirePath;
use exec_protocol::task::{ListParams, SubmitParams, TaskId, TaskState};

use super::*;
use crate::spec::{Defaults, Spec};

fn spec(id: &str, params: SubmitParams) -> Spec {
    let defaults = Defaults {
        shell: "/bin/sh".to_owned(),
        cwd: WirePath::parse("/tmp").unwrap(),
        output_bytes: 7,
    };
    let params = SubmitParams {
        command: Some("true".to_owned()),
        ..params
    };
    Spec::new(params, TaskId::new(id).unwrap(), &defaults).unwrap()
}

fn insert(store: &Store, spec: &Spec) -> TaskRow {
    let new = NewTask {
        spec,
        submitted_at_ms: 5,
        incarnation: "one",
    };
    store.insert_task(&new).unwrap()
}

#[test]
fn what_was_kept_is_there_after_the_next_start() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let mut row = {
        let store = Store::open(&path).unwrap();
        insert(&store, &spec("first", SubmitParams::default()))
    };
    let store = Store::open(&path).unwrap();
    row.state = TaskState::Running;
    row.attempts = 2;
    store.update_task(&row).unwrap();
    let kept = store.task_called("first").unwrap().unwrap();
    assert_eq!(
        (kept.state, kept.attempts, &kept.spec),
        (TaskState::Running, 2, &row.spec)
    );
}

#[test]
fn records_of_a_later_version_are_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    drop(Store::open(&path).unwrap());
    let db = Connection::open(&path).unwrap();
    db.pragma_update(None, "user_version", 1_000).unwrap();
    drop(db);
    let before = std::fs::read(&path).unwrap();
    let error = Store::open(&path).unwrap_err();
    assert!(
        matches!(error, StoreError::TooNew { found: 1_000, .. }),
        "{error:?}"
    );
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn what_is_no_database_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    std::fs::write(
        &path,
        b"notes of somebody else, which are longer than a header is",
    )
    .unwrap();
    assert!(matches!(Store::open(&path), Err(StoreError::Sqlite(_))));
    assert!(std::fs::read(&path).unwrap().starts_with(b"notes"));
}

#[test]
fn a_change_that_fails_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = Store::open(&directory.path().join("tasks.db")).unwrap();
    let spec = spec("a", SubmitParams::default());
    let outcome: Result<(), _> = store.change(|store| {
        insert(store, &spec);
        Err(StoreError::TooNew { found: 0, known: 0 })
    });
    assert!(outcome.is_err());
    assert_eq!(store.count_tasks().unwrap(), 0);
    insert(&store, &spec);
}

#[test]
fn an_id_is_found_by_how_it_begins() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&directory.path().join("tasks.db")).unwrap();
    for id in ["a", "ab", "abc", "b-1", "B"] {
        insert(&store, &spec(id, SubmitParams::default()));
    }
    let ids = |prefix: &str| {
        let ids = store.ids_from(prefix, 10).unwrap();
        ids.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(ids("ab"), ["ab", "abc"]);
    assert_eq!(ids("b"), ["b-1"]);
    assert_eq!(ids("c"), [""; 0]);
    assert_eq!(store.ids_from("a", 2).unwrap().len(), 2);
}

#[test]
fn a_text_in_a_title_is_no_pattern_and_labels_are_compared_whole() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&directory.path().join("tasks.db")).unwrap();
    for (id, title) in [("a", "100% done"), ("b", "100 done")] {
        let params = SubmitParams {
            title: Some(title.to_owned()),
            labels: [
                ("it's".to_owned(), id.to_owned()),
                ("all".to_owned(), String::new()),
            ]
            .into(),
            ..SubmitParams::default()
        };
        insert(&store, &spec(id, params));
    }
    insert(&store, &spec("without", SubmitParams::default()));
    let chosen = |params: ListParams| {
        let rows = store
            .choose(&Choice::of_list(&params), Order::Newest, 10)
            .unwrap();
        rows.into_iter()
            .map(|row| row.spec.id.to_string())
            .collect::<Vec<_>>()
    };
    let titled = |title: &str| ListParams {
        title: Some(title.to_owned()),
        ..ListParams::default()
    };
    assert_eq!(chosen(titled("0% D")), ["a"]);
    assert_eq!(chosen(titled("done")), ["b", "a"]);
    let labelled = |labels: &[(&str, &str)]| ListParams {
        labels: labels
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        ..ListParams::default()
    };
    assert_eq!(chosen(labelled(&[("it's", "b")])), ["b"]);
    assert_eq!(chosen(labelled(&[("all", "")])), ["b", "a"]);
    assert_eq!(chosen(labelled(&[("it's", "a"), ("all", "")])), ["a"]);
    assert_eq!(chosen(labelled(&[("it's", "a"), ("all", "x")])), [""; 0]);
    assert_eq!(chosen(labelled(&[("it", "a")])), [""; 0]);
}

#[test]
fn there_is_room_for_ends_when_the_disk_is_full() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let mut store = Store::open(&path).unwrap();
    store.set_room_aside();
    let journal = directory.path().join("tasks.db-wal");
    let lengths = || [&path, &journal].map(|path| std::fs::metadata(path).unwrap().len());
    let before = lengths();
    for number in 0..100 {
        insert(&store, &spec(&format!("t{number}"), SubmitParams::default()));
        if number % 25 == 0 {
            journal::write_back(&path).unwrap();
        }
    }
    assert_eq!(lengths(), before, "files grew that were to have room");
    drop(store);
    assert_eq!(lengths(), before, "the next server would have to find room again");
    Store::open(&path).unwrap().set_room_aside();
}

#[test]
fn the_journal_does_not_become_long() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let mut store = Store::open(&path).unwrap();
    let journal = directory.path().join("tasks.db-wal");
    for number in 0..2_000 {
        insert(&store, &spec(&format!("t{number}"), SubmitParams::default()));
        store.look_after_journal();
    }
    let bytes = std::fs::metadata(journal).unwrap().len();
    // 60 MB, if it did not begin anew.
    assert!(bytes < 30 << 20, "{bytes} bytes");
}
