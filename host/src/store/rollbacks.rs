//! Table `rollbacks`: versions of tools that fail, in signed envelopes, kept as they came in.

use sqlx::Row;
use sqlx::any::AnyRow;

use super::error::StoreError;
use super::{Store, now_ms};

/// Most rows that are read: the newest.
const READ_MAX: i64 = 10_000;

/// A version that a host took out of what its plain name reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RollbackRow {
    /// Name of the tool.
    pub name: String,
    /// Version.
    pub version: String,
    /// SHA-256 of the component.
    pub component: String,
    /// What the host has signed.
    pub envelope: String,
    /// Name of the host.
    pub host: String,
    /// When, milliseconds since 1970.
    pub created_ms: i64,
    /// Who restored the version, as a principal; none where nobody did.
    pub restored_by: Option<String>,
    /// When, milliseconds since 1970.
    pub restored_ms: Option<i64>,
}

impl Store {
    /// Keeps a rollback; `created_ms` is set here. False where there is one of this version already, restored or not:
    /// two hosts that see the same decide once, and an admin's word stands.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn add_rollback(&self, row: &RollbackRow) -> Result<bool, StoreError> {
        let query = sqlx::query(
            "INSERT INTO rollbacks (name, version, component, envelope, host, created_ms) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (name, version, component) DO NOTHING",
        );
        let query = query.bind(&row.name).bind(&row.version).bind(&row.component).bind(&row.envelope);
        let done = query.bind(&row.host).bind(now_ms()).execute(&self.pool).await?;
        Ok(done.rows_affected() > 0)
    }

    /// The newest 10,000, newest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn rollbacks(&self) -> Result<Vec<RollbackRow>, StoreError> {
        let query = sqlx::query(
            "SELECT name, version, component, envelope, host, created_ms, restored_by, restored_ms FROM rollbacks \
             ORDER BY created_ms DESC, name, version LIMIT $1",
        );
        query.bind(READ_MAX).fetch_all(&self.pool).await?.iter().map(row).collect()
    }

    /// Notes that an admin restored a version. False where none of it is taken back.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn restore_version(&self, name: &str, version: &str, by: &str) -> Result<bool, StoreError> {
        let query = sqlx::query(
            "UPDATE rollbacks SET restored_by = $3, restored_ms = $4 \
             WHERE name = $1 AND version = $2 AND restored_by IS NULL",
        );
        let done = query.bind(name).bind(version).bind(by).bind(now_ms()).execute(&self.pool).await?;
        Ok(done.rows_affected() > 0)
    }
}

fn row(row: &AnyRow) -> Result<RollbackRow, StoreError> {
    Ok(RollbackRow {
        name: row.try_get("name")?,
        version: row.try_get("version")?,
        component: row.try_get("component")?,
        envelope: row.try_get("envelope")?,
        host: row.try_get("host")?,
        created_ms: row.try_get("created_ms")?,
        restored_by: row.try_get("restored_by")?,
        restored_ms: row.try_get("restored_ms")?,
    })
}
