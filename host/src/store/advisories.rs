//! Tables `advisories` and `rebuilds`: signed envelopes, kept as they came in, and who builds anew what they touch.

use sqlx::Row;

use super::error::StoreError;
use super::{Store, now_ms};

impl Store {
    /// Keeps an advisory; one that is there already stays as it is.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn add_advisory(&self, id: &str, serial: i64, envelope: &str) -> Result<(), StoreError> {
        let query = sqlx::query(
            "INSERT INTO advisories (id, serial, envelope, created_ms) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        );
        query.bind(id).bind(serial).bind(envelope).bind(now_ms()).execute(&self.pool).await?;
        Ok(())
    }

    /// Ids and serials, the newest rows first, at most `limit`.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn advisories(&self, limit: u32) -> Result<Vec<(String, i64)>, StoreError> {
        let query = sqlx::query("SELECT id, serial FROM advisories ORDER BY created_ms DESC, id, serial DESC LIMIT $1");
        let rows = query.bind(i64::from(limit)).fetch_all(&self.pool).await?;
        let row = |row: &sqlx::any::AnyRow| Ok((row.try_get("id")?, row.try_get("serial")?));
        Ok(rows.iter().map(row).collect::<Result<_, sqlx::Error>>()?)
    }

    /// The envelope of one.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn advisory(&self, id: &str, serial: i64) -> Result<Option<String>, StoreError> {
        let query = sqlx::query("SELECT envelope FROM advisories WHERE id = $1 AND serial = $2").bind(id).bind(serial);
        let row = query.fetch_optional(&self.pool).await?;
        Ok(row.map(|row| row.try_get("envelope")).transpose()?)
    }

    /// Takes the work of building `component` anew because of an advisory. True where no other host has taken it since
    /// `before_ms` (milliseconds since 1970).
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn claim_rebuild(
        &self,
        component: &str,
        advisory: (&str, i64),
        host: &str,
        before_ms: i64,
    ) -> Result<bool, StoreError> {
        let (id, serial) = advisory;
        let query = sqlx::query(
            "INSERT INTO rebuilds (component, advisory, serial, host, claimed_ms) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (component, advisory, serial) DO UPDATE SET host = excluded.host, \
             claimed_ms = excluded.claimed_ms WHERE rebuilds.claimed_ms < $6 OR rebuilds.host = excluded.host",
        );
        let query = query.bind(component).bind(id).bind(serial).bind(host).bind(now_ms()).bind(before_ms);
        Ok(query.execute(&self.pool).await?.rows_affected() == 1)
    }
}
