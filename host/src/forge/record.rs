//! What is written down of a request.

use serde_json::json;
use time::OffsetDateTime;
use wasmill_registry::Digest;

use super::error::ForgeError;
use super::examine::Findings;
use super::outcome::{Outcome, Product, Timing};
use super::request::{Request, SOURCE_BYTES_MAX};
use crate::permissions::Grant;
use crate::store::{AuditEntry, BuildOutcome, NewBuild};

/// What is told of a request on its way.
pub struct Told<'a> {
    /// Stages that are over.
    pub timings: &'a [Timing],
    /// What the try-out came to.
    pub findings: Option<&'a Findings>,
}

/// The row for a request that came to an end.
pub fn row(
    maker: &str,
    tool: &str,
    request: &Request,
    outcome: &Outcome,
    told: &Told<'_>,
    started: OffsetDateTime,
) -> NewBuild {
    let Told { timings, findings } = told;
    let made = |product: &Product| (Some(product.version.clone()), Some(product.digest.clone()));
    let last = timings.last().map(|timing| timing.stage.to_string()).unwrap_or_default();
    let (kind, reason, (version, component), diagnostics) = match outcome {
        Outcome::Callable(product) => (BuildOutcome::Callable, String::new(), made(product), json!([])),
        Outcome::Waiting(product) => (BuildOutcome::Waiting, String::new(), made(product), json!([])),
        Outcome::Refused(refusal) => {
            (BuildOutcome::Refused, refusal.reason.to_string(), (None, None), json!(refusal.diagnostics))
        }
    };
    // A source over the limit was not even read; the table does not have to keep it.
    let source = if request.source.len() > SOURCE_BYTES_MAX { String::new() } else { request.source.clone() };
    NewBuild {
        maker: maker.to_owned(),
        name: tool.to_owned(),
        request: request.digest(maker).to_string(),
        source_digest: Digest::of(request.source.as_bytes()).to_string(),
        // PostgreSQL's text has no place for it, and no source that is built has one.
        source: source.replace('\0', "\u{fffd}"),
        outcome: kind,
        stage: last,
        reason: reason.replace('\0', "\u{fffd}"),
        version,
        component,
        timings: json!(timings),
        diagnostics,
        examined: findings.map(|findings| json!(findings)),
        started_ms: i64::try_from(started.unix_timestamp_nanos() / 1_000_000).unwrap_or_default(),
    }
}

/// What the audit trail is told of a request, whatever became of it.
pub fn entry(maker: &Grant, request: &Request, ended: &Result<Outcome, ForgeError>) -> AuditEntry {
    let made = |product: &Product| format!("{}@{}, component {}", product.tool, product.version, product.digest);
    let (decision, detail) = match ended {
        Ok(Outcome::Callable(product)) => ("allowed", made(product)),
        Ok(Outcome::Waiting(product)) => ("allowed", format!("{}; it waits for an admin", made(product))),
        Ok(Outcome::Refused(refusal)) => ("denied", format!("{}: {}", refusal.stage, refusal.reason)),
        Err(error @ ForgeError::Denied { .. }) => ("denied", error.to_string()),
        Err(error) => ("failed", format!("{}: {error}", error.code())),
    };
    let name: String = request.name.chars().take(64).collect();
    let action = format!("forge {}.{name}", maker.principal().name());
    AuditEntry::now(maker.principal().as_str(), action, decision, detail)
}
