//! Versions of forged tools that fail: plain names reach an older one instead.
//!
//! Here is decided what a plain name reaches, from rollbacks whose signatures hold and from what may be called at this
//! moment. Who signs one is elsewhere. Going back gives nobody anything: the older version is installed, signed, and
//! loaded like every other, comes from the same maker, and may do nothing that the newer one may not.

use std::collections::BTreeMap;
use std::sync::Arc;

use semver::Version;
use time::OffsetDateTime;
use tokio::sync::broadcast;
use wasmill_registry::{Rollback, TrustRoots};

use super::component::Tool;
use super::health::Failing;
use super::load::Catalog;
use super::snapshot::Snapshot;
use crate::permissions::Principal;
use crate::store::RollbackRow;

/// Words that a slow listener may be behind; older ones it misses.
const TOLD_MAX: usize = 64;

/// A callable version that its plain name doesn't reach.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct RolledBack {
    /// Name of the tool.
    pub tool: String,
    /// The version that fails.
    pub version: String,
    /// SHA-256 of its component.
    pub digest: String,
    /// The version that the plain name reaches instead; none: there is no older one to go back to, and it is reached all the
    /// same, or a newer one is.
    pub instead: Option<String>,
    /// What was seen.
    pub reason: String,
    /// Name of the host that has seen it.
    pub host: String,
    /// When, milliseconds since 1970.
    pub decided_ms: i64,
}

/// A tool that was just found to fail.
#[derive(Clone)]
pub struct FailingTool {
    /// The version that was called.
    pub tool: Arc<Tool>,
    /// What was seen of it.
    pub seen: Failing,
}

/// Who is told of what fails.
pub(super) struct Watchers {
    failing: broadcast::Sender<FailingTool>,
    rolled_back: broadcast::Sender<RolledBack>,
}

impl Default for Watchers {
    fn default() -> Self {
        Self { failing: broadcast::Sender::new(TOLD_MAX), rolled_back: broadcast::Sender::new(TOLD_MAX) }
    }
}

impl Catalog {
    /// Versions of forged tools that fail on this host, from now on.
    pub fn failing(&self) -> broadcast::Receiver<FailingTool> {
        self.watchers.failing.subscribe()
    }

    /// Versions that plain names don't reach any more, from now on, whichever host has decided it.
    pub fn rollbacks(&self) -> broadcast::Receiver<RolledBack> {
        self.watchers.rolled_back.subscribe()
    }

    /// Counts how a call of a forged tool ended.
    pub(super) fn note_end(&self, tool: &Arc<Tool>, caller: &Principal, failed: bool) {
        if tool.maker.is_none() {
            return;
        }
        if let Some(seen) = tool.health.note(caller.as_str(), failed) {
            // Nobody may be listening.
            let _ = self.watchers.failing.send(FailingTool { tool: tool.clone(), seen });
        }
    }

    /// Says what is taken back now and was not before.
    pub(super) fn tell_rollbacks(&self, before: &Snapshot, next: &Snapshot) {
        let known = |rolled: &RolledBack| {
            before.rolled_back.get(&rolled.tool).is_some_and(|versions| {
                versions.values().any(|old| (&old.version, &old.digest) == (&rolled.version, &rolled.digest))
            })
        };
        for rolled in next.rolled_back.values().flat_map(BTreeMap::values).filter(|rolled| !known(rolled)) {
            let RolledBack { tool, version, instead, reason, .. } = rolled;
            let instead = instead.as_deref().unwrap_or("none");
            tracing::warn!(target: "forge", tool, version, instead, "rolled back: {reason}");
            // Nobody may be listening.
            let _ = self.watchers.rolled_back.send(rolled.clone());
        }
    }
}

impl Snapshot {
    /// Takes back what rows say whose signatures hold, of what is callable now.
    pub(super) fn take_back(&mut self, rows: &[RollbackRow], trust: &TrustRoots, now: OffsetDateTime) {
        for row in rows.iter().filter(|row| row.restored_by.is_none()) {
            let Some(version) = self.callable(row) else { continue };
            let rollback = match Rollback::verify(row.envelope.as_bytes(), trust, now) {
                Ok(rollback) => rollback,
                Err(error) => {
                    let (tool, version) = (&row.name, &row.version);
                    tracing::warn!(tool, version, code = error.code(), "a rollback does not count: {error}");
                    continue;
                }
            };
            let signed = (&rollback.name, &rollback.version, rollback.component.to_string());
            if signed != (&row.name, &version, row.component.clone()) {
                tracing::warn!(
                    tool = row.name,
                    version = row.version,
                    "a rollback does not count: it is of another tool"
                );
                continue;
            }
            let rolled = RolledBack {
                tool: rollback.name,
                version: version.to_string(),
                digest: row.component.clone(),
                instead: None,
                reason: rollback.reason,
                host: row.host.clone(),
                decided_ms: i64::try_from(rollback.decided.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX),
            };
            self.rolled_back.entry(row.name.clone()).or_default().insert(version, rolled);
        }
        for (name, back) in &mut self.rolled_back {
            let Some(instead) = self.tools.get(name).and_then(|all| older(all, |version| back.contains_key(version)))
            else {
                continue;
            };
            back.values_mut().for_each(|rolled| rolled.instead = Some(instead.to_string()));
            self.instead.insert(name.clone(), instead.clone());
        }
    }

    /// The version of a forged tool that a row is about, where it is callable now and exactly the one that is meant.
    fn callable(&self, row: &RollbackRow) -> Option<Version> {
        let version = Version::parse(&row.version).ok()?;
        let tool = self.tools.get(&row.name)?.get(&version)?;
        (tool.maker.is_some() && tool.identity.digest == row.component).then_some(version)
    }

    /// What the plain name of a failing tool would reach without it; none where it doesn't reach this one now, or there is
    /// nothing to go back to.
    pub fn way_back(&self, failing: &Tool) -> Option<&Version> {
        let Tool { manifest, identity, .. } = failing;
        let current = self.tool(&manifest.name)?;
        if current.manifest.version != manifest.version || current.identity.digest != identity.digest {
            return None;
        }
        let known = self.rolled_back.get(&manifest.name);
        let fails = |version: &Version| {
            *version == manifest.version || known.is_some_and(|versions| versions.contains_key(version))
        };
        older(self.tools.get(&manifest.name)?, fails)
    }
}

/// The version to go back to: the newest that doesn't fail, from the same maker as the newest of all, with nothing that
/// this one may not. None where the newest of all doesn't fail.
fn older(versions: &BTreeMap<Version, Arc<Tool>>, fails: impl Fn(&Version) -> bool) -> Option<&Version> {
    let mut newest_first = versions.iter().rev();
    let (_, newest) = newest_first.next().filter(|(version, _)| fails(version))?;
    let fits = |tool: &Tool| {
        tool.maker.is_some()
            && tool.maker == newest.maker
            && newest.identity.grant.covers(tool.identity.grant.effective())
    };
    newest_first.find(|(version, tool)| !fails(version) && fits(tool)).map(|(version, _)| version)
}
