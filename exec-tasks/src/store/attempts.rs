//! Attempts on disk.

use exec_protocol::task::Attempt;
use rusqlite::Row;

use super::{Json, Store, StoreError, json, signed, unsigned};
use crate::queue::Number;

/// An attempt as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AttemptRow {
    pub(crate) attempt: Attempt,
    /// Lines of its output.
    pub(crate) lines: u64,
}

impl Store {
    /// Keeps an attempt as it is now.
    pub(crate) fn put_attempt(&self, task: Number, row: &AttemptRow) -> Result<(), StoreError> {
        let sql = "INSERT INTO attempts (task, attempt, state, record, lines) VALUES (?1, ?2, ?3, ?4, ?5)
                   ON CONFLICT (task, attempt) DO UPDATE
                   SET state = excluded.state, record = excluded.record, lines = excluded.lines";
        let attempt = &row.attempt;
        self.db.prepare_cached(sql)?.execute((
            task,
            attempt.attempt,
            attempt.state.as_str(),
            json(attempt)?,
            signed(row.lines),
        ))?;
        Ok(())
    }

    /// The last attempts of a task, in their order.
    pub(crate) fn last_attempts(&self, task: Number, at_most: u32) -> Result<Vec<AttemptRow>, StoreError> {
        let sql = "SELECT record, lines FROM attempts WHERE task = ?1 ORDER BY attempt DESC LIMIT ?2";
        let mut statement = self.db.prepare_cached(sql)?;
        let rows = statement.query_map((task, at_most), read)?;
        let mut attempts = rows.collect::<Result<Vec<_>, _>>()?;
        attempts.reverse();
        Ok(attempts)
    }

    /// One attempt of a task.
    pub(crate) fn attempt(&self, task: Number, attempt: u32) -> Result<Option<AttemptRow>, StoreError> {
        let sql = "SELECT record, lines FROM attempts WHERE task = ?1 AND attempt = ?2";
        let mut statement = self.db.prepare_cached(sql)?;
        let mut rows = statement.query_map((task, attempt), read)?;
        Ok(rows.next().transpose()?)
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<AttemptRow> {
    Ok(AttemptRow {
        attempt: row.get::<_, Json<Attempt>>(0)?.0,
        lines: unsigned(row.get(1)?),
    })
}
