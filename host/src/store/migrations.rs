//! Brings a database's tables to this version. Migrations only go forward; a database of a newer version is refused.

use std::time::Duration;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AnyPool, SqlSafeStr};

use super::error::StoreError;

/// All migrations, oldest first. A file that was released is never changed.
const MIGRATIONS: [(i64, &str, &str); 11] = [
    (1, "first", include_str!("migrations/0001_first.sql")),
    (2, "runs", include_str!("migrations/0002_runs.sql")),
    (3, "hosts", include_str!("migrations/0003_hosts.sql")),
    (4, "bundles", include_str!("migrations/0004_bundles.sql")),
    (5, "policies", include_str!("migrations/0005_policies.sql")),
    (6, "audit chain", include_str!("migrations/0006_audit_chain.sql")),
    (7, "secrets", include_str!("migrations/0007_secrets.sql")),
    (8, "model usage", include_str!("migrations/0008_model_usage.sql")),
    (9, "rollbacks", include_str!("migrations/0009_rollbacks.sql")),
    (10, "forged tools", include_str!("migrations/0010_forged_tools.sql")),
    (11, "advisories", include_str!("migrations/0011_advisories.sql")),
];

/// How often to try where another process changes the same tables: SQLite has no lock that spans a migration.
const ATTEMPTS: u32 = 5;

/// Applies what is missing.
pub(super) async fn run(pool: &AnyPool) -> Result<(), StoreError> {
    let migrations = MIGRATIONS.map(|(version, name, sql)| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    });
    let migrator = Migrator::with_migrations(migrations.into());
    let mut attempt = 1;
    loop {
        match migrator.run(pool).await.map_err(StoreError::from) {
            Ok(()) => return Ok(()),
            Err(StoreError::Busy(_) | StoreError::Failed(_)) if attempt < ATTEMPTS => attempt += 1,
            Err(error) => return Err(error),
        }
        tokio::time::sleep(Duration::from_millis(100 * u64::from(attempt))).await;
    }
}
