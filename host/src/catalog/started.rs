//! Agents that agents or clients have started: what becomes of each is decided from its component, its rows and its maker now.

use std::collections::BTreeMap;
use std::sync::Arc;

use wasmill_registry::{Kind, Manifest};

use super::component::Agent;
use super::error::CatalogError;
use super::grants::Deciding;
use super::load::Catalog;
use super::snapshot::{Refused, Snapshot};
use crate::capabilities::Identity;
use crate::capabilities::agents::{Maker, Started};
use crate::permissions::{Action, Decision, Principal};

impl Catalog {
    /// Places all started agents into the next snapshot. A maker stands before what it has started, since names are
    /// sorted.
    pub(super) fn place_started(&self, deciding: &Deciding<'_>, before: &Snapshot, next: &mut Snapshot) {
        for (name, started) in self.services().book.current().iter() {
            match self.started(name, started, deciding, before, next) {
                Ok(agent) => drop(next.agents.insert(name.clone(), agent)),
                Err(error) => {
                    tracing::warn!(agent = name, code = error.code(), "not started: {error}");
                    let component = name.clone();
                    next.refused.push(Refused { component, code: error.code(), reason: error.to_string() });
                }
            }
        }
    }

    fn started(
        &self,
        name: &str,
        started: &Started,
        deciding: &Deciding<'_>,
        before: &Snapshot,
        next: &Snapshot,
    ) -> Result<Arc<Agent>, CatalogError> {
        let refused = |reason: String| CatalogError::Started { name: name.to_owned(), reason };
        if next.agents.contains_key(name) || deciding.candidates.contains_key(name) {
            return Err(refused("a component of that name is installed".into()));
        }
        let old = before.agents.get(name);
        let maker = match &started.maker {
            Maker::Agent(name) => next.agents.get(name).map(|agent| agent.identity.clone()),
            Maker::Client(name) => Some(self.client_maker(name, old)),
        };
        let maker = maker.ok_or_else(|| refused(format!("its maker `{}` is not at work", started.maker)))?;
        if let Decision::Denied(denial) = maker.grant.check(Action::AgentStart(&started.component)) {
            return Err(refused(denial.to_string()));
        }
        let installed = deciding.candidates.get(&started.component).and_then(|all| all.values().next_back());
        let installed = installed.filter(|candidate| candidate.verified.manifest().kind == Kind::Agent);
        let installed = installed.ok_or_else(|| refused(format!("no agent `{}` is installed", started.component)))?;
        installed.free()?;
        let manifest = manifest_of(name, started, installed.verified.manifest());
        let principal = Principal::agent(name);
        let wanted = Some(&manifest.permissions);
        let grant = deciding.matrix.grant(&principal, wanted, Some(&manifest.limits), Some(&maker.grant));
        if grant.awaits_approval() {
            let columns: Vec<String> = grant.privileged().iter().map(|column| column.to_string()).collect();
            let columns = columns.join(", ");
            return Err(refused(format!(
                "it would hold something privileged ({columns}), which only installed ones can"
            )));
        }
        let digest = installed.verified.digest().to_string();
        let goes_on = |old: &&Arc<Agent>| {
            let (grant_was, maker_was) = (&old.identity.grant, old.maker.as_ref());
            old.identity.digest == digest
                && old.manifest.as_ref() == &manifest
                && old.identity.settings == started.settings
                && maker_was.is_some_and(|was| Arc::ptr_eq(was, &maker))
                && grant_was.revision() == grant.revision()
                && grant_was.effective() == grant.effective()
                && grant_was.limits() == grant.limits()
        };
        if let Some(old) = old.filter(goes_on) {
            return Ok(old.clone());
        }
        let component = installed.verified.component();
        let settings: BTreeMap<String, String> = started.settings.clone();
        let agent = self.load_agent(component, &manifest, grant, settings)?;
        Ok(Arc::new(Agent { maker: Some(maker), ..agent }))
    }

    /// A client as the maker of `old`: the same value for as long as its rows say the same.
    fn client_maker(&self, name: &str, old: Option<&Arc<Agent>>) -> Arc<Identity> {
        let now = self.client(name, "".into()).identity;
        let was = old.and_then(|old| old.maker.clone());
        let is_same = |was: &Arc<Identity>| {
            was.principal == now.principal
                && was.grant.revision() == now.grant.revision()
                && was.grant.effective() == now.grant.effective()
                && was.grant.limits() == now.grant.limits()
        };
        was.filter(is_same).unwrap_or(now)
    }
}

/// The component's own manifest, under the new name and for the new topics.
fn manifest_of(name: &str, started: &Started, own: &Manifest) -> Manifest {
    let mut manifest = own.clone();
    manifest.name = name.to_owned();
    if let Some(agent) = &mut manifest.agent {
        agent.reads = started.reads.clone();
    }
    manifest
}
