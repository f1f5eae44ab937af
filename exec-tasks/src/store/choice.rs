//! Which tasks are meant, as conditions of a query.

use exec_protocol::StringMap;
use exec_protocol::task::{ListParams, Scope, TaskState};
use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, ToSql, params_from_iter};

use super::tasks::COLUMNS;
use super::{Store, StoreError, TaskRow, unsigned};
use crate::queue::Number;

/// Which tasks are meant: those that meet each condition.
#[derive(Default)]
pub(crate) struct Choice {
    conditions: Vec<String>,
    values: Vec<Box<dyn ToSql>>,
}

impl std::fmt::Debug for Choice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(&self.conditions).finish()
    }
}

impl Choice {
    /// Those of a scope.
    pub(crate) fn of_scope(scope: &Scope) -> Self {
        let mut choice = Self::default();
        if let Some(group) = &scope.group {
            choice.add("grp = ?", group.as_str().to_owned());
        }
        if let Some(parent) = &scope.parent {
            choice.add("parent = ?", parent.as_str().to_owned());
        }
        choice
    }

    /// Those of a scope that have not ended.
    pub(crate) fn active(scope: &Scope) -> Self {
        Self::of_scope(scope).in_states(&[TaskState::Queued, TaskState::Running])
    }

    /// Those that a list is to have, but for where it begins.
    pub(crate) fn of_list(params: &ListParams) -> Self {
        let mut choice = Self::of_scope(&Scope {
            group: params.group.clone(),
            parent: params.parent.clone(),
        });
        if let Some(lane) = &params.lane {
            choice.add("lane = ?", lane.as_str().to_owned());
        }
        if !params.states.is_empty() {
            choice = choice.in_states(&params.states);
        }
        if !params.labels.is_empty() {
            // One look at a specification, which may be long, for all of them.
            let wanted = serde_json::to_string(&params.labels).expect("names and texts are JSON");
            choice.add("has_labels(json_extract(spec, '$.params.labels'), ?)", wanted);
        }
        if let Some(text) = &params.title {
            // Without wildcards: what is asked for is a text, not a pattern.
            choice.add("instr(without_case(title), ?) > 0", without_case(text));
        }
        choice
    }

    /// Of these, those in one of the states.
    pub(crate) fn in_states(mut self, states: &[TaskState]) -> Self {
        let names: Vec<_> = states
            .iter()
            .map(|state| format!("'{}'", state.as_str()))
            .collect();
        self.conditions.push(format!("state IN ({})", names.join(", ")));
        self
    }

    /// Of these, those that were submitted before a task.
    pub(crate) fn before(mut self, number: Number) -> Self {
        self.add("number < ?", number);
        self
    }

    fn add(&mut self, condition: &str, value: impl ToSql + 'static) {
        self.conditions.push(condition.to_owned());
        self.values.push(Box::new(value));
    }

    fn sql(&self) -> String {
        if self.conditions.is_empty() {
            return "true".to_owned();
        }
        self.conditions.join(" AND ")
    }
}

/// In which order tasks come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// The newest submission first.
    Newest,
    /// The latest end first.
    LatestEnd,
}

impl Store {
    /// Those that are chosen, at most so many.
    pub(crate) fn choose(
        &self,
        choice: &Choice,
        order: Order,
        at_most: u32,
    ) -> Result<Vec<TaskRow>, StoreError> {
        let order = match order {
            Order::Newest => "number DESC",
            Order::LatestEnd => "ended_at_ms DESC, number DESC",
        };
        let condition = choice.sql();
        let sql = format!("SELECT {COLUMNS} FROM tasks WHERE {condition} ORDER BY {order} LIMIT {at_most}");
        let mut statement = self.db.prepare_cached(&sql)?;
        let rows = statement.query_map(params_from_iter(&choice.values), TaskRow::read)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// How many of those that are chosen are in each state.
    pub(crate) fn count_by_state(&self, choice: &Choice) -> Result<Vec<(TaskState, u64)>, StoreError> {
        let sql = format!(
            "SELECT state, count(*) FROM tasks WHERE {} GROUP BY state",
            choice.sql()
        );
        let mut statement = self.db.prepare_cached(&sql)?;
        let rows = statement.query_map(params_from_iter(&choice.values), |row| {
            Ok((row.get::<_, super::Name<TaskState>>(0)?.0, unsigned(row.get(1)?)))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// Adds what conditions need and the database has not: its own `lower` knows the letters of ASCII only, and
/// its own look into JSON reads all of it for each name.
pub(super) fn add_functions(db: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    db.create_scalar_function("without_case", 1, flags, |call| {
        Ok(without_case(&call.get::<String>(0)?))
    })?;
    db.create_scalar_function("has_labels", 2, flags, |call| {
        // There are none where none were given.
        let labels = call.get::<Option<String>>(0)?;
        let labels = labels.as_deref().map(labels_of).transpose()?.unwrap_or_default();
        let wanted = labels_of(&call.get::<String>(1)?)?;
        Ok(wanted.iter().all(|(name, value)| labels.get(name) == Some(value)))
    })
}

fn labels_of(json: &str) -> rusqlite::Result<StringMap> {
    serde_json::from_str(json).map_err(|error| rusqlite::Error::UserFunctionError(error.into()))
}

/// A text of which nothing but the case of its letters is lost. Letter by letter: a part of it is a part of the whole.
fn without_case(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}
