//! Tasks on disk.

use exec_protocol::process::EndReason;
use exec_protocol::task::{TaskId, TaskState};
use exec_protocol::{Group, StartKey};
use rusqlite::{OptionalExtension as _, Row};

use super::{Json, Name, Store, StoreError, json, signed, unsigned};
use crate::queue::Number;
use crate::spec::Spec;

/// A task that is not there yet.
#[derive(Debug)]
pub(crate) struct NewTask<'a> {
    pub(crate) spec: &'a Spec,
    pub(crate) submitted_at_ms: u64,
    pub(crate) incarnation: &'a str,
}

/// A task as it is kept.
#[derive(Debug, Clone)]
pub(crate) struct TaskRow {
    pub(crate) number: Number,
    pub(crate) spec: Spec,
    pub(crate) state: TaskState,
    pub(crate) submitted_at_ms: u64,
    /// When its next attempt may begin, if it waits for that.
    pub(crate) not_before_ms: Option<u64>,
    pub(crate) ended_at_ms: Option<u64>,
    pub(crate) end_reason: Option<EndReason>,
    pub(crate) ended_by: Option<String>,
    pub(crate) is_silent: bool,
    pub(crate) attempts: u32,
    pub(crate) incarnation: String,
}

/// What of a task a row is made of.
pub(super) const COLUMNS: &str = "number, spec, state, submitted_at_ms, not_before_ms, ended_at_ms, end_reason, ended_by, is_silent, \
     attempts, incarnation";

impl TaskRow {
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            number: row.get(0)?,
            spec: row.get::<_, Json<Spec>>(1)?.0,
            state: row.get::<_, Name<TaskState>>(2)?.0,
            submitted_at_ms: unsigned(row.get(3)?),
            not_before_ms: row.get::<_, Option<i64>>(4)?.map(unsigned),
            ended_at_ms: row.get::<_, Option<i64>>(5)?.map(unsigned),
            end_reason: row.get::<_, Option<Name<EndReason>>>(6)?.map(|name| name.0),
            ended_by: row.get(7)?,
            is_silent: row.get(8)?,
            attempts: row.get(9)?,
            incarnation: row.get(10)?,
        })
    }
}

impl Store {
    /// Takes a task in, which waits.
    pub(crate) fn insert_task(&self, task: &NewTask<'_>) -> Result<TaskRow, StoreError> {
        let NewTask {
            spec,
            submitted_at_ms,
            incarnation,
        } = *task;
        let sql = "INSERT INTO tasks (id, title, grp, parent, lane, state, spec, submit_key, submitted_at_ms, not_before_ms, incarnation)
                   VALUES (?1, ?2, ?3, ?4, ?5, 'queued', ?6, ?7, ?8, ?9, ?10)";
        self.db.prepare_cached(sql)?.execute((
            spec.id.as_str(),
            &spec.title,
            spec.params.group.as_ref().map(Group::as_str),
            spec.params.parent.as_ref().map(Group::as_str),
            spec.params.lane.as_str(),
            json(spec)?,
            spec.params.submit_key.as_ref().map(StartKey::as_str),
            signed(submitted_at_ms),
            spec.params.not_before.map(signed),
            incarnation,
        ))?;
        Ok(TaskRow {
            number: self.db.last_insert_rowid(),
            spec: spec.clone(),
            state: TaskState::Queued,
            submitted_at_ms,
            not_before_ms: spec.params.not_before,
            ended_at_ms: None,
            end_reason: None,
            ended_by: None,
            is_silent: false,
            attempts: 0,
            incarnation: incarnation.to_owned(),
        })
    }

    /// Keeps what has changed of a task: everything but what was submitted.
    pub(crate) fn update_task(&self, task: &TaskRow) -> Result<(), StoreError> {
        let sql = "UPDATE tasks SET state = ?2, not_before_ms = ?3, ended_at_ms = ?4, end_reason = ?5, ended_by = ?6,
                   is_silent = ?7, attempts = ?8, incarnation = ?9 WHERE number = ?1";
        let reason = task
            .end_reason
            .map(|reason| serde_json::to_value(reason).unwrap_or_default());
        self.db.prepare_cached(sql)?.execute((
            task.number,
            task.state.as_str(),
            task.not_before_ms.map(signed),
            task.ended_at_ms.map(signed),
            reason.as_ref().and_then(serde_json::Value::as_str),
            &task.ended_by,
            task.is_silent,
            task.attempts,
            &task.incarnation,
        ))?;
        Ok(())
    }

    /// The task with this number.
    pub(crate) fn task(&self, number: Number) -> Result<Option<TaskRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM tasks WHERE number = ?1");
        let mut statement = self.db.prepare_cached(&sql)?;
        Ok(statement.query_row([number], TaskRow::read).optional()?)
    }

    /// The task with this id.
    pub(crate) fn task_called(&self, id: &str) -> Result<Option<TaskRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM tasks WHERE id = ?1");
        let mut statement = self.db.prepare_cached(&sql)?;
        Ok(statement.query_row([id], TaskRow::read).optional()?)
    }

    /// The task that was submitted under this key.
    pub(crate) fn task_of_key(&self, key: &str) -> Result<Option<TaskRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM tasks WHERE submit_key = ?1");
        let mut statement = self.db.prepare_cached(&sql)?;
        Ok(statement.query_row([key], TaskRow::read).optional()?)
    }

    /// The ids that begin so, at most so many, in their order.
    pub(crate) fn ids_from(&self, prefix: &str, at_most: usize) -> Result<Vec<TaskId>, StoreError> {
        // No id has that last character, and each that it may have comes before it.
        let sql = "SELECT id FROM tasks WHERE id >= ?1 AND id < ?1 || char(127) ORDER BY id LIMIT ?2";
        let mut statement = self.db.prepare_cached(sql)?;
        let ids = statement.query_map((prefix, signed(at_most as u64)), |row| {
            row.get::<_, Name<TaskId>>(0)
        })?;
        Ok(ids.map(|id| id.map(|id| id.0)).collect::<Result<_, _>>()?)
    }

    /// Every task that waits or runs, in the order of their submissions.
    pub(crate) fn active_tasks(&self) -> Result<Vec<TaskRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM tasks WHERE state IN ('queued', 'running') ORDER BY number");
        let mut statement = self.db.prepare_cached(&sql)?;
        Ok(statement
            .query_map([], TaskRow::read)?
            .collect::<Result<_, _>>()?)
    }

    /// How many tasks are kept.
    pub(crate) fn count_tasks(&self) -> Result<u64, StoreError> {
        let count = self
            .db
            .prepare_cached("SELECT count(*) FROM tasks")?
            .query_row([], |row| row.get(0))?;
        Ok(unsigned(count))
    }

    /// Ended tasks that ended before a time, or are beyond the count of their groups; those without a group are one.
    pub(crate) fn superfluous(
        &self,
        group: Option<&str>,
        ended_before_ms: u64,
        keep_per_group: u32,
    ) -> Result<Vec<(Number, TaskId)>, StoreError> {
        let sql = "SELECT number, id FROM (
                       SELECT number, id, ended_at_ms,
                              row_number() OVER (PARTITION BY grp ORDER BY ended_at_ms DESC, number DESC) AS place
                       FROM tasks WHERE state NOT IN ('queued', 'running') AND (?1 IS NULL OR grp = ?1))
                   WHERE ended_at_ms < ?2 OR place > ?3 ORDER BY number";
        let mut statement = self.db.prepare_cached(sql)?;
        let read = |row: &Row<'_>| Ok((row.get(0)?, row.get::<_, Name<TaskId>>(1)?.0));
        let rows = statement.query_map((group, signed(ended_before_ms), keep_per_group), read)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Forgets a task with its attempts.
    pub(crate) fn delete_task(&self, number: Number) -> Result<(), StoreError> {
        self.db
            .prepare_cached("DELETE FROM tasks WHERE number = ?1")?
            .execute([number])?;
        Ok(())
    }
}
