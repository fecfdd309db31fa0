//! Table `forge_news`: what a host's forge has to say on the topic, until it was sent.

use sqlx::{Any, Executor, Row};

use super::error::StoreError;
use super::{Store, new_id, now_ms};

/// Something to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewsRow {
    /// Key; the same where it is sent again.
    pub id: String,
    /// What there is to say, JSON.
    pub news: String,
}

impl Store {
    /// Writes down what this host, by its instance, has to say.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn add_forge_news(&self, instance: &str, news: &str) -> Result<(), StoreError> {
        insert(&self.pool, instance, news).await
    }

    /// What this host has not sent yet, oldest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn forge_news(&self, instance: &str, limit: u32) -> Result<Vec<NewsRow>, StoreError> {
        let query = "SELECT id, news FROM forge_news WHERE instance = $1 ORDER BY id LIMIT $2";
        let rows = sqlx::query(query).bind(instance).bind(i64::from(limit)).fetch_all(&self.pool).await?;
        let row = |row: &sqlx::any::AnyRow| Ok(NewsRow { id: row.try_get("id")?, news: row.try_get("news")? });
        Ok(rows.iter().map(row).collect::<Result<_, sqlx::Error>>()?)
    }

    /// Forgets what was sent.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn remove_forge_news(&self, sent: &[NewsRow]) -> Result<(), StoreError> {
        let mut all = self.pool.begin().await?;
        for row in sent {
            sqlx::query("DELETE FROM forge_news WHERE id = $1").bind(&row.id).execute(&mut *all).await?;
        }
        Ok(all.commit().await?)
    }

    /// Forgets all that this host has not sent but the newest.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn trim_forge_news(&self, instance: &str, keep: u32) -> Result<(), StoreError> {
        let trim = "DELETE FROM forge_news WHERE instance = $1 AND id NOT IN \
                    (SELECT id FROM forge_news WHERE instance = $1 ORDER BY id DESC LIMIT $2)";
        sqlx::query(trim).bind(instance).bind(i64::from(keep)).execute(&self.pool).await?;
        Ok(())
    }
}

/// Also as a part of something larger.
pub(super) async fn insert<'e>(
    at: impl Executor<'e, Database = Any>,
    instance: &str,
    news: &str,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO forge_news (id, instance, news) VALUES ($1, $2, $3)")
        .bind(new_id(now_ms()))
        .bind(instance)
        .bind(news)
        .execute(at)
        .await?;
    Ok(())
}
