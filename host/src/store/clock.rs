//! The database's own time.

use sqlx::Row;

use super::{Store, StoreError};

impl Store {
    /// Milliseconds since 1970-01-01T00:00:00Z by the clock of the database's machine; none for SQLite, which has ours.
    ///
    /// # Errors
    /// As the database says.
    pub async fn clock_ms(&self) -> Result<Option<i64>, StoreError> {
        if self.pool.connect_options().database_url.scheme() == "sqlite" {
            return Ok(None);
        }
        let row = sqlx::query("SELECT CAST(extract(epoch from clock_timestamp()) * 1000 AS BIGINT)")
            .fetch_one(&self.pool)
            .await?;
        Ok(Some(row.try_get(0)?))
    }
}
