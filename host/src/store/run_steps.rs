//! Table `run_steps`: the journal, what each run asked and was answered.

use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::any::AnyRow;

use super::error::StoreError;
use super::runs::int;
use super::{Store, now_ms};

/// A call that is about to be made.
#[derive(Debug, Clone)]
pub struct NewStep<'a> {
    /// Run.
    pub run: &'a str,
    /// Number of the step, from 0.
    pub seq: u64,
    /// The run's epoch.
    pub epoch: u32,
    /// Capability that was asked.
    pub kind: &'a str,
    /// SHA-256 over the request.
    pub digest: &'a str,
    /// What the other side knows a repeated call by.
    pub idempotency_key: &'a str,
    /// The request for people, cut where it is long.
    pub request: &'a str,
    /// What the run read since the step before, JSON.
    pub readings: &'a str,
}

/// A step as it was written down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct StepRow {
    /// Number of the step, from 0.
    pub seq: u64,
    /// Capability that was asked.
    pub kind: String,
    /// SHA-256 over the request.
    pub digest: String,
    /// What the other side knows a repeated call by.
    pub idempotency_key: String,
    /// The request for people, cut where it is long.
    pub request: String,
    /// How often it was asked.
    pub asks: u32,
    /// When it was asked first, milliseconds since 1970.
    pub asked_ms: i64,
    /// When it was answered; none while it is under way.
    pub answered_ms: Option<i64>,
    /// True where the same request may be answered otherwise later.
    pub passing: bool,
    /// The answer, JSON; none while it is under way.
    pub answer: Option<String>,
    /// What the run read since the step before, JSON.
    #[serde(skip)]
    pub readings: String,
}

impl Store {
    /// Writes down that a call is about to be made. False where the turn may not any more: another one has claimed the
    /// run, or an admin stopped it.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn add_step(&self, claim: &str, step: &NewStep<'_>) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "INSERT INTO run_steps (run, seq, epoch, kind, digest, idempotency_key, request, readings, asks, \
             asked_ms, passing) \
             SELECT id, CAST($2 AS BIGINT), epoch, $3, $4, $5, $6, $7, 1, CAST($8 AS BIGINT), 0 \
             FROM runs WHERE id = $1 AND claim = $9 AND epoch = CAST($10 AS BIGINT) AND status = 'running' \
             ON CONFLICT (run, seq) DO NOTHING",
        )
        .bind(step.run)
        .bind(int(step.seq))
        .bind(step.kind)
        .bind(step.digest)
        .bind(step.idempotency_key)
        .bind(step.request)
        .bind(step.readings)
        .bind(now_ms())
        .bind(claim)
        .bind(i64::from(step.epoch))
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Writes down that a call under way is about to be made once more. False where the turn may not any more.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn ask_step_again(&self, run: &str, claim: &str, seq: u64) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE run_steps SET asks = asks + 1 WHERE run = $1 AND seq = $3 \
             AND EXISTS (SELECT 1 FROM runs WHERE id = $1 AND claim = $2 AND status = 'running')",
        );
        let done = done.bind(run).bind(claim).bind(int(seq)).execute(&self.pool).await?;
        Ok(done.rows_affected() > 0)
    }

    /// Writes an answer down, whoever may have claimed the run since: it is paid for. The first one counts, and comes
    /// back.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn answer_step(
        &self,
        run: &str,
        epoch: u32,
        seq: u64,
        answer: &str,
        passing: bool,
    ) -> Result<Option<String>, StoreError> {
        sqlx::query(
            "UPDATE run_steps SET answer = $4, passing = $5, answered_ms = $6 \
             WHERE run = $1 AND seq = $2 AND epoch = $3 AND answer IS NULL",
        )
        .bind(run)
        .bind(int(seq))
        .bind(i64::from(epoch))
        .bind(answer)
        .bind(i64::from(passing))
        .bind(now_ms())
        .execute(&self.pool)
        .await?;
        let kept = sqlx::query("SELECT answer FROM run_steps WHERE run = $1 AND seq = $2 AND epoch = $3");
        let kept = kept.bind(run).bind(int(seq)).bind(i64::from(epoch)).fetch_optional(&self.pool).await?;
        Ok(kept.map(|row| row.try_get::<Option<String>, _>("answer")).transpose()?.flatten())
    }

    /// The journal of a run, in order.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn steps(&self, run: &str) -> Result<Vec<StepRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT seq, kind, digest, idempotency_key, request, readings, asks, asked_ms, answer, \
             passing, answered_ms FROM run_steps WHERE run = $1 ORDER BY seq",
        );
        rows.bind(run).fetch_all(&self.pool).await?.iter().map(row).collect()
    }

    /// The last calls of a tool that journals have, newest first, as they are shown to people: `tool.function arguments`,
    /// cut where they are long. Names of other tools that begin with this one and a dot may be among them.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn tool_requests(&self, tool: &str, limit: u32) -> Result<Vec<String>, StoreError> {
        let query = sqlx::query(
            "SELECT request FROM run_steps WHERE kind = 'tool' AND (request LIKE $1 OR request LIKE $2) \
             ORDER BY asked_ms DESC, run, seq DESC LIMIT $3",
        );
        // Names of tools have none of the characters that stand for others here.
        let query = query.bind(format!("{tool}.%")).bind(format!("{tool}@%")).bind(i64::from(limit));
        let rows = query.fetch_all(&self.pool).await?;
        Ok(rows.iter().map(|row| row.try_get("request")).collect::<Result<_, sqlx::Error>>()?)
    }

    /// Lets a run ask again from a step on: its answer and what came after it are gone.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn cut_steps(&self, run: &str, claim: &str, seq: u64) -> Result<(), StoreError> {
        let mut all = self.pool.begin().await?;
        let mine = "EXISTS (SELECT 1 FROM runs WHERE id = $1 AND claim = $2)";
        let later = format!("DELETE FROM run_steps WHERE run = $1 AND seq > $3 AND {mine}");
        sqlx::query(sqlx::AssertSqlSafe(later)).bind(run).bind(claim).bind(int(seq)).execute(&mut *all).await?;
        let answer = format!(
            "UPDATE run_steps SET answer = NULL, answered_ms = NULL, passing = 0 WHERE run = $1 AND seq = $3 AND {mine}"
        );
        sqlx::query(sqlx::AssertSqlSafe(answer)).bind(run).bind(claim).bind(int(seq)).execute(&mut *all).await?;
        all.commit().await?;
        Ok(())
    }
}

fn row(row: &AnyRow) -> Result<StepRow, StoreError> {
    let unsigned = |column: &str| Ok::<u64, StoreError>(u64::try_from(row.try_get::<i64, _>(column)?).unwrap_or(0));
    Ok(StepRow {
        seq: unsigned("seq")?,
        kind: row.try_get("kind")?,
        digest: row.try_get("digest")?,
        idempotency_key: row.try_get("idempotency_key")?,
        request: row.try_get("request")?,
        asks: u32::try_from(unsigned("asks")?).unwrap_or(u32::MAX),
        asked_ms: row.try_get("asked_ms")?,
        answered_ms: row.try_get("answered_ms")?,
        passing: unsigned("passing")? != 0,
        answer: row.try_get("answer")?,
        readings: row.try_get("readings")?,
    })
}
