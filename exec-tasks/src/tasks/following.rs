//! Being told of tasks.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use exec_protocol::task::{Scope, SettledParams, UpdatedParams};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::{Tasks, look_at};
use crate::context::Context;
use crate::error::TaskError;
use crate::feed::{Ended, Position};
use crate::queue::Number;

/// Between two times that a client is told of a task's changes.
const BETWEEN_UPDATES: Duration = Duration::from_secs(1);

/// How much is told at a time: what a slow client has not taken yet costs a position.
const AT_A_TIME: usize = 100;

/// What a client is told of tasks.
#[derive(Debug)]
pub struct Subscription {
    context: Arc<Context>,
    scope: Scope,
    position: Position,
    changes: watch::Receiver<u64>,
    /// Ends that are to be told.
    ended: VecDeque<Ended>,
    /// Tasks that are to be told of, and when that may be.
    due: HashMap<Number, Instant>,
    /// When tasks were told of last, as far as that matters.
    told: HashMap<Number, Instant>,
}

/// What a client is told.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// A task has changed.
    Updated(UpdatedParams),
    /// An attempt has ended.
    Settled(Box<SettledParams>),
}

impl Tasks {
    /// Tells of the tasks of a scope, from now on.
    ///
    /// # Errors
    ///
    /// If there are no tasks here.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn subscribe(&self, scope: Scope) -> Result<Subscription, TaskError> {
        let context = self.context().await?;
        Ok(Subscription {
            scope,
            changes: context.feed.changes(),
            position: context.feed.position(),
            context,
            ended: VecDeque::new(),
            due: HashMap::new(),
            told: HashMap::new(),
        })
    }
}

impl Subscription {
    /// Waits for something to tell: at most one update of a task each second, and each end.
    ///
    /// # Errors
    ///
    /// When there are no tasks any more.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: what was about to be told is lost.
    pub async fn next(&mut self) -> Result<Vec<Told>, TaskError> {
        loop {
            self.changes.mark_unchanged();
            self.take_news();
            let told = self.tell().await?;
            if !told.is_empty() {
                return Ok(told);
            }
            let next = self.due.values().min().copied();
            if !self.ended.is_empty() || next.is_some_and(|at| at <= Instant::now()) {
                continue;
            }
            tokio::select! {
                changed = self.changes.changed() => changed.map_err(|_| TaskError::ShuttingDown)?,
                () = async { sleep_until(next.unwrap_or_else(Instant::now)).await }, if next.is_some() => {}
            }
        }
    }

    fn take_news(&mut self) {
        let news = self.context.feed.news(&mut self.position);
        let now = Instant::now();
        self.told.retain(|_, told| *told + BETWEEN_UPDATES > now);
        for task in news.changed {
            let at = self.told.get(&task).map_or(now, |told| *told + BETWEEN_UPDATES);
            self.due.entry(task).or_insert(at);
        }
        self.ended.extend(news.ended);
    }

    /// Some of what may be told now.
    async fn tell(&mut self) -> Result<Vec<Told>, TaskError> {
        let now = Instant::now();
        let due = self.due.iter().filter(|(_, at)| **at <= now);
        let changed: Vec<_> = due.map(|(task, _)| *task).take(AT_A_TIME).collect();
        for task in &changed {
            self.due.remove(task);
            self.told.insert(*task, now);
        }
        let ended: Vec<_> = self.ended.drain(..self.ended.len().min(AT_A_TIME)).collect();
        if changed.is_empty() && ended.is_empty() {
            return Ok(Vec::new());
        }
        let scope = self.scope.clone();
        look_at(&self.context, move |engine| {
            let mut told = Vec::new();
            for task in changed {
                told.extend(engine.update(task, &scope)?.map(Told::Updated));
            }
            for ended in ended {
                told.extend(
                    engine
                        .settled(ended, &scope)?
                        .map(|settled| Told::Settled(Box::new(settled))),
                );
            }
            Ok(told)
        })
        .await
    }
}
