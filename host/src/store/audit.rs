//! Table `audit`: who tried what. Rows are only ever added, in chains without gaps, each with a hash that is made of the
//! one before it.

use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::any::AnyRow;

use super::audit_hash::{AuditHash, NO_ROW, hash_of};
use super::error::StoreError;
use super::{Store, now_ms};

/// Longest text of one field, in characters; what is longer is cut.
const TEXT_CHARS_MAX: usize = 4_096;

/// Most rows of one list.
pub const AUDIT_LISTED_MAX: u32 = 10_000;

/// How often to take a number again where another writer of the same chain took it first.
const ATTEMPTS: u32 = 20;

/// What is to be remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// When, milliseconds since 1970.
    pub at_ms: i64,
    /// Who, as a principal.
    pub principal: String,
    /// What was tried.
    pub action: String,
    /// What came of it: `allowed`, `denied`, `failed`.
    pub decision: String,
    /// Anything more, one line of text.
    pub detail: String,
}

impl AuditEntry {
    /// An entry of this moment.
    pub fn now(
        principal: impl Into<String>,
        action: impl Into<String>,
        decision: &str,
        detail: impl Into<String>,
    ) -> Self {
        let (principal, action, detail) = (principal.into(), action.into(), detail.into());
        Self { at_ms: now_ms(), principal, action, decision: decision.to_string(), detail }
    }
}

/// What is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct AuditRow {
    /// The host that wrote it.
    pub chain: String,
    /// Number in that chain, from 1, without gaps.
    pub seq: i64,
    /// When, milliseconds since 1970.
    pub at_ms: i64,
    /// Who.
    pub principal: String,
    /// What was tried.
    pub action: String,
    /// What came of it.
    pub decision: String,
    /// Anything more.
    pub detail: String,
    /// Hash of the row and of all before it, 64 hexadecimal digits; none where it was written by a host that made none.
    pub hash: Option<String>,
}

/// Which rows to list.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Only those of this principal.
    pub principal: Option<String>,
    /// Most rows, newest first.
    pub limit: u32,
    /// Only those after this one, in the order of the list.
    pub after: Option<AuditPlace>,
}

/// A row's place in the list: newest first, then by chain, then by number, highest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditPlace {
    /// When it was written, milliseconds since 1970.
    pub at_ms: i64,
    /// Chain.
    pub chain: String,
    /// Number in its chain.
    pub seq: i64,
}

impl Store {
    /// Adds entries to the end of a chain, all or none.
    ///
    /// # Errors
    /// Where the database fails; nothing was added then.
    pub async fn append_audit(&self, chain: &str, entries: &[AuditEntry]) -> Result<(), StoreError> {
        let mut attempt = 1;
        loop {
            match self.append_once(chain, entries).await {
                // Two writers took the same number at once; one of them counts again.
                Err(sqlx::Error::Database(error)) if error.is_unique_violation() && attempt < ATTEMPTS => attempt += 1,
                done => return Ok(done?),
            }
        }
    }

    async fn append_once(&self, chain: &str, entries: &[AuditEntry]) -> Result<(), sqlx::Error> {
        let mut work = self.pool.begin().await?;
        // Whoever adds to this chain waits here: a row of the database is held until the end of the transaction. Without
        // it two writers would begin at the same row, and one of them would have to begin again.
        sqlx::query(
            "INSERT INTO audit_chains (chain, rows_sent, checkpoints_sent) VALUES ($1, 0, 0) \
             ON CONFLICT (chain) DO UPDATE SET rows_sent = audit_chains.rows_sent",
        )
        .bind(chain)
        .execute(&mut *work)
        .await?;
        let last = sqlx::query("SELECT seq, hash FROM audit WHERE chain = $1 ORDER BY seq DESC LIMIT 1")
            .bind(chain)
            .fetch_optional(&mut *work)
            .await?;
        let (mut seq, mut before) = match last {
            Some(last) => (last.try_get("seq")?, AuditHash::read(last.try_get("hash")?)),
            None => (0, NO_ROW),
        };
        for entry in entries {
            seq += 1;
            let entry = AuditEntry {
                at_ms: entry.at_ms,
                principal: clean(&entry.principal),
                action: clean(&entry.action),
                decision: clean(&entry.decision),
                detail: clean(&entry.detail),
            };
            before = hash_of(chain, seq, before, &entry);
            sqlx::query(
                "INSERT INTO audit (chain, seq, at_ms, principal, action, decision, detail, hash) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            )
            .bind(chain)
            .bind(seq)
            .bind(entry.at_ms)
            .bind(entry.principal)
            .bind(entry.action)
            .bind(entry.decision)
            .bind(entry.detail)
            .bind(before.to_string())
            .execute(&mut *work)
            .await?;
        }
        work.commit().await
    }

    /// Rows of all chains, newest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn audit(&self, filter: &AuditFilter) -> Result<Vec<AuditRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT chain, seq, at_ms, principal, action, decision, detail, hash FROM audit \
             WHERE ($1 = '' OR principal = $1) AND ($3 = 0 OR at_ms < $4 OR (at_ms = $4 AND (chain > $5 OR \
             (chain = $5 AND seq < $6)))) ORDER BY at_ms DESC, chain, seq DESC LIMIT $2",
        )
        .bind(filter.principal.as_deref().unwrap_or_default())
        .bind(i64::from(filter.limit))
        .bind(i64::from(filter.after.is_some()))
        .bind(filter.after.as_ref().map_or(0, |after| after.at_ms))
        .bind(filter.after.as_ref().map_or("", |after| after.chain.as_str()))
        .bind(filter.after.as_ref().map_or(0, |after| after.seq))
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.iter().map(row).collect::<Result<_, _>>()?)
    }

    /// Rows of all chains from a moment on (milliseconds since 1970), newest first, at most `limit`.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn audit_since(&self, at_ms: i64, limit: u32) -> Result<Vec<AuditRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT chain, seq, at_ms, principal, action, decision, detail, hash FROM audit \
             WHERE at_ms >= $1 ORDER BY at_ms DESC, chain, seq DESC LIMIT $2",
        )
        .bind(at_ms)
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.iter().map(row).collect::<Result<_, _>>()?)
    }

    /// Rows of one chain after a number, in order, at most `limit`.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn audit_after(&self, chain: &str, seq: i64, limit: u32) -> Result<Vec<AuditRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT chain, seq, at_ms, principal, action, decision, detail, hash FROM audit \
             WHERE chain = $1 AND seq > $2 ORDER BY seq LIMIT $3",
        )
        .bind(chain)
        .bind(seq)
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.iter().map(row).collect::<Result<_, _>>()?)
    }
}

/// Text as every database takes it: PostgreSQL has no place for a zero character, and guests choose some of these texts.
fn clean(text: &str) -> String {
    text.chars().take(TEXT_CHARS_MAX).map(|c| if c == '\0' { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

fn row(row: &AnyRow) -> Result<AuditRow, sqlx::Error> {
    Ok(AuditRow {
        chain: row.try_get("chain")?,
        seq: row.try_get("seq")?,
        at_ms: row.try_get("at_ms")?,
        principal: row.try_get("principal")?,
        action: row.try_get("action")?,
        decision: row.try_get("decision")?,
        detail: row.try_get("detail")?,
        hash: row.try_get("hash")?,
    })
}
