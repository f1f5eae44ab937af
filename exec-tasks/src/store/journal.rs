//! What was written to the journal is brought into the file itself, by a thread of its own.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::StoreError;
use crate::threads::Worker;

/// Rows that change before it is done again: their pages fit into what the journal has room for.
const CHANGES: u64 = 30;

/// How long it may become, in pages of 4 KiB, before whoever changes records waits: while they go on, it cannot begin anew.
const LONG: i64 = 2_048;

/// Brings what was written to the journal into the file itself. It waits for the disk, which may take seconds while others
/// write; whoever changes records does not wait for it.
#[derive(Debug)]
pub(super) struct Journal {
    database: PathBuf,
    worker: Worker,
    is_at_work: Arc<AtomicBool>,
    /// How long it was when it was looked at last, in pages.
    pages: Arc<AtomicI64>,
    /// How many rows had changed when it was begun last.
    done: u64,
}

impl Journal {
    /// That of this file.
    ///
    /// # Errors
    ///
    /// When the system has no thread to give.
    pub(super) fn new(database: &Path) -> io::Result<Self> {
        Ok(Self {
            database: database.to_owned(),
            worker: Worker::start("exec-tasks-disk")?,
            is_at_work: Arc::default(),
            pages: Arc::default(),
            done: 0,
        })
    }

    /// Begins, if so many rows have changed in all that it is time, and it is not under way. True if whoever changes records has
    /// to do it: it is too long.
    pub(super) fn look(&mut self, changes: u64) -> bool {
        if self.pages.swap(0, Ordering::Relaxed) > LONG {
            return true;
        }
        if changes < self.done + CHANGES || self.is_at_work.swap(true, Ordering::Acquire) {
            return false;
        }
        self.done = changes;
        let database = self.database.clone();
        let (is_at_work, pages) = (Arc::clone(&self.is_at_work), Arc::clone(&self.pages));
        let begun = self.worker.try_begin(move || {
            let outcome = write_back(&database);
            let error = outcome
                .as_ref()
                .err()
                .map(|error| error as &dyn std::error::Error);
            if let Some(error) = error {
                tracing::warn!(error, "records stay in the journal");
            }
            pages.store(outcome.unwrap_or(0), Ordering::Relaxed);
            is_at_work.store(false, Ordering::Release);
        });
        if !begun {
            self.is_at_work.store(false, Ordering::Release);
        }
        false
    }
}

/// As far as nobody is in the way of it, and in nobody's way. Gives how long the journal was, in pages.
pub(super) fn write_back(database: &Path) -> Result<i64, StoreError> {
    let db = Connection::open(database)?;
    // It may be the last to close the file, and then is not to delete the journal.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // It says whether somebody was in the way, how long the journal was, and how much of that is in the file.
    Ok(db.query_row("PRAGMA wal_checkpoint(passive)", [], |row| row.get(1))?)
}
