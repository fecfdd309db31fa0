//! Table `builds`: everything that the forge was asked for, and what became of it.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::any::AnyRow;
use sqlx::{Any, Executor, Row};

use super::error::StoreError;
use super::{Store, forge_news, new_id};

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum BuildOutcome {
    /// The tool can be called.
    Callable,
    /// The tool waits for an admin.
    Waiting,
    /// Nothing was made.
    Refused,
}

impl BuildOutcome {
    fn word(self) -> &'static str {
        match self {
            Self::Callable => "callable",
            Self::Waiting => "waiting",
            Self::Refused => "refused",
        }
    }

    fn from_word(word: &str) -> Result<Self, StoreError> {
        let all = [Self::Callable, Self::Waiting, Self::Refused];
        all.into_iter()
            .find(|outcome| outcome.word() == word)
            .ok_or_else(|| StoreError::Row { table: "builds", reason: format!("outcome `{word}` is unknown") })
    }
}

/// A finished build, to be written down.
#[derive(Debug, Clone, PartialEq)]
pub struct NewBuild {
    /// Who asked, as a principal: `agent:logsmith`.
    pub maker: String,
    /// Full name of the tool, `<maker>.<name>`.
    pub name: String,
    /// SHA-256 over everything that was asked: equal requests have equal digests.
    pub request: String,
    /// SHA-256 of the source.
    pub source_digest: String,
    /// The source.
    pub source: String,
    /// What became of it.
    pub outcome: BuildOutcome,
    /// Last stage that was entered.
    pub stage: String,
    /// Why it was refused or waits; empty where neither.
    pub reason: String,
    /// Version of the product.
    pub version: Option<String>,
    /// SHA-256 of the product.
    pub component: Option<String>,
    /// Each stage with its duration, JSON.
    pub timings: Value,
    /// What compiler and checks had to say, JSON.
    pub diagnostics: Value,
    /// What the try-out came to, JSON; none where it did not get so far.
    pub examined: Option<Value>,
    /// When it was asked for, milliseconds since 1970.
    pub started_ms: i64,
}

/// A build as it was written down.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct BuildRow {
    /// Key.
    pub id: String,
    /// Who asked.
    pub maker: String,
    /// Full name of the tool.
    pub name: String,
    /// SHA-256 over everything that was asked.
    pub request: String,
    /// SHA-256 of the source.
    pub source_digest: String,
    /// The source; empty in lists.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// What became of it.
    pub outcome: BuildOutcome,
    /// Last stage that was entered.
    pub stage: String,
    /// Why it was refused or waits.
    pub reason: String,
    /// Version of the product.
    pub version: Option<String>,
    /// SHA-256 of the product.
    pub component: Option<String>,
    /// Each stage with its duration.
    pub timings: Value,
    /// What compiler and checks had to say.
    pub diagnostics: Value,
    /// What the try-out came to: examples, random inputs, what calls took, limits that would do. None where it did not
    /// get so far, or was built before that was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub examined: Option<Value>,
    /// When it was asked for, milliseconds since 1970.
    pub started_ms: i64,
}

/// Which builds to list.
#[derive(Debug, Clone, Default)]
pub struct BuildFilter {
    /// Only those of this maker.
    pub maker: Option<String>,
    /// Only those of the tool with this full name.
    pub name: Option<String>,
    /// Most rows, newest first.
    pub limit: u32,
    /// Only those older than the one with this key.
    pub after: Option<String>,
}

impl Store {
    /// Writes a build down and returns its key.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn add_build(&self, build: &NewBuild) -> Result<String, StoreError> {
        insert(&self.pool, build).await
    }

    /// Writes a build down, and with it what a host, by its instance, has to say of it: both or neither.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn add_build_and_news(&self, build: &NewBuild, instance: &str, news: &str) -> Result<String, StoreError> {
        let mut both = self.pool.begin().await?;
        let id = insert(&mut *both, build).await?;
        forge_news::insert(&mut *both, instance, news).await?;
        both.commit().await?;
        Ok(id)
    }

    /// Builds without their source, newest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn builds(&self, filter: &BuildFilter) -> Result<Vec<BuildRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, maker, name, request, source_digest, '' AS source, outcome, stage, reason, version, component, \
             timings, diagnostics, examined, started_ms FROM builds \
             WHERE ($1 = '' OR maker = $1) AND ($2 = '' OR name = $2) AND ($4 = '' OR id < $4) \
             ORDER BY id DESC LIMIT $3",
        )
        .bind(filter.maker.as_deref().unwrap_or_default())
        .bind(filter.name.as_deref().unwrap_or_default())
        .bind(i64::from(filter.limit))
        .bind(filter.after.as_deref().unwrap_or_default())
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(row).collect()
    }

    /// One build with its source.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn build(&self, id: &str) -> Result<Option<BuildRow>, StoreError> {
        let found = sqlx::query(
            "SELECT id, maker, name, request, source_digest, source, outcome, stage, reason, version, component, timings, \
             diagnostics, examined, started_ms FROM builds WHERE id = $1",
        )
        .bind(id)
        .fetch_optional(&self.pool)
        .await?;
        found.as_ref().map(row).transpose()
    }

    /// The newest build of a maker that answered the same request with a product.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn build_of_request(&self, maker: &str, request: &str) -> Result<Option<BuildRow>, StoreError> {
        let found = sqlx::query(
            "SELECT id, maker, name, request, source_digest, source, outcome, stage, reason, version, component, timings, \
             diagnostics, examined, started_ms FROM builds WHERE maker = $1 AND request = $2 AND component IS NOT NULL \
             ORDER BY id DESC LIMIT 1",
        )
        .bind(maker)
        .bind(request)
        .fetch_optional(&self.pool)
        .await?;
        found.as_ref().map(row).transpose()
    }

    /// How many builds a maker has asked for since a moment (milliseconds since 1970), on all hosts together.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn builds_since(&self, maker: &str, since_ms: i64) -> Result<u64, StoreError> {
        let found = sqlx::query("SELECT COUNT(*) AS builds FROM builds WHERE maker = $1 AND started_ms >= $2")
            .bind(maker)
            .bind(since_ms)
            .fetch_one(&self.pool)
            .await?;
        Ok(u64::try_from(found.try_get::<i64, _>("builds")?).unwrap_or_default())
    }
}

async fn insert<'e>(at: impl Executor<'e, Database = Any>, build: &NewBuild) -> Result<String, StoreError> {
    let id = new_id(build.started_ms);
    sqlx::query(
        "INSERT INTO builds (id, maker, name, request, source_digest, source, outcome, stage, reason, version, \
         component, timings, diagnostics, examined, started_ms) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
    )
    .bind(&id)
    .bind(&build.maker)
    .bind(&build.name)
    .bind(&build.request)
    .bind(&build.source_digest)
    .bind(&build.source)
    .bind(build.outcome.word())
    .bind(&build.stage)
    .bind(&build.reason)
    .bind(build.version.as_deref())
    .bind(build.component.as_deref())
    .bind(build.timings.to_string())
    .bind(build.diagnostics.to_string())
    .bind(build.examined.as_ref().map(Value::to_string))
    .bind(build.started_ms)
    .execute(at)
    .await?;
    Ok(id)
}

fn row(row: &AnyRow) -> Result<BuildRow, StoreError> {
    let read = |column: &str, text: &str| -> Result<Value, StoreError> {
        serde_json::from_str(text)
            .map_err(|error| StoreError::Row { table: "builds", reason: format!("{column}: {error}") })
    };
    let json = |column: &str| -> Result<Value, StoreError> { read(column, row.try_get(column)?) };
    let examined: Option<String> = row.try_get("examined")?;
    let outcome: String = row.try_get("outcome")?;
    Ok(BuildRow {
        id: row.try_get("id")?,
        maker: row.try_get("maker")?,
        name: row.try_get("name")?,
        request: row.try_get("request")?,
        source_digest: row.try_get("source_digest")?,
        source: row.try_get("source")?,
        outcome: BuildOutcome::from_word(&outcome)?,
        stage: row.try_get("stage")?,
        reason: row.try_get("reason")?,
        version: row.try_get("version")?,
        component: row.try_get("component")?,
        timings: json("timings")?,
        diagnostics: json("diagnostics")?,
        examined: examined.map(|text| read("examined", &text)).transpose()?,
        started_ms: row.try_get("started_ms")?,
    })
}
