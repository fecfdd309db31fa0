//! Forged tools that nobody calls: noted by the day, and removed after as many days as their maker's row says.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use semver::Version;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::sync::watch;
use wasmill_registry::{Claim, Entry, Registry, TrustRoots};

use super::Host;
use super::sharing::{blocking, forget, withdraw_one};
use crate::catalog::{Snapshot, Tool};
use crate::forge::News;
use crate::permissions::{LimitName, Matrix, UNLIMITED};
use crate::problem::{Problem, ProblemKind};
use crate::store::{AuditEntry, ToolUses, now_ms, today};

/// How often notes are written down.
const NOTE: Duration = Duration::from_secs(5);
/// How often is looked for tools that nobody calls.
const LOOK: Duration = Duration::from_secs(60 * 60);

/// A tool that nobody called for long.
#[derive(Debug, PartialEq, Eq)]
struct Unused {
    name: String,
    maker: String,
    /// The limit, its value and who set it.
    limit: String,
    /// It must have been made on this day at the latest, days since 1970.
    made_by: i64,
}

impl Host {
    /// Notes uses and removes what nobody uses, until `stop` becomes true.
    pub(super) async fn follow_uses(&self, stop: watch::Receiver<bool>) {
        tokio::join!(self.note_on(stop.clone()), self.expire_on(stop));
    }

    async fn note_on(&self, mut stop: watch::Receiver<bool>) {
        while !stopped(&mut stop, NOTE).await {
            self.note_uses().await;
        }
        self.note_uses().await;
    }

    async fn expire_on(&self, mut stop: watch::Receiver<bool>) {
        loop {
            if let Err(problem) = self.expire_unused(today()).await {
                tracing::warn!(code = %problem.code, "tools that nobody uses stay for now: {}", problem.message);
            }
            if stopped(&mut stop, LOOK).await {
                return;
            }
        }
    }

    /// Writes down which forged tools were called since the last time.
    pub async fn note_uses(&self) {
        let uses = self.catalog.uses().take();
        if uses.is_empty() {
            return;
        }
        if let Err(error) = self.store.note_tool_uses(&uses).await {
            tracing::debug!(code = error.code(), "which tools were called is not noted now: {error}");
            self.catalog.uses().put_back(uses);
        }
    }

    /// Removes forged tools that nobody has called for as many days as their limit `unused_days` says, as of `today` (days
    /// since 1970). Returns their names. Kept are tools that an approval is about or that wait for one, and those which a
    /// row of the matrix names in full.
    ///
    /// # Errors
    /// Where the database, the registry or the trust roots fail.
    pub async fn expire_unused(&self, today: i64) -> Result<Vec<String>, Problem> {
        let Some(forge) = &self.forge else { return Ok(Vec::new()) };
        self.note_uses().await;
        let uses = self.store.tool_uses(today).await?;
        let unused = unused(&self.catalog.snapshot(), &self.catalog.matrix().current(), &uses, today);
        let mut removed = Vec::new();
        for Unused { name, maker, limit, made_by } in unused {
            let entries = self.made_by(&name, made_by).await?;
            for entry in &entries {
                self.remove(entry).await?;
                let action = format!("expire {}@{}", entry.name, entry.version);
                self.audit.record(AuditEntry::now("host", action, "allowed", format!("nobody called it: {limit}")));
            }
            if !entries.is_empty() {
                tracing::info!(tool = name, "removed, as nobody called it: {limit}");
                self.store.remove_tool_use(&name).await?;
                let news = News::expired(&name, &maker, limit, now_ms());
                forge.tell(&news).await.map_err(|error| error.problem())?;
                removed.push(name);
            }
        }
        if !removed.is_empty() {
            self.catalog.refresh().await?;
        }
        Ok(removed)
    }

    /// All versions of a tool, where the forge made each of them and the last one on this day at the latest; else none.
    async fn made_by(&self, name: &str, day: i64) -> Result<Vec<Entry>, Problem> {
        let (registry, trust, name) = (self.catalog.registry().clone(), self.trust.clone(), name.to_owned());
        blocking(move || {
            let text = std::fs::read_to_string(&trust).map_err(|error| Problem::io(&trust, &error))?;
            let next = "Repair trust.toml, see `wasmill doctor`.";
            let roots = TrustRoots::parse(&text)
                .map_err(|error| Problem::new(ProblemKind::Failed, "trust.invalid", error, next))?;
            let entries: Vec<Entry> = registry.list()?.into_iter().filter(|entry| entry.name == name).collect();
            let is_old = |entry: &Entry| made_on(&registry, entry, &roots).is_some_and(|made| made <= day);
            Ok(if entries.iter().all(is_old) { entries } else { Vec::new() })
        })
        .await
    }

    async fn remove(&self, entry: &Entry) -> Result<(), Problem> {
        // First, or another host's offer would bring it back. Where nobody shares the database, nobody reads it.
        withdraw_one(&self.store, entry).await?;
        let (registry, entry) = (self.catalog.registry().clone(), entry.clone());
        blocking(move || forget(&registry, &entry)).await
    }
}

/// Tools that nobody called for as many days as their limit says, or more. When they were made is not looked at yet.
fn unused(snapshot: &Snapshot, matrix: &Matrix, uses: &ToolUses, today: i64) -> Vec<Unused> {
    let mut unused = Vec::new();
    for (name, versions) in &snapshot.tools {
        // What a publisher signed has no maker.
        let Some((tool, maker)) = newest(versions).and_then(|tool| Some((tool, tool.maker.clone()?))) else { continue };
        let limit = tool.identity.grant.limits().get(LimitName::UnusedDays);
        let Some(days) = i64::try_from(limit.value).ok().filter(|_| limit.value != UNLIMITED) else { continue };
        let last_use = uses.days.get(name).copied().unwrap_or(uses.since).max(uses.since);
        if today.saturating_sub(last_use) < days || is_kept(name, versions, snapshot, matrix) {
            continue;
        }
        let made_by = today.saturating_sub(days);
        unused.push(Unused { name: name.clone(), maker, limit: limit.to_string(), made_by });
    }
    unused
}

/// True for what a person has decided about, or is to decide about.
fn is_kept(name: &str, versions: &BTreeMap<Version, Arc<Tool>>, snapshot: &Snapshot, matrix: &Matrix) -> bool {
    // A tool with something privileged is callable because an admin signed exactly it.
    let is_approved = versions.values().any(|tool| !tool.identity.grant.privileged().is_empty());
    is_approved || snapshot.waiting.iter().any(|waiting| waiting.is(name)) || matrix.names_tool(name)
}

fn newest(versions: &BTreeMap<Version, Arc<Tool>>) -> Option<&Arc<Tool>> {
    versions.last_key_value().map(|(_, tool)| tool)
}

/// The day on which the forge made a component, by its signed statement; none where nobody can tell, or it was published.
fn made_on(registry: &Registry, entry: &Entry, roots: &TrustRoots) -> Option<i64> {
    let verified = registry.load(entry, roots, OffsetDateTime::now_utc()).ok()?;
    let Claim::Forged(provenance) = verified.claim() else { return None };
    let finished = provenance.run_details.metadata["finishedOn"].as_str()?;
    let finished = OffsetDateTime::parse(finished, &Rfc3339).ok()?;
    Some(finished.unix_timestamp().div_euclid(24 * 60 * 60))
}

/// Waits; true where it is to stop.
async fn stopped(stop: &mut watch::Receiver<bool>, pause: Duration) -> bool {
    tokio::time::timeout(pause, stop.wait_for(|stop| *stop)).await.is_ok()
}
