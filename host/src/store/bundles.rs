//! Table `bundles`: the files of components that hosts give each other.

use sqlx::Row;
use sqlx::any::AnyRow;

use super::error::StoreError;
use super::{Store, now_ms};

/// What hosts say of one component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleRow {
    /// Digest of its files together.
    pub entry: String,
    /// `name@version` that it is said to be.
    pub name: String,
    /// Whether somebody removed it.
    pub is_removed: bool,
}

impl Store {
    /// Offers a component's files to the other hosts, also where it was removed before.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn offer_bundle(&self, entry: &str, name: &str, files: &str) -> Result<(), StoreError> {
        self.set_bundle(entry, name, files, false).await
    }

    /// Tells the other hosts to remove a component.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn withdraw_bundle(&self, entry: &str, name: &str) -> Result<(), StoreError> {
        self.set_bundle(entry, name, "", true).await
    }

    async fn set_bundle(&self, entry: &str, name: &str, files: &str, is_removed: bool) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO bundles (entry, name, files, removed, changed_ms) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (entry) DO UPDATE SET \
             files = excluded.files, removed = excluded.removed, changed_ms = excluded.changed_ms",
        )
        .bind(entry)
        .bind(name)
        .bind(files)
        .bind(i64::from(is_removed))
        .bind(now_ms())
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// What hosts say of all components, without their files; the newest word last.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn bundles(&self) -> Result<Vec<BundleRow>, StoreError> {
        let rows = sqlx::query("SELECT entry, name, removed FROM bundles ORDER BY changed_ms, entry");
        Ok(rows.fetch_all(&self.pool).await?.iter().map(row).collect::<Result<_, _>>()?)
    }

    /// The files of one component; none where nobody offers it.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn bundle_files(&self, entry: &str) -> Result<Option<String>, StoreError> {
        let query = sqlx::query("SELECT files FROM bundles WHERE entry = $1 AND removed = 0").bind(entry);
        let row = query.fetch_optional(&self.pool).await?;
        Ok(row.map(|row| row.try_get("files")).transpose()?)
    }
}

fn row(row: &AnyRow) -> Result<BundleRow, sqlx::Error> {
    let removed: i64 = row.try_get("removed")?;
    Ok(BundleRow { entry: row.try_get("entry")?, name: row.try_get("name")?, is_removed: removed != 0 })
}
