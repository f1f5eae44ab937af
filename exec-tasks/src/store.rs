//! The records on disk.

mod attempts;
mod choice;
mod journal;
mod lanes;
mod notices;
mod schema;
mod tasks;

use std::path::Path;

use rusqlite::Connection;
use rusqlite::config::DbConfig;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ValueRef};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(crate) use attempts::AttemptRow;
pub(crate) use choice::{Choice, Order};
use journal::Journal;
pub(crate) use tasks::{NewTask, TaskRow};

/// What the library may hold of the file in memory, in KiB, negated, as it wants it.
const CACHE_KIB: i64 = -4096;

/// The records on disk, in a database. Whoever calls has it to itself, and may be blocked by the disk.
#[derive(Debug)]
pub(crate) struct Store {
    db: Connection,
    journal: Journal,
}

/// Why records cannot be read or kept.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A server that came after this one has written them.
    #[error("the records are of version {found}, and this server knows none later than {known}")]
    TooNew {
        /// The version there.
        found: i64,
        /// The latest that is known here.
        known: i64,
    },
    /// The system has no thread to give.
    #[error("no thread can be started")]
    Thread(#[source] std::io::Error),
    /// The file is not one of ours, or the disk does not let us.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
}

impl StoreError {
    /// Whether there is no room on the disk.
    pub fn is_full(&self) -> bool {
        let full = Some(rusqlite::ErrorCode::DiskFull);
        matches!(self, Self::Sqlite(error) if error.sqlite_error_code() == full)
    }
}

impl Store {
    /// Opens the records, makes them if there are none, and brings older ones up to date.
    ///
    /// # Errors
    ///
    /// A [`StoreError`]; the records are as they were.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let mut db = Connection::open(path)?;
        schema::check(&db)?;
        db.pragma_update(None, "journal_mode", "wal")?;
        // What was written outlives this program; a machine that loses its power may lose the last of it.
        db.pragma_update(None, "synchronous", "normal")?;
        db.pragma_update(None, "foreign_keys", true)?;
        db.pragma_update(None, "cache_size", CACHE_KIB)?;
        // It waits for the disk; see `journal`.
        db.pragma_update(None, "wal_autocheckpoint", 0)?;
        // A journal that is deleted at the end would have to find room again at the next start.
        db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        schema::migrate(&mut db)?;
        choice::add_functions(&db)?;
        let journal = Journal::new(path).map_err(StoreError::Thread)?;
        Ok(Self { db, journal })
    }

    /// Makes room for how tasks end, for when logs have filled the disk. Waits for the disk.
    pub(crate) fn set_room_aside(&mut self) {
        // Whoever is to make room must be able to see what there is, and to remove it.
        if let Err(error) = schema::set_room_aside(&mut self.db) {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "there is less room than usual for how tasks end"
            );
        }
    }

    /// Sees to it that the journal does not become long.
    pub(crate) fn look_after_journal(&mut self) {
        if self.journal.look(self.db.total_changes())
            && let Err(error) = schema::begin_journal_anew(&self.db)
        {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the journal of records becomes long"
            );
        }
    }

    /// Carries out `change` whole or not at all.
    ///
    /// # Errors
    ///
    /// That of `change`, or of the disk.
    pub(crate) fn change<T>(
        &mut self,
        change: impl FnOnce(&Self) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.db.execute_batch("BEGIN IMMEDIATE")?;
        let outcome = change(self).and_then(|value| {
            self.db.execute_batch("COMMIT")?;
            Ok(value)
        });
        if outcome.is_err() && !self.db.is_autocommit() {
            // What made the change fail may make this fail too; then nothing can be changed any more, and says so.
            let _ = self.db.execute_batch("ROLLBACK");
        }
        outcome
    }

    /// Says that this server is there: who began when, and is alive now.
    pub(crate) fn touch_server(&self, incarnation: &str, now_ms: u64) -> Result<(), StoreError> {
        let sql =
            "INSERT INTO servers (incarnation, pid, started_at_ms, last_seen_ms) VALUES (?1, ?2, ?3, ?3)
                   ON CONFLICT (incarnation) DO UPDATE SET last_seen_ms = excluded.last_seen_ms";
        self.db
            .prepare_cached(sql)?
            .execute((incarnation, std::process::id(), signed(now_ms)))?;
        Ok(())
    }

    /// When a server was seen last, in Unix milliseconds; 0 if it is not known.
    pub(crate) fn last_seen_ms(&self, incarnation: &str) -> Result<u64, StoreError> {
        let sql = "SELECT last_seen_ms FROM servers WHERE incarnation = ?1";
        let mut statement = self.db.prepare_cached(sql)?;
        let mut rows = statement.query([incarnation])?;
        Ok(rows
            .next()?
            .map(|row| row.get(0))
            .transpose()?
            .map_or(0, unsigned))
    }

    /// What waits is this server's from now on.
    pub(crate) fn take_over(&self, incarnation: &str) -> Result<(), StoreError> {
        let sql = "UPDATE tasks SET incarnation = ?1 WHERE state = 'queued'";
        self.db.execute(sql, [incarnation])?;
        Ok(())
    }

    /// Forgets servers that no task was with.
    pub(crate) fn forget_servers(&self, but: &str) -> Result<(), StoreError> {
        let sql = "DELETE FROM servers WHERE incarnation <> ?1
                   AND incarnation NOT IN (SELECT incarnation FROM tasks)";
        self.db.execute(sql, [but])?;
        Ok(())
    }
}

/// A time or a count as the database has it, whose integers are signed.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// A value that is kept as JSON.
#[derive(Debug)]
struct Json<T>(T);

impl<T: DeserializeOwned> FromSql for Json<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let parsed = serde_json::from_slice(value.as_bytes()?);
        parsed
            .map(Self)
            .map_err(|error| FromSqlError::Other(Box::new(error)))
    }
}

fn json(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)).into())
}

/// A member of one of our enums, by its name on the wire.
#[derive(Debug)]
struct Name<T>(T);

impl<T: DeserializeOwned> FromSql for Name<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let name = serde_json::Value::from(value.as_str()?);
        let parsed = serde_json::from_value(name);
        parsed
            .map(Self)
            .map_err(|error| FromSqlError::Other(Box::new(error)))
    }
}

#[cfg(test)]
mod tests;
