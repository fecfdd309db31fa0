//! Table `secrets`: credentials, encrypted before they come here.

use sqlx::Row;

use super::error::StoreError;
use super::{Store, now_ms};

/// An encrypted credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretRow {
    /// Name.
    pub name: String,
    /// Its value, encrypted.
    pub sealed: String,
    /// Who set it, as a principal.
    pub changed_by: String,
    /// When, milliseconds since 1970.
    pub changed_ms: i64,
}

impl Store {
    /// All of them, by name.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn secrets(&self) -> Result<Vec<SecretRow>, StoreError> {
        let query = sqlx::query("SELECT name, sealed, changed_by, changed_ms FROM secrets ORDER BY name");
        let row = |row: &sqlx::any::AnyRow| {
            Ok(SecretRow {
                name: row.try_get("name")?,
                sealed: row.try_get("sealed")?,
                changed_by: row.try_get("changed_by")?,
                changed_ms: row.try_get("changed_ms")?,
            })
        };
        query.fetch_all(&self.pool).await?.iter().map(row).collect()
    }

    /// Sets one, or puts it in the place of the one that was there.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn set_secret(&self, name: &str, sealed: &str, by: &str) -> Result<(), StoreError> {
        let query = sqlx::query(
            "INSERT INTO secrets (name, sealed, changed_by, changed_ms) VALUES ($1, $2, $3, $4) ON CONFLICT (name) \
             DO UPDATE SET sealed = excluded.sealed, changed_by = excluded.changed_by, changed_ms = excluded.changed_ms",
        );
        query.bind(name).bind(sealed).bind(by).bind(now_ms()).execute(&self.pool).await?;
        Ok(())
    }

    /// Removes one. False where there was none.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn remove_secret(&self, name: &str) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM secrets WHERE name = $1").bind(name).execute(&self.pool).await?;
        Ok(done.rows_affected() > 0)
    }
}
