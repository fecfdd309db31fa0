//! A version of a forged tool that fails is taken back: signed, kept, and in force on every host of the database within
//! seconds.

use time::OffsetDateTime;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use wasmill_registry::{Digest, Rollback, SecretKey};

use super::Host;
use crate::catalog::{FailingTool, Tool};
use crate::problem::{Problem, ProblemKind};
use crate::store::{AuditEntry, RollbackRow};

impl Host {
    /// Takes back what fails, until `stop` becomes true.
    pub(super) async fn roll_back(&self, mut stop: watch::Receiver<bool>) {
        let mut failing = self.catalog.failing();
        loop {
            let failing = tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                failing = failing.recv() => failing,
            };
            let failing = match failing {
                Ok(failing) => failing,
                // What still fails is said again.
                Err(RecvError::Lagged(_)) => continue,
                Err(RecvError::Closed) => return,
            };
            if let Err(problem) = self.take_back(&failing).await {
                let component = &failing.tool.identity.component;
                tracing::warn!(target: "forge", %component, code = %problem.code, "not rolled back: {}", problem.message);
            }
        }
    }

    async fn take_back(&self, failing: &FailingTool) -> Result<(), Problem> {
        let FailingTool { tool, seen } = failing;
        let component = &tool.identity.component;
        let callers = if seen.callers == 1 { "caller" } else { "callers" };
        let reason = format!("{} of the last {} calls of {} {callers} failed", seen.failures, seen.calls, seen.callers);
        let Some(instead) = self.catalog.snapshot().way_back(tool).cloned() else {
            tracing::debug!(target: "forge", %component, "{reason}, and there is no version to go back to");
            return Ok(());
        };
        let key = self.forge_key.as_ref().ok_or_else(|| {
            let message = format!("{reason}, and this host has no forge key to sign that with");
            Problem::new(ProblemKind::Unavailable, "rollback.key", message, "See `wasmill key new`.")
        })?;
        let row = signed(tool, &reason, &self.name, key)?;
        // Where another host was first, or an admin has restored it, nothing is to be done.
        if self.store.add_rollback(&row).await? {
            let (action, detail) = (format!("roll back {component}"), format!("to {instead}: {reason}"));
            self.audit.record(AuditEntry::now("host", action, "allowed", detail));
            self.catalog.refresh().await?;
        }
        Ok(())
    }
}

fn signed(tool: &Tool, reason: &str, host: &str, key: &SecretKey) -> Result<RollbackRow, Problem> {
    let digest = &tool.identity.digest;
    let failed = |error: &dyn std::fmt::Display| Problem::new(ProblemKind::Failed, "rollback.sign", error, "");
    let rollback = Rollback {
        name: tool.manifest.name.clone(),
        version: tool.manifest.version.clone(),
        component: digest.parse::<Digest>().map_err(|error| failed(&error))?,
        reason: reason.to_owned(),
        decided: OffsetDateTime::now_utc(),
    };
    let envelope = rollback.sign(key).map_err(|error| failed(&error))?;
    Ok(RollbackRow {
        name: rollback.name,
        version: rollback.version.to_string(),
        component: digest.clone(),
        envelope: String::from_utf8_lossy(&envelope.to_json()).into_owned(),
        host: host.to_owned(),
        created_ms: 0,
        restored_by: None,
        restored_ms: None,
    })
}
