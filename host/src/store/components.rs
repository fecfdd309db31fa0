//! Table `components`: what admins decided about components beside approving them.

use serde::Serialize;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::error::StoreError;
use super::{Store, now_ms};

/// What an admin decided about a component. It can only take away: nothing runs because of a row here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ComponentStatus {
    /// As if there were no row.
    Active,
    /// An admin looked at what it asks for and said no.
    Denied,
}

impl ComponentStatus {
    fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Denied => "denied",
        }
    }

    fn from_word(word: &str) -> Result<Self, StoreError> {
        [Self::Active, Self::Denied]
            .into_iter()
            .find(|status| status.word() == word)
            .ok_or_else(|| StoreError::Row { table: "components", reason: format!("status `{word}` is unknown") })
    }
}

/// A decision about one component with one manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ComponentRow {
    /// SHA-256 of the component.
    pub component: String,
    /// SHA-256 of its manifest.
    pub manifest: String,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Who had it forged; none for a published one.
    pub maker: Option<String>,
    /// What was decided.
    pub status: ComponentStatus,
    /// Why, in the admin's words.
    pub reason: String,
    /// Who decided.
    pub changed_by: String,
    /// When.
    pub changed_ms: i64,
}

impl Store {
    /// Writes a decision down, over an older one about the same component and manifest. `changed_ms` is set here.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn set_component(&self, row: &ComponentRow) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO components (component, manifest, name, version, maker, status, reason, changed_by, changed_ms) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (component, manifest) DO UPDATE SET \
             status = excluded.status, reason = excluded.reason, changed_by = excluded.changed_by, \
             changed_ms = excluded.changed_ms",
        )
        .bind(&row.component)
        .bind(&row.manifest)
        .bind(&row.name)
        .bind(&row.version)
        .bind(row.maker.as_deref())
        .bind(row.status.word())
        .bind(&row.reason)
        .bind(&row.changed_by)
        .bind(now_ms())
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// All decisions, newest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn components(&self) -> Result<Vec<ComponentRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT component, manifest, name, version, maker, status, reason, changed_by, changed_ms FROM components \
             ORDER BY changed_ms DESC, component",
        )
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(row).collect()
    }
}

fn row(row: &AnyRow) -> Result<ComponentRow, StoreError> {
    let status: String = row.try_get("status")?;
    Ok(ComponentRow {
        component: row.try_get("component")?,
        manifest: row.try_get("manifest")?,
        name: row.try_get("name")?,
        version: row.try_get("version")?,
        maker: row.try_get("maker")?,
        status: ComponentStatus::from_word(&status)?,
        reason: row.try_get("reason")?,
        changed_by: row.try_get("changed_by")?,
        changed_ms: row.try_get("changed_ms")?,
    })
}
