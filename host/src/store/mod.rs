//! What hosts remember in SQL: approvals, advisories, decisions about components, components and policies that hosts give each other,
//! builds of the forge, runs with their journals, encrypted credentials, the audit trail, each other.
//!
//! SQLite in the home directory, or one PostgreSQL for many hosts; the same statements run on both. Queries live in one
//! file per table. This folder believes nothing and decides nothing: it must never know of signatures, permissions or
//! what is in components, and nobody may trust a row for more than a note that somebody wrote.

mod advisories;
mod approvals;
mod audit;
mod audit_chains;
mod audit_checkpoints;
mod audit_hash;
mod audit_writer;
mod builds;
mod bundles;
mod clock;
mod components;
mod error;
mod forge_news;
mod hosts;
mod migrations;
mod model_usage;
mod open;
mod policies;
mod rollbacks;
mod run_orders;
mod run_steps;
mod runs;
mod secrets;
mod tool_claims;
mod tool_uses;

pub use approvals::ApprovalRow;
pub use audit::{AUDIT_LISTED_MAX, AuditEntry, AuditFilter, AuditPlace, AuditRow};
pub use audit_chains::{AuditHead, AuditSent};
pub use audit_checkpoints::CheckpointRow;
pub use audit_hash::{AuditHash, NO_ROW, hash_of};
pub use audit_writer::AuditWriter;
pub use builds::{BuildFilter, BuildOutcome, BuildRow, NewBuild};
pub use bundles::BundleRow;
pub use components::{ComponentRow, ComponentStatus};
pub use error::StoreError;
pub use forge_news::NewsRow;
pub use hosts::HostNote;
pub use model_usage::{MODEL_USE_LISTED_MAX, ModelDay, ModelUse, Payer};
pub use rollbacks::RollbackRow;
pub use run_steps::{NewStep, StepRow};
pub use runs::{Afresh, Finish, Halt, NewRun, RUNS_LISTED_MAX, RunFilter, RunPlace, RunRow, RunStatus};
pub use secrets::SecretRow;
pub use tool_claims::ToolClaim;
pub use tool_uses::ToolUses;

use std::time::{SystemTime, UNIX_EPOCH};

use sqlx::AnyPool;

/// A connected database with the current tables. Cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct Store {
    pool: AnyPool,
}

/// Milliseconds since 1970-01-01T00:00:00Z.
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Days since 1970-01-01, UTC.
pub fn today() -> i64 {
    now_ms().div_euclid(24 * 60 * 60 * 1000)
}

/// A new key: sorts by the time it was made, and no two hosts make the same one.
pub(crate) fn new_id(at_ms: i64) -> String {
    format!("{at_ms:012x}{:016x}", rand::random::<u64>())
}
