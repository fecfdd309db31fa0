//! Table `tool_uses`: on which day somebody last called a forged tool.

use std::collections::BTreeMap;

use sqlx::Row;

use super::Store;
use super::error::StoreError;

/// Stands for the day from which on uses are noted.
const SINCE: &str = "";

/// Uses of forged tools. Days are days since 1970, UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolUses {
    /// Since when they are noted.
    pub since: i64,
    /// The last day of each tool, by its name.
    pub days: BTreeMap<String, i64>,
}

impl Store {
    /// Notes uses: names with their day. An earlier day than what is known changes nothing.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn note_tool_uses(&self, uses: &[(String, i64)]) -> Result<(), StoreError> {
        let mut all = self.pool.begin().await?;
        for (name, day) in uses {
            let note = "INSERT INTO tool_uses (name, day) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET \
                        day = CASE WHEN excluded.day > tool_uses.day THEN excluded.day ELSE tool_uses.day END";
            sqlx::query(note).bind(name).bind(day).execute(&mut *all).await?;
        }
        Ok(all.commit().await?)
    }

    /// All that is noted. Where nothing ever was, it is noted from `today` on.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn tool_uses(&self, today: i64) -> Result<ToolUses, StoreError> {
        let begin = "INSERT INTO tool_uses (name, day) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
        sqlx::query(begin).bind(SINCE).bind(today).execute(&self.pool).await?;
        let rows = sqlx::query("SELECT name, day FROM tool_uses").fetch_all(&self.pool).await?;
        let day = |row: &sqlx::any::AnyRow| Ok((row.try_get("name")?, row.try_get("day")?));
        let mut days = rows.iter().map(day).collect::<Result<BTreeMap<String, i64>, sqlx::Error>>()?;
        Ok(ToolUses { since: days.remove(SINCE).unwrap_or(today), days })
    }

    /// Forgets the uses of a tool that is gone.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn remove_tool_use(&self, name: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM tool_uses WHERE name = $1").bind(name).execute(&self.pool).await?;
        Ok(())
    }
}
