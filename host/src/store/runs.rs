//! Table `runs`: one row for each record that an agent in task mode has worked on.
//!
//! Who may write is decided by the row itself: a turn claims the run, and every later write of that turn is for its claim
//! only. What an admin wants is the row's status, which the next write of the turn meets.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::error::StoreError;
use super::{Store, now_ms};

/// Most runs of one list.
pub const RUNS_LISTED_MAX: u32 = 1000;

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RunStatus {
    /// At work, or waiting for its turn.
    Running,
    /// An admin lets it wait.
    Paused,
    /// It does not repeat itself; an admin must choose.
    Diverged,
    /// Its outcome is known and waits for its place in the log's order.
    Finished,
    /// It failed, and its record waits to be set aside.
    Failed,
    /// What it did is committed.
    Done,
    /// Its record is set aside.
    Dead,
    /// An admin ended it; its record is set aside.
    Cancelled,
}

impl RunStatus {
    const ALL: [(Self, &'static str); 8] = [
        (Self::Running, "running"),
        (Self::Paused, "paused"),
        (Self::Diverged, "diverged"),
        (Self::Finished, "finished"),
        (Self::Failed, "failed"),
        (Self::Done, "done"),
        (Self::Dead, "dead"),
        (Self::Cancelled, "cancelled"),
    ];

    /// The word for it, as in SQL and JSON.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(status, _)| *status == self).map_or("", |(_, word)| word)
    }

    fn from_word(word: &str) -> Result<Self, StoreError> {
        let found = Self::ALL.iter().find(|(_, w)| *w == word).map(|(status, _)| *status);
        found.ok_or_else(|| StoreError::Row { table: "runs", reason: format!("status `{word}` is unknown") })
    }
}

/// A run that may begin.
#[derive(Debug, Clone)]
pub struct NewRun {
    /// Key.
    pub id: String,
    /// Name of the agent.
    pub agent: String,
    /// `name@version`.
    pub component: String,
    /// SHA-256 of the component.
    pub digest: String,
    /// Where the record is.
    pub topic: String,
    /// Partition.
    pub partition: u32,
    /// Offset.
    pub offset: u64,
    /// The record's key as text, for people.
    pub key: Option<String>,
    /// Trace that it belongs to.
    pub traceparent: String,
    /// Where its random numbers come from, hexadecimal.
    pub seed: String,
    /// The time that it sees, nanoseconds since 1970.
    pub clock_ns: i64,
}

/// A run as it was written down.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RunRow {
    /// Key.
    pub id: String,
    /// Name of the agent.
    pub agent: String,
    /// `name@version` that wrote its journal.
    pub component: String,
    /// SHA-256 of that component.
    pub digest: String,
    /// Where the record is.
    pub topic: String,
    /// Partition.
    pub partition: u32,
    /// Offset.
    pub offset: u64,
    /// The record's key as text, for people.
    pub key: Option<String>,
    /// How it stands.
    pub status: RunStatus,
    /// SHA-256 of the component that alone may go on with it; none: the newest version.
    pub pinned: Option<String>,
    /// How often it began from nothing, less one.
    pub epoch: u32,
    /// Attempts that failed.
    pub attempts: u32,
    /// Turns that it had.
    pub turns: u32,
    /// What it failed with, or why it stands still: `code`, `message`, `next`, and `stack` where it trapped.
    pub problem: Option<Value>,
    /// SHA-256 over the records that it sends and the state that it changes; none before it is finished.
    pub outputs: Option<String>,
    /// When it began, milliseconds since 1970.
    pub started_ms: i64,
    /// When its outcome was known.
    pub finished_ms: Option<i64>,
    /// Trace that it belongs to.
    #[serde(default)]
    pub traceparent: String,
    /// The turn that may write.
    #[serde(skip)]
    pub claim: String,
    /// Where its random numbers come from, hexadecimal.
    #[serde(skip)]
    pub seed: String,
    /// The time that it sees, nanoseconds since 1970.
    #[serde(skip)]
    pub clock_ns: i64,
    /// What it read after its last step, JSON.
    #[serde(skip)]
    pub readings: String,
}

/// Which runs to list.
#[derive(Debug, Clone, Default)]
pub struct RunFilter {
    /// Only those of this agent.
    pub agent: Option<String>,
    /// Only those that stand so.
    pub status: Option<RunStatus>,
    /// Most rows, newest first.
    pub limit: u32,
    /// Only those after this one, in the order of the list.
    pub after: Option<RunPlace>,
}

/// A run's place in the list: newest first, then by key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunPlace {
    /// When it began, milliseconds since 1970.
    pub started_ms: i64,
    /// Key.
    pub id: String,
}

/// How a finished run is written down.
#[derive(Debug, Clone)]
pub struct Finish<'a> {
    /// `name@version` that finished it.
    pub component: &'a str,
    /// SHA-256 of that component.
    pub digest: &'a str,
    /// SHA-256 over what it does.
    pub outputs: &'a str,
    /// What it read after its last step, JSON.
    pub readings: &'a str,
}

/// How a run that does not go on is written down.
#[derive(Debug, Clone)]
pub struct Halt<'a> {
    /// [`RunStatus::Failed`] or [`RunStatus::Diverged`].
    pub status: RunStatus,
    /// Code of the problem.
    pub code: &'a str,
    /// The problem.
    pub problem: &'a Value,
    /// Attempts that failed.
    pub attempts: u32,
    /// What it read after its last step, JSON; none: as it was.
    pub readings: Option<&'a str>,
}

/// A run begins from nothing again: other random numbers, another time.
#[derive(Debug, Clone)]
pub struct Afresh {
    /// Where its random numbers come from, hexadecimal.
    pub seed: String,
    /// The time that it sees, nanoseconds since 1970.
    pub clock_ns: i64,
}

const COLUMNS: &str = "id, agent, component, digest, topic, part, record_offset, record_key, traceparent, status, \
                       pinned, epoch, attempts, turns, claim, seed, clock_ns, readings, problem, outputs, \
                       started_ms, finished_ms";

impl Store {
    /// Takes a run on for one turn: writes it down where it is new, and claims it where it may go on.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn begin_run(&self, new: &NewRun, claim: &str) -> Result<RunRow, StoreError> {
        sqlx::query(
            "INSERT INTO runs (id, agent, component, digest, topic, part, record_offset, record_key, traceparent, \
             status, epoch, attempts, turns, claim, seed, clock_ns, readings, started_ms) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'running', 0, 0, 0, $10, $11, $12, '[]', $13) \
             ON CONFLICT (id) DO NOTHING",
        )
        .bind(&new.id)
        .bind(&new.agent)
        .bind(&new.component)
        .bind(&new.digest)
        .bind(&new.topic)
        .bind(i64::from(new.partition))
        .bind(int(new.offset))
        .bind(new.key.as_deref())
        .bind(&new.traceparent)
        .bind(claim)
        .bind(&new.seed)
        .bind(new.clock_ns)
        .bind(now_ms())
        .execute(&self.pool)
        .await?;
        // What SQL takes for committed and the log gives again is not committed: the log decides.
        sqlx::query(
            "UPDATE runs SET claim = $2, turns = turns + 1, \
             component = CASE WHEN EXISTS (SELECT 1 FROM run_steps WHERE run = $1) THEN component ELSE $3 END, \
             digest = CASE WHEN EXISTS (SELECT 1 FROM run_steps WHERE run = $1) THEN digest ELSE $4 END, \
             status = CASE WHEN status IN ('finished', 'done') THEN 'running' WHEN status IN ('dead', 'cancelled') \
             THEN 'failed' ELSE status END WHERE id = $1",
        )
        .bind(&new.id)
        .bind(claim)
        .bind(&new.component)
        .bind(&new.digest)
        .execute(&self.pool)
        .await?;
        let missing = || StoreError::Row { table: "runs", reason: format!("run {} is gone", new.id) };
        self.run(&new.id).await?.ok_or_else(missing)
    }

    /// One run.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn run(&self, id: &str) -> Result<Option<RunRow>, StoreError> {
        let query = format!("SELECT {COLUMNS} FROM runs WHERE id = $1");
        let found = sqlx::query(sqlx::AssertSqlSafe(query)).bind(id).fetch_optional(&self.pool).await?;
        found.as_ref().map(row).transpose()
    }

    /// The runs whose key begins so, at most two: enough to know whether it names one.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn runs_beginning(&self, prefix: &str) -> Result<Vec<RunRow>, StoreError> {
        let query = format!("SELECT {COLUMNS} FROM runs WHERE id >= $1 AND id < $2 ORDER BY id LIMIT 2");
        // Keys are hexadecimal: `g` comes after all of them.
        let rows = sqlx::query(sqlx::AssertSqlSafe(query)).bind(prefix).bind(format!("{prefix}g"));
        rows.fetch_all(&self.pool).await?.iter().map(row).collect()
    }

    /// Runs, newest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn runs(&self, filter: &RunFilter) -> Result<Vec<RunRow>, StoreError> {
        let query = format!(
            "SELECT {COLUMNS} FROM runs WHERE ($1 = '' OR agent = $1) AND ($2 = '' OR status = $2) \
             AND ($5 = '' OR started_ms < $4 OR (started_ms = $4 AND id > $5)) ORDER BY started_ms DESC, id LIMIT $3"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(filter.agent.as_deref().unwrap_or_default())
            .bind(filter.status.map_or("", RunStatus::word))
            .bind(i64::from(filter.limit))
            .bind(filter.after.as_ref().map_or(0, |after| after.started_ms))
            .bind(filter.after.as_ref().map_or("", |after| after.id.as_str()));
        rows.fetch_all(&self.pool).await?.iter().map(row).collect()
    }

    /// How an agent's runs stand that have no outcome yet, or failed.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn open_runs(&self, agent: &str) -> Result<Vec<(String, RunStatus)>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, status FROM runs WHERE agent = $1 AND status IN ('running', 'paused', 'diverged', 'failed')",
        );
        let rows = rows.bind(agent).fetch_all(&self.pool).await?;
        let read = |row: &AnyRow| Ok((row.try_get("id")?, RunStatus::from_word(row.try_get("status")?)?));
        rows.iter().map(read).collect()
    }

    /// Writes down that a run is finished. False where the turn may not any more.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn finish_run(&self, id: &str, claim: &str, finish: &Finish<'_>) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE runs SET status = 'finished', component = $3, digest = $4, outputs = $5, readings = $6, \
             finished_ms = $7, problem = NULL, problem_code = NULL \
             WHERE id = $1 AND claim = $2 AND status = 'running'",
        )
        .bind(id)
        .bind(claim)
        .bind(finish.component)
        .bind(finish.digest)
        .bind(finish.outputs)
        .bind(finish.readings)
        .bind(now_ms())
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Writes down that a run has failed for good, or that it stands still. False where the turn may not any more.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn stop_run(&self, id: &str, claim: &str, halt: &Halt<'_>) -> Result<bool, StoreError> {
        let finished = (halt.status == RunStatus::Failed).then(now_ms);
        let done = sqlx::query(
            "UPDATE runs SET status = $3, problem_code = $4, problem = $5, attempts = $6, finished_ms = $7, \
             readings = COALESCE($8, readings) \
             WHERE id = $1 AND claim = $2 AND status = 'running'",
        )
        .bind(id)
        .bind(claim)
        .bind(halt.status.word())
        .bind(halt.code)
        .bind(halt.problem.to_string())
        .bind(i64::from(halt.attempts))
        .bind(finished)
        .bind(halt.readings)
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Writes down that the log has refused what a finished run does.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn refuse_run(&self, id: &str, code: &str, problem: &Value) -> Result<(), StoreError> {
        let refused = sqlx::query(
            "UPDATE runs SET status = 'failed', problem_code = $2, problem = $3 WHERE id = $1 AND status = 'finished'",
        );
        refused.bind(id).bind(code).bind(problem.to_string()).execute(&self.pool).await?;
        Ok(())
    }

    /// Counts a failed attempt after which the run goes on, with its problem.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn count_attempt(&self, id: &str, attempts: u32, problem: &Value) -> Result<(), StoreError> {
        let counted = sqlx::query("UPDATE runs SET attempts = $2, problem = $3, readings = '[]' WHERE id = $1");
        counted.bind(id).bind(i64::from(attempts)).bind(problem.to_string()).execute(&self.pool).await?;
        Ok(())
    }

    /// Writes down that the log has committed what these runs did.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn settle_runs(&self, ids: &[String]) -> Result<(), StoreError> {
        let mut all = self.pool.begin().await?;
        for id in ids {
            let settled = sqlx::query(
                "UPDATE runs SET status = CASE WHEN status = 'finished' THEN 'done' \
                 WHEN problem_code = 'run.cancelled' THEN 'cancelled' ELSE 'dead' END \
                 WHERE id = $1 AND status IN ('finished', 'failed')",
            );
            settled.bind(id).execute(&mut *all).await?;
        }
        all.commit().await?;
        Ok(())
    }

    /// The same for all runs of a partition before an offset: a host that died may have committed and not said so.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn settle_runs_before(
        &self,
        agent: &str,
        topic: &str,
        partition: u32,
        offset: u64,
    ) -> Result<(), StoreError> {
        let settled = sqlx::query(
            "UPDATE runs SET status = CASE WHEN status = 'finished' THEN 'done' \
             WHEN problem_code = 'run.cancelled' THEN 'cancelled' ELSE 'dead' END \
             WHERE agent = $1 AND topic = $2 AND part = $3 AND record_offset < $4 AND status IN ('finished', 'failed')",
        );
        let settled = settled.bind(agent).bind(topic).bind(i64::from(partition)).bind(int(offset));
        settled.execute(&self.pool).await?;
        Ok(())
    }

    /// Removes runs with their journals that were committed before a moment, at most `max`. Returns how many.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn remove_runs(&self, before_ms: i64, max: u32) -> Result<u64, StoreError> {
        let rows = sqlx::query(
            "SELECT id FROM runs WHERE status IN ('done', 'dead', 'cancelled') AND finished_ms < $1 LIMIT $2",
        );
        let rows = rows.bind(before_ms).bind(i64::from(max)).fetch_all(&self.pool).await?;
        let mut all = self.pool.begin().await?;
        let mut removed = 0;
        for row in &rows {
            let id: String = row.try_get("id")?;
            sqlx::query("DELETE FROM run_steps WHERE run = $1").bind(&id).execute(&mut *all).await?;
            removed +=
                sqlx::query("DELETE FROM runs WHERE id = $1").bind(&id).execute(&mut *all).await?.rows_affected();
        }
        all.commit().await?;
        Ok(removed)
    }
}

/// Offsets and counts are far below 2^63.
pub(super) fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn row(row: &AnyRow) -> Result<RunRow, StoreError> {
    let unsigned = |column: &str| Ok::<u64, StoreError>(u64::try_from(row.try_get::<i64, _>(column)?).unwrap_or(0));
    let small = |column: &str| unsigned(column).map(|number| u32::try_from(number).unwrap_or(u32::MAX));
    let problem: Option<String> = row.try_get("problem")?;
    let problem = problem.map(|text| serde_json::from_str(&text)).transpose();
    Ok(RunRow {
        id: row.try_get("id")?,
        agent: row.try_get("agent")?,
        component: row.try_get("component")?,
        digest: row.try_get("digest")?,
        topic: row.try_get("topic")?,
        partition: small("part")?,
        offset: unsigned("record_offset")?,
        key: row.try_get("record_key")?,
        status: RunStatus::from_word(row.try_get("status")?)?,
        pinned: row.try_get("pinned")?,
        epoch: small("epoch")?,
        attempts: small("attempts")?,
        turns: small("turns")?,
        problem: problem.map_err(|e| StoreError::Row { table: "runs", reason: format!("problem: {e}") })?,
        outputs: row.try_get("outputs")?,
        started_ms: row.try_get("started_ms")?,
        finished_ms: row.try_get("finished_ms")?,
        traceparent: row.try_get("traceparent")?,
        claim: row.try_get("claim")?,
        seed: row.try_get("seed")?,
        clock_ns: row.try_get("clock_ns")?,
        readings: row.try_get("readings")?,
    })
}
