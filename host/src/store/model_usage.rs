//! Tables `model_days` and `model_hours`: what questions to language models took.

use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::any::AnyRow;

use super::Store;
use super::error::StoreError;

/// Most rows of one answer.
pub const MODEL_USE_LISTED_MAX: i64 = 10_000;

/// Who pays for a question, and what it may have used by the end of the day; none: anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payer {
    /// Who.
    pub principal: String,
    /// Tokens.
    pub tokens_max: Option<u64>,
    /// Money, millionths.
    pub cost_micros_max: Option<u64>,
}

/// What a principal and what it made used on one day, with what questions under way may take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ModelDay {
    /// Who.
    pub principal: String,
    /// Tokens.
    pub tokens: u64,
    /// Money, millionths.
    pub cost_micros: u64,
}

/// What questions of one principal to one model took in one hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ModelUse {
    /// Hours since 1970-01-01T00:00:00Z.
    pub hour: i64,
    /// Who asked.
    pub principal: String,
    /// The name that the model was asked by.
    pub model: String,
    /// Questions that were answered.
    pub calls: u64,
    /// Tokens of the questions.
    pub prompt_tokens: u64,
    /// Tokens of the answers.
    pub completion_tokens: u64,
    /// Money, millionths.
    pub cost_micros: u64,
}

impl Store {
    /// Adds to what all payers used on a day (days since 1970), where each has room for it. Else adds nothing, and gives
    /// what the first one without room has used.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn reserve_model_use(
        &self,
        day: i64,
        payers: &[Payer],
        tokens: u64,
        cost_micros: u64,
    ) -> Result<Option<ModelDay>, StoreError> {
        let mut all = self.pool.begin().await?;
        for payer in payers {
            let there = "INSERT INTO model_days (day, principal, tokens, cost_micros) VALUES ($1, $2, 0, 0) \
                         ON CONFLICT (day, principal) DO NOTHING";
            sqlx::query(there).bind(day).bind(&payer.principal).execute(&mut *all).await?;
            // The condition is part of the change: nobody can come between.
            let added = sqlx::query(
                "UPDATE model_days SET tokens = tokens + $1, cost_micros = cost_micros + $2 \
                 WHERE day = $3 AND principal = $4 AND tokens + $1 <= $5 AND cost_micros + $2 <= $6",
            )
            .bind(whole(tokens))
            .bind(whole(cost_micros))
            .bind(day)
            .bind(&payer.principal)
            .bind(payer.tokens_max.map_or(i64::MAX, whole))
            .bind(payer.cost_micros_max.map_or(i64::MAX, whole))
            .execute(&mut *all)
            .await?;
            if added.rows_affected() == 0 {
                let query = sqlx::query(
                    "SELECT principal, tokens, cost_micros FROM model_days WHERE day = $1 AND principal = $2",
                );
                let found = query.bind(day).bind(&payer.principal).fetch_one(&mut *all).await?;
                all.rollback().await?;
                return Ok(Some(day_of(&found)?));
            }
        }
        all.commit().await?;
        Ok(None)
    }

    /// Changes what payers used on a day by the difference to what was set aside, and adds what was taken to its hour.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn correct_model_use(
        &self,
        day: i64,
        payers: &[String],
        tokens: i64,
        cost_micros: i64,
        taken: Option<&ModelUse>,
    ) -> Result<(), StoreError> {
        let mut all = self.pool.begin().await?;
        for payer in payers {
            let change = "UPDATE model_days SET tokens = tokens + $1, cost_micros = cost_micros + $2 \
                          WHERE day = $3 AND principal = $4";
            sqlx::query(change).bind(tokens).bind(cost_micros).bind(day).bind(payer).execute(&mut *all).await?;
        }
        if let Some(taken) = taken {
            sqlx::query(
                "INSERT INTO model_hours (hour, principal, model, calls, prompt_tokens, completion_tokens, cost_micros) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (hour, principal, model) DO UPDATE SET \
                 calls = model_hours.calls + excluded.calls, \
                 prompt_tokens = model_hours.prompt_tokens + excluded.prompt_tokens, \
                 completion_tokens = model_hours.completion_tokens + excluded.completion_tokens, \
                 cost_micros = model_hours.cost_micros + excluded.cost_micros",
            )
            .bind(taken.hour)
            .bind(&taken.principal)
            .bind(&taken.model)
            .bind(whole(taken.calls))
            .bind(whole(taken.prompt_tokens))
            .bind(whole(taken.completion_tokens))
            .bind(whole(taken.cost_micros))
            .execute(&mut *all)
            .await?;
        }
        Ok(all.commit().await?)
    }

    /// What everybody used on a day (days since 1970), by principal.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn model_days(&self, day: i64) -> Result<Vec<ModelDay>, StoreError> {
        let query = sqlx::query(
            "SELECT principal, tokens, cost_micros FROM model_days WHERE day = $1 ORDER BY principal LIMIT $2",
        );
        let rows = query.bind(day).bind(MODEL_USE_LISTED_MAX).fetch_all(&self.pool).await?;
        Ok(rows.iter().map(day_of).collect::<Result<_, _>>()?)
    }

    /// What was taken from an hour on (hours since 1970), newest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn model_uses(&self, from_hour: i64) -> Result<Vec<ModelUse>, StoreError> {
        let rows = sqlx::query(
            "SELECT hour, principal, model, calls, prompt_tokens, completion_tokens, cost_micros FROM model_hours \
             WHERE hour >= $1 ORDER BY hour DESC, principal, model LIMIT $2",
        )
        .bind(from_hour)
        .bind(MODEL_USE_LISTED_MAX)
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.iter().map(use_of).collect::<Result<_, _>>()?)
    }

    /// Forgets hours before this one, and their days.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn remove_model_uses(&self, before_hour: i64) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM model_hours WHERE hour < $1").bind(before_hour).execute(&self.pool).await?;
        let before_day = before_hour.div_euclid(24);
        sqlx::query("DELETE FROM model_days WHERE day < $1").bind(before_day).execute(&self.pool).await?;
        Ok(())
    }
}

/// As SQL has it.
fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn count(row: &AnyRow, column: &str) -> Result<u64, sqlx::Error> {
    Ok(u64::try_from(row.try_get::<i64, _>(column)?).unwrap_or_default())
}

fn day_of(row: &AnyRow) -> Result<ModelDay, sqlx::Error> {
    Ok(ModelDay {
        principal: row.try_get("principal")?,
        tokens: count(row, "tokens")?,
        cost_micros: count(row, "cost_micros")?,
    })
}

fn use_of(row: &AnyRow) -> Result<ModelUse, sqlx::Error> {
    Ok(ModelUse {
        hour: row.try_get("hour")?,
        principal: row.try_get("principal")?,
        model: row.try_get("model")?,
        calls: count(row, "calls")?,
        prompt_tokens: count(row, "prompt_tokens")?,
        completion_tokens: count(row, "completion_tokens")?,
        cost_micros: count(row, "cost_micros")?,
    })
}
