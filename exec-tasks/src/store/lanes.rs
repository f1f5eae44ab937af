//! Lanes on disk.

use exec_protocol::task::LaneName;

use super::{Name, Store, StoreError};

impl Store {
    /// Keeps how many of a lane may run.
    pub(crate) fn put_lane(&self, lane: &LaneName, max_parallel: u32) -> Result<(), StoreError> {
        let sql = "INSERT INTO lanes (name, max_parallel) VALUES (?1, ?2)
                   ON CONFLICT (name) DO UPDATE SET max_parallel = excluded.max_parallel";
        self.db.execute(sql, (lane.as_str(), max_parallel))?;
        Ok(())
    }

    /// The lanes that were made, and how many of each may run.
    pub(crate) fn lanes(&self) -> Result<Vec<(LaneName, u32)>, StoreError> {
        let mut statement = self
            .db
            .prepare("SELECT name, max_parallel FROM lanes ORDER BY name")?;
        let rows = statement.query_map([], |row| Ok((row.get::<_, Name<LaneName>>(0)?.0, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
