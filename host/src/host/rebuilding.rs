//! Generated tools that an advisory touches, built again with what the forge has today.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::Host;
use super::advisories::number;
use crate::advisories::Advisories;
use crate::catalog::Quarantined;
use crate::forge::{Forge, Outcome, Remake, remake_of};
use crate::permissions::{Grant, Principal, PrincipalKind};
use crate::store::{AuditEntry, now_ms};

/// Pause where nothing changes.
const LOOK: Duration = Duration::from_secs(60);
/// When to try again what may succeed later.
const LATER: Duration = Duration::from_secs(10 * 60);
/// When to try again what fails for a reason in the tool itself.
const MUCH_LATER: Duration = Duration::from_secs(24 * 60 * 60);

/// What became of one tool.
enum Ended {
    /// There is a new version of it.
    Made(String),
    /// Another host is at it, or it needs none.
    Left,
    /// It may succeed later.
    NotNow(String),
    /// It won't.
    Never(String),
}

impl Host {
    /// Builds again what is to be built again, until `stop` becomes true.
    pub(super) async fn rebuild_quarantined(&self, mut stop: watch::Receiver<bool>) {
        let Some(forge) = &self.forge else { return };
        let mut changes = self.catalog.changes();
        let mut rests: HashMap<(String, String, u64), Instant> = HashMap::new();
        loop {
            let snapshot = self.catalog.snapshot();
            let wanted: Vec<&Quarantined> = snapshot.quarantined.iter().filter(|of| of.touched.rebuild).collect();
            rests.retain(|key, _| wanted.iter().any(|of| key_of(of) == *key));
            for of in wanted {
                let key = key_of(of);
                if rests.get(&key).is_some_and(|until| Instant::now() < *until) {
                    continue;
                }
                let ended = tokio::select! {
                    _ = stop.wait_for(|stop| *stop) => return,
                    ended = self.rebuild_one(forge, of) => ended,
                };
                rests.insert(key, Instant::now() + self.note_rebuild(of, ended));
            }
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                changed = changes.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    async fn rebuild_one(&self, forge: &Arc<Forge>, of: &Quarantined) -> Ended {
        let Remake { maker, request } = match remake_of(&of.verified) {
            Ok(remake) => remake,
            Err(reason) => return Ended::Never(reason),
        };
        match self.is_newest(of) {
            Ok(true) => {}
            // Whoever made a newer one meant it.
            Ok(false) => return Ended::Left,
            Err(reason) => return Ended::NotNow(reason),
        }
        let Some(grant) = maker.parse().ok().and_then(|maker| self.grant_of_maker(&maker)) else {
            return Ended::NotNow(format!("its maker {maker} is not at work"));
        };
        if !request.language.is_script()
            && let Err(reason) = self.kit_is_free(forge, &request.dependencies).await
        {
            return Ended::NotNow(reason);
        }
        let (component, advisory) = (of.component(), (of.touched.id.as_str(), number(of.touched.serial)));
        let before = now_ms().saturating_sub(i64::try_from(LATER.as_millis()).unwrap_or(i64::MAX));
        match self.store.claim_rebuild(&component, advisory, &self.instance, before).await {
            Ok(true) => {}
            Ok(false) => return Ended::Left,
            Err(error) => return Ended::NotNow(error.to_string()),
        }
        match forge.build(&grant, &request).await {
            Ok(Outcome::Callable(product) | Outcome::Waiting(product)) => {
                Ended::Made(format!("{}@{}", product.tool, product.version))
            }
            Ok(Outcome::Refused(refusal)) => Ended::Never(format!("{}: {}", refusal.stage, refusal.reason)),
            Err(error) => Ended::NotNow(format!("{}: {error}", error.code())),
        }
    }

    /// Says what became of it; and how long it rests now.
    fn note_rebuild(&self, of: &Quarantined, ended: Ended) -> Duration {
        let (component, advisory) = (of.component(), &of.touched.id);
        let (decision, detail, rest) = match ended {
            Ended::Left => return LATER,
            Ended::Made(new) => ("allowed", format!("as {new}, because of advisory {advisory}"), MUCH_LATER),
            Ended::NotNow(reason) => ("failed", reason, LATER),
            Ended::Never(reason) => ("denied", reason, MUCH_LATER),
        };
        tracing::warn!(component, advisory, decision, "built again: {detail}");
        self.audit.record(AuditEntry::now("host", format!("rebuild {component}"), decision, detail));
        rest
    }

    fn is_newest(&self, of: &Quarantined) -> Result<bool, String> {
        let manifest = of.verified.manifest();
        let entries = self.catalog.registry().list().map_err(|error| error.to_string())?;
        Ok(!entries.iter().any(|entry| entry.name == manifest.name && entry.version > manifest.version))
    }

    /// What the maker of a tool may do now, where it is there.
    fn grant_of_maker(&self, maker: &Principal) -> Option<Grant> {
        let snapshot = self.catalog.snapshot();
        match maker.kind() {
            PrincipalKind::Client => Some(self.client(maker.name()).identity.grant.clone()),
            PrincipalKind::Agent => snapshot.agents.get(maker.name()).map(|agent| agent.identity.grant.clone()),
            PrincipalKind::Tool => snapshot.tool(maker.name()).map(|tool| tool.identity.grant.clone()),
        }
    }

    /// What is built today must not be touched itself.
    async fn kit_is_free(&self, forge: &Arc<Forge>, crates: &[String]) -> Result<(), String> {
        let workshop = forge.workshop().await.map_err(|error| format!("{}: {error}", error.code()))?;
        let advisories = Advisories::read(&self.advisories).map_err(|error| error.to_string())?;
        let crates: Vec<&str> = crates.iter().map(String::as_str).collect();
        match advisories.against(&workshop.ingredients(&crates)) {
            None => Ok(()),
            Some(touched) => Err(format!(
                "what this host's forge would make today is touched by advisory {} too: {}",
                touched.id, touched.because
            )),
        }
    }
}

fn key_of(of: &Quarantined) -> (String, String, u64) {
    (of.component(), of.touched.id.clone(), of.touched.serial)
}
