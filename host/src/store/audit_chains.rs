//! Table `audit_chains`: how much of each chain of the audit trail the topic has.

use sqlx::Row;

use super::Store;
use super::error::StoreError;

/// The last row of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditHead {
    /// Its number.
    pub seq: i64,
    /// Its hash; none where a host wrote it that made none.
    pub hash: Option<String>,
}

/// How much of a chain was sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AuditSent {
    /// Number of the last row.
    pub rows: i64,
    /// Number of the last checkpoint.
    pub checkpoints: i64,
}

impl Store {
    /// All chains of which there is a row or a checkpoint, sorted by name.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn audit_chains(&self) -> Result<Vec<String>, StoreError> {
        let query = sqlx::query("SELECT chain FROM audit UNION SELECT chain FROM audit_checkpoints ORDER BY chain");
        let rows = query.fetch_all(&self.pool).await?;
        Ok(rows.iter().map(|row| row.try_get("chain")).collect::<Result<_, sqlx::Error>>()?)
    }

    /// The last row of a chain; none where there is none.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn audit_head(&self, chain: &str) -> Result<Option<AuditHead>, StoreError> {
        let query = sqlx::query("SELECT seq, hash FROM audit WHERE chain = $1 ORDER BY seq DESC LIMIT 1");
        let Some(row) = query.bind(chain).fetch_optional(&self.pool).await? else { return Ok(None) };
        Ok(Some(AuditHead { seq: row.try_get("seq")?, hash: row.try_get("hash")? }))
    }

    /// How much of a chain was sent.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn audit_sent(&self, chain: &str) -> Result<AuditSent, StoreError> {
        let query = sqlx::query("SELECT rows_sent, checkpoints_sent FROM audit_chains WHERE chain = $1");
        let Some(row) = query.bind(chain).fetch_optional(&self.pool).await? else { return Ok(AuditSent::default()) };
        Ok(AuditSent { rows: row.try_get("rows_sent")?, checkpoints: row.try_get("checkpoints_sent")? })
    }

    /// Remembers how much of a chain was sent.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn set_audit_sent(&self, chain: &str, sent: AuditSent) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO audit_chains (chain, rows_sent, checkpoints_sent) VALUES ($1, $2, $3) \
             ON CONFLICT (chain) DO UPDATE SET rows_sent = $2, checkpoints_sent = $3",
        )
        .bind(chain)
        .bind(sent.rows)
        .bind(sent.checkpoints)
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}
