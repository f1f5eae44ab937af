//! Notices on disk.

use exec_protocol::Group;
use exec_protocol::task::{Notice, Scope, TaskId};
use rusqlite::Row;

use super::{Json, Store, StoreError, json, signed, unsigned};

/// Notices that wait at a time. Beyond that the oldest goes: nobody has asked for it while so many came.
const MAX_NOTICES: u64 = 10_000;

/// Those of a scope.
const IN_SCOPE: &str = "(?1 IS NULL OR grp = ?1) AND (?2 IS NULL OR parent = ?2)";

impl Store {
    /// Takes a notice in, and gives it its number.
    pub(crate) fn insert_notice(&self, notice: &Notice) -> Result<(), StoreError> {
        let sql = "INSERT INTO notices (task, grp, parent, notice) VALUES (?1, ?2, ?3, ?4)";
        self.db.prepare_cached(sql)?.execute((
            notice.task_id.as_str(),
            notice.group.as_ref().map(Group::as_str),
            notice.parent.as_ref().map(Group::as_str),
            json(notice)?,
        ))?;
        let number = self.db.last_insert_rowid();
        let sql = "DELETE FROM notices WHERE number <= ?1";
        let oldest = number.saturating_sub(signed(MAX_NOTICES));
        self.db.prepare_cached(sql)?.execute([oldest])?;
        Ok(())
    }

    /// The oldest notices of a scope, and how many there are beside them.
    pub(crate) fn notices(&self, scope: &Scope, at_most: u32) -> Result<(Vec<Notice>, u64), StoreError> {
        let group = scope.group.as_ref().map(Group::as_str);
        let parent = scope.parent.as_ref().map(Group::as_str);
        let sql = format!("SELECT number, notice FROM notices WHERE {IN_SCOPE} ORDER BY number LIMIT ?3");
        let mut statement = self.db.prepare_cached(&sql)?;
        let read = |row: &Row<'_>| {
            let Json(notice) = row.get::<_, Json<Notice>>(1)?;
            Ok(Notice {
                notice_id: unsigned(row.get(0)?),
                ..notice
            })
        };
        let notices: Vec<_> = statement
            .query_map((group, parent, at_most), read)?
            .collect::<Result<_, _>>()?;
        let sql = format!("SELECT count(*) FROM notices WHERE {IN_SCOPE}");
        let all = self
            .db
            .prepare_cached(&sql)?
            .query_row((group, parent), |row| row.get(0))?;
        let more = unsigned(all) - notices.len() as u64;
        Ok((notices, more))
    }

    /// Forgets a notice. False if it is not there.
    pub(crate) fn ack_notice(&self, number: u64) -> Result<bool, StoreError> {
        let sql = "DELETE FROM notices WHERE number = ?1";
        Ok(self.db.prepare_cached(sql)?.execute([signed(number)])? > 0)
    }

    /// Forgets the notices of a task.
    pub(crate) fn delete_notices(&self, task: &TaskId) -> Result<(), StoreError> {
        self.db
            .prepare_cached("DELETE FROM notices WHERE task = ?1")?
            .execute([task.as_str()])?;
        Ok(())
    }
}
