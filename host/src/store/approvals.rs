//! Table `approvals`: signed envelopes, kept as they came in.

use serde::Serialize;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::error::StoreError;
use super::{Store, new_id, now_ms};

/// One kept approval. Only the envelope counts, once its signature is verified; the rest is for finding it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ApprovalRow {
    /// Key.
    pub id: String,
    /// SHA-256 of the component that it is said to be for.
    pub component: String,
    /// SHA-256 of the manifest that it is said to be for.
    pub manifest: String,
    /// `name@version` that it is said to be for.
    pub name: String,
    /// The DSSE envelope, JSON.
    pub envelope: String,
    /// When it came in.
    pub created_ms: i64,
}

impl Store {
    /// Keeps an approval and returns its key.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn add_approval(
        &self,
        component: &str,
        manifest: &str,
        name: &str,
        envelope: &str,
    ) -> Result<String, StoreError> {
        let at = now_ms();
        let id = new_id(at);
        sqlx::query(
            "INSERT INTO approvals (id, component, manifest, name, envelope, created_ms) VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(&id)
        .bind(component)
        .bind(manifest)
        .bind(name)
        .bind(envelope)
        .bind(at)
        .execute(&self.pool)
        .await?;
        Ok(id)
    }

    /// All approvals, oldest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn approvals(&self) -> Result<Vec<ApprovalRow>, StoreError> {
        let rows = sqlx::query("SELECT id, component, manifest, name, envelope, created_ms FROM approvals ORDER BY id")
            .fetch_all(&self.pool)
            .await?;
        Ok(rows.iter().map(row).collect::<Result<_, _>>()?)
    }

    /// Removes the approvals of a component with a manifest. Returns how many there were.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn remove_approvals(&self, component: &str, manifest: &str) -> Result<u64, StoreError> {
        let done = sqlx::query("DELETE FROM approvals WHERE component = $1 AND manifest = $2")
            .bind(component)
            .bind(manifest)
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected())
    }
}

fn row(row: &AnyRow) -> Result<ApprovalRow, sqlx::Error> {
    Ok(ApprovalRow {
        id: row.try_get("id")?,
        component: row.try_get("component")?,
        manifest: row.try_get("manifest")?,
        name: row.try_get("name")?,
        envelope: row.try_get("envelope")?,
        created_ms: row.try_get("created_ms")?,
    })
}
