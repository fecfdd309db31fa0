//! Table `hosts`: what running hosts say of themselves.

use sqlx::Row;
use sqlx::any::AnyRow;

use super::Store;
use super::error::StoreError;

/// Most hosts of one answer.
const HOSTS_MAX: i64 = 1_000;

/// What a host last said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostNote {
    /// What tells it from all other hosts; the same at each start.
    pub instance: String,
    /// Its machine's name.
    pub name: String,
    /// Version of Wasmill.
    pub version: String,
    /// When it started.
    pub started_ms: i64,
    /// When it said this, by its own clock.
    pub seen_ms: i64,
    /// How often it says something.
    pub every_ms: i64,
    /// What it has, JSON.
    pub holds: String,
}

impl Store {
    /// Writes down what a host says, over what it said before.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn set_host(&self, note: &HostNote) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO hosts (instance, name, version, started_ms, seen_ms, every_ms, holds) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (instance) DO UPDATE SET \
             name = excluded.name, version = excluded.version, started_ms = excluded.started_ms, \
             seen_ms = excluded.seen_ms, every_ms = excluded.every_ms, holds = excluded.holds",
        )
        .bind(&note.instance)
        .bind(&note.name)
        .bind(&note.version)
        .bind(note.started_ms)
        .bind(note.seen_ms)
        .bind(note.every_ms)
        .bind(&note.holds)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// What all hosts last said, by name.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn hosts(&self) -> Result<Vec<HostNote>, StoreError> {
        let rows = sqlx::query(
            "SELECT instance, name, version, started_ms, seen_ms, every_ms, holds FROM hosts \
             ORDER BY name, instance LIMIT $1",
        )
        .bind(HOSTS_MAX)
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.iter().map(row).collect::<Result<_, _>>()?)
    }

    /// Forgets a host that stops.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn remove_host(&self, instance: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM hosts WHERE instance = $1").bind(instance).execute(&self.pool).await?;
        Ok(())
    }

    /// Forgets hosts that have said nothing since then.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn remove_hosts_before(&self, seen_ms: i64) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM hosts WHERE seen_ms < $1").bind(seen_ms).execute(&self.pool).await?;
        Ok(())
    }
}

fn row(row: &AnyRow) -> Result<HostNote, sqlx::Error> {
    Ok(HostNote {
        instance: row.try_get("instance")?,
        name: row.try_get("name")?,
        version: row.try_get("version")?,
        started_ms: row.try_get("started_ms")?,
        seen_ms: row.try_get("seen_ms")?,
        every_ms: row.try_get("every_ms")?,
        holds: row.try_get("holds")?,
    })
}
