//! The shape of the records, and how older ones are brought to it.

use rusqlite::Connection;

use super::StoreError;

/// Says that a file is one of ours, to whoever looks at it: `EXTK`.
const APPLICATION_ID: i64 = 0x4558_544b;

/// From one version to the next, beginning with an empty file. What was once released stays as it is.
const STEPS: [&str; 1] = [include_str!("schema/1.sql")];

/// How much of the file is kept free for when the disk is full, in pages of 4 KiB. A task's end takes two or three.
const SPARE_PAGES: i64 = 512;

/// The version that is written here.
const VERSION: i64 = 1;

const _: () = assert!(STEPS.len() == 1, "each version has a step to it");

/// Refuses records that this server cannot know.
pub(super) fn check(db: &Connection) -> Result<(), StoreError> {
    let found = version(db)?;
    if found > VERSION {
        return Err(StoreError::TooNew {
            found,
            known: VERSION,
        });
    }
    Ok(())
}

/// Brings the records up to date, whole or not at all.
pub(super) fn migrate(db: &mut Connection) -> Result<(), StoreError> {
    let found = version(db)?;
    let first = usize::try_from(found).unwrap_or(0);
    let change = db.transaction()?;
    for step in STEPS.iter().skip(first) {
        change.execute_batch(step)?;
    }
    if first < STEPS.len() {
        change.pragma_update(None, "application_id", APPLICATION_ID)?;
        change.pragma_update(None, "user_version", VERSION)?;
    }
    change.commit()?;
    Ok(())
}

/// Makes the file, and the journal beside it, larger than they need be: how tasks end can be kept when logs have filled the disk.
///
/// # Errors
///
/// If there is no room even now.
pub(super) fn set_room_aside(db: &mut Connection) -> Result<(), StoreError> {
    // What an earlier server left in the journal: it has its length, and is to have no more.
    begin_journal_anew(db)?;
    let page: i64 = pragma(db, "page_size")?;
    let pages_before: i64 = pragma(db, "page_count")?;
    let change = db.transaction()?;
    change.execute(
        "INSERT INTO spare (bytes) VALUES (zeroblob(?1))",
        [SPARE_PAGES * page],
    )?;
    let grown = pragma(&change, "page_count")? - pages_before;
    if grown > 0 && !has_room_for(&change, (grown + SPARE_PAGES) * page) {
        // In the journal, it could not be brought into the file any more, and nothing behind it.
        let full = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_FULL);
        return Err(rusqlite::Error::SqliteFailure(full, None).into());
    }
    change.commit()?;
    begin_journal_anew(db)?;
    db.execute("DELETE FROM spare", [])?;
    begin_journal_anew(db)
}

/// Whether the file system has so many bytes left. Where that cannot be told, it has.
fn has_room_for(db: &Connection, bytes: i64) -> bool {
    let left = db.path().and_then(|path| rustix::fs::statvfs(path).ok());
    left.is_none_or(|left| left.f_bavail.saturating_mul(left.f_frsize) >= bytes.unsigned_abs())
}

fn pragma(db: &Connection, name: &str) -> Result<i64, StoreError> {
    Ok(db.pragma_query_value(None, name, |row| row.get(0))?)
}

/// Writes what is in the journal into the file itself. The journal keeps its length and is written anew from its beginning.
pub(super) fn begin_journal_anew(db: &Connection) -> Result<(), StoreError> {
    db.query_row("PRAGMA wal_checkpoint(restart)", [], |_| Ok(()))?;
    Ok(())
}

fn version(db: &Connection) -> Result<i64, StoreError> {
    pragma(db, "user_version")
}
