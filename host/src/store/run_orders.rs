//! What an admin orders a run to do. Each order is one change of its row, and says whether the run stood so that it counts.

use sqlx::{Any, Transaction};

use super::Store;
use super::error::StoreError;
use super::now_ms;
use super::runs::Afresh;

impl Store {
    /// Keeps a run from going on past its next host call.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn pause_run(&self, id: &str) -> Result<bool, StoreError> {
        let done = sqlx::query("UPDATE runs SET status = 'paused' WHERE id = $1 AND status = 'running'");
        Ok(done.bind(id).execute(&self.pool).await?.rows_affected() > 0)
    }

    /// Lets a paused run go on.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn resume_run(&self, id: &str) -> Result<bool, StoreError> {
        let done = sqlx::query("UPDATE runs SET status = 'running' WHERE id = $1 AND status = 'paused'");
        Ok(done.bind(id).execute(&self.pool).await?.rows_affected() > 0)
    }

    /// Ends a run that has no outcome yet. `problem` is what its dead letter says, JSON.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn cancel_run(&self, id: &str, problem: &serde_json::Value) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE runs SET status = 'failed', problem_code = 'run.cancelled', problem = $2, finished_ms = $3 \
             WHERE id = $1 AND status IN ('running', 'paused', 'diverged')",
        );
        let done = done.bind(id).bind(problem.to_string()).bind(now_ms()).execute(&self.pool).await?;
        Ok(done.rows_affected() > 0)
    }

    /// Lets a diverged run go on with the version that wrote its journal.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn pin_run(&self, id: &str) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE runs SET status = 'running', pinned = digest, problem = NULL, problem_code = NULL \
             WHERE id = $1 AND status = 'diverged'",
        );
        Ok(done.bind(id).execute(&self.pool).await?.rows_affected() > 0)
    }

    /// Lets a run that has no outcome yet begin from nothing: its journal is gone, and what it asks is asked again.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn restart_run(&self, id: &str, afresh: &Afresh) -> Result<bool, StoreError> {
        let mut all = self.pool.begin().await?;
        let done = begin_afresh(&mut all, id, afresh, "status IN ('running', 'paused', 'diverged')").await?;
        all.commit().await?;
        Ok(done)
    }

    /// The same from within the turn that claims it.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn begin_run_afresh(&self, id: &str, afresh: &Afresh) -> Result<bool, StoreError> {
        let mut all = self.pool.begin().await?;
        let done = begin_afresh(&mut all, id, afresh, "status IN ('running', 'finished')").await?;
        all.commit().await?;
        Ok(done)
    }
}

async fn begin_afresh(
    all: &mut Transaction<'_, Any>,
    id: &str,
    afresh: &Afresh,
    only: &'static str,
) -> Result<bool, StoreError> {
    let run = format!(
        "UPDATE runs SET status = 'running', pinned = NULL, epoch = epoch + 1, attempts = 0, claim = '', seed = $2, clock_ns = $3, \
         readings = '[]', problem = NULL, problem_code = NULL, finished_ms = NULL \
         WHERE id = $1 AND {only}"
    );
    let run = sqlx::query(sqlx::AssertSqlSafe(run)).bind(id).bind(&afresh.seed).bind(afresh.clock_ns);
    let done = run.execute(&mut **all).await?.rows_affected() > 0;
    if done {
        sqlx::query("DELETE FROM run_steps WHERE run = $1").bind(id).execute(&mut **all).await?;
    }
    Ok(done)
}
