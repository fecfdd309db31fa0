//! Table `audit_checkpoints`: signed envelopes, kept as they were made.

use sqlx::Row;

use super::error::StoreError;
use super::{Store, now_ms};

/// A checkpoint of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointRow {
    /// Number of the row that it is about.
    pub seq: i64,
    /// The signed envelope, JSON.
    pub envelope: String,
}

impl Store {
    /// Keeps a checkpoint; where there is one of that row already, that one stays.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn add_checkpoint(&self, chain: &str, row: &CheckpointRow) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO audit_checkpoints (chain, seq, envelope, created_ms) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (chain, seq) DO NOTHING",
        )
        .bind(chain)
        .bind(row.seq)
        .bind(&row.envelope)
        .bind(now_ms())
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Number of the row that the last checkpoint of a chain is about; 0 where there is none.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn last_checkpoint(&self, chain: &str) -> Result<i64, StoreError> {
        let query = sqlx::query("SELECT COALESCE(MAX(seq), 0) AS seq FROM audit_checkpoints WHERE chain = $1");
        Ok(query.bind(chain).fetch_one(&self.pool).await?.try_get("seq")?)
    }

    /// Checkpoints of a chain after one row and up to another, in order, at most `limit`.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn checkpoints(
        &self,
        chain: &str,
        after: i64,
        upto: i64,
        limit: u32,
    ) -> Result<Vec<CheckpointRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT seq, envelope FROM audit_checkpoints WHERE chain = $1 AND seq > $2 AND seq <= $3 \
             ORDER BY seq LIMIT $4",
        )
        .bind(chain)
        .bind(after)
        .bind(upto)
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        let row = |row: &sqlx::any::AnyRow| {
            Ok(CheckpointRow { seq: row.try_get("seq")?, envelope: row.try_get("envelope")? })
        };
        Ok(rows.iter().map(row).collect::<Result<_, sqlx::Error>>()?)
    }
}
