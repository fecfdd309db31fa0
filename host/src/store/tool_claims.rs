//! Table `tool_claims`: forged tools that are being made, or were made a moment ago.

use sqlx::Row;
use sqlx::any::AnyRow;

use super::Store;
use super::error::StoreError;

/// A tool that counts although it may not be installed here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolClaim {
    /// Key.
    pub id: String,
    /// Who has it made, as a principal.
    pub maker: String,
    /// Full name.
    pub name: String,
    /// Version; empty where it is not known yet.
    pub version: String,
    /// Component and source, bytes.
    pub bytes: u64,
    /// Counts until then, milliseconds since 1970.
    pub until_ms: i64,
}

impl Store {
    /// Writes a claim down, or changes it, where `fits` says so to all other claims of its maker that still count at
    /// `now_ms`. Nobody else claims anything for the same maker meanwhile, on any host.
    ///
    /// # Errors
    /// Where the database fails; inside, what `fits` says.
    pub async fn claim_tool<E>(
        &self,
        claim: &ToolClaim,
        now_ms: i64,
        fits: impl FnOnce(&[ToolClaim]) -> Result<(), E>,
    ) -> Result<Result<(), E>, StoreError> {
        let mut turn = self.pool.begin().await?;
        // To write it is to hold it until the end of the transaction.
        let hold = "INSERT INTO tool_makers (maker, turns) VALUES ($1, 1) \
                    ON CONFLICT (maker) DO UPDATE SET turns = tool_makers.turns + 1";
        sqlx::query(hold).bind(&claim.maker).execute(&mut *turn).await?;
        sqlx::query("DELETE FROM tool_claims WHERE maker = $1 AND (until_ms <= $2 OR id = $3)")
            .bind(&claim.maker)
            .bind(now_ms)
            .bind(&claim.id)
            .execute(&mut *turn)
            .await?;
        let others = "SELECT id, maker, name, version, bytes, until_ms FROM tool_claims WHERE maker = $1";
        let others = sqlx::query(others).bind(&claim.maker).fetch_all(&mut *turn).await?;
        let others: Vec<ToolClaim> = others.iter().map(row).collect::<Result<_, _>>()?;
        if let Err(refused) = fits(&others) {
            turn.rollback().await?;
            return Ok(Err(refused));
        }
        let add = "INSERT INTO tool_claims (id, maker, name, version, bytes, until_ms) VALUES ($1, $2, $3, $4, $5, $6)";
        sqlx::query(add)
            .bind(&claim.id)
            .bind(&claim.maker)
            .bind(&claim.name)
            .bind(&claim.version)
            .bind(i64::try_from(claim.bytes).unwrap_or(i64::MAX))
            .bind(claim.until_ms)
            .execute(&mut *turn)
            .await?;
        turn.commit().await?;
        Ok(Ok(()))
    }

    /// Has a claim count until another moment, milliseconds since 1970.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn keep_tool_claim(&self, id: &str, until_ms: i64) -> Result<(), StoreError> {
        let change = "UPDATE tool_claims SET until_ms = $1 WHERE id = $2";
        sqlx::query(change).bind(until_ms).bind(id).execute(&self.pool).await?;
        Ok(())
    }

    /// Takes a claim back.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn drop_tool_claim(&self, id: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM tool_claims WHERE id = $1").bind(id).execute(&self.pool).await?;
        Ok(())
    }
}

fn row(row: &AnyRow) -> Result<ToolClaim, sqlx::Error> {
    Ok(ToolClaim {
        id: row.try_get("id")?,
        maker: row.try_get("maker")?,
        name: row.try_get("name")?,
        version: row.try_get("version")?,
        bytes: u64::try_from(row.try_get::<i64, _>("bytes")?).unwrap_or_default(),
        until_ms: row.try_get("until_ms")?,
    })
}
