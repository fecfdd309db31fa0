//! Table `policies`: signed envelopes, kept as they came in.

use sqlx::Row;

use super::error::StoreError;
use super::{Store, now_ms};

impl Store {
    /// Keeps a policy.
    ///
    /// # Errors
    /// Where the database fails, or has one with this serial.
    pub async fn add_policy(&self, serial: i64, envelope: &str) -> Result<(), StoreError> {
        let query = sqlx::query("INSERT INTO policies (serial, envelope, created_ms) VALUES ($1, $2, $3)");
        query.bind(serial).bind(envelope).bind(now_ms()).execute(&self.pool).await?;
        Ok(())
    }

    /// Serials after this one, newest first, at most `limit`.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn policies_after(&self, serial: i64, limit: u32) -> Result<Vec<i64>, StoreError> {
        let query = sqlx::query("SELECT serial FROM policies WHERE serial > $1 ORDER BY serial DESC LIMIT $2");
        let rows = query.bind(serial).bind(i64::from(limit)).fetch_all(&self.pool).await?;
        Ok(rows.iter().map(|row| row.try_get("serial")).collect::<Result<_, sqlx::Error>>()?)
    }

    /// The envelope of one.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn policy(&self, serial: i64) -> Result<Option<String>, StoreError> {
        let query = sqlx::query("SELECT envelope FROM policies WHERE serial = $1").bind(serial);
        let row = query.fetch_optional(&self.pool).await?;
        Ok(row.map(|row| row.try_get("envelope")).transpose()?)
    }
}
