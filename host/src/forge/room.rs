//! How many tools a maker may have at a time, and how large they may be together, on all hosts together.
//!
//! What is installed counts by the forge's signature. What is being made, here or on another host, is no part of that
//! yet, and counts by a claim in the database; one claim of a maker is decided after the other.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::error::{ForgeError, Quantity};
use super::pipeline::on_disk;
use super::shelf::{Alive, Shelf};
use crate::permissions::{Grant, LimitName};
use crate::store::{Store, ToolClaim, new_id, now_ms};

/// How long a finished tool counts by its claim too: until every host that shares it has it, milliseconds.
const SETTLED_MS: i64 = 60_000;

/// What makers have, as far as this host and the database know.
pub(super) struct Room {
    store: Store,
    shelf: Arc<Shelf>,
    /// How long a request may be under way.
    deadline: Duration,
}

/// Room for one tool that is being made.
pub(super) struct Claimed<'a> {
    room: &'a Room,
    maker: &'a Grant,
    claim: ToolClaim,
}

impl Room {
    pub fn new(store: Store, shelf: Arc<Shelf>, deadline: Duration) -> Self {
        Self { store, shelf, deadline }
    }

    /// Claims room for a tool of so many bytes at least.
    ///
    /// # Errors
    /// [`ForgeError::Quota`] where there is none; [`ForgeError::Registry`], [`ForgeError::Store`].
    pub async fn claim<'a>(&'a self, maker: &'a Grant, tool: &str, bytes: u64) -> Result<Claimed<'a>, ForgeError> {
        let deadline = i64::try_from(self.deadline.as_millis()).unwrap_or(i64::MAX);
        let now = now_ms();
        let claim = ToolClaim {
            id: new_id(now),
            maker: maker.principal().to_string(),
            name: tool.to_owned(),
            version: String::new(),
            bytes,
            until_ms: now.saturating_add(deadline),
        };
        let claimed = Claimed { room: self, maker, claim };
        claimed.decide().await?;
        Ok(claimed)
    }
}

impl Claimed<'_> {
    /// The tool is made: what it weighs is known.
    ///
    /// # Errors
    /// As [`Room::claim`].
    pub async fn weigh(&mut self, version: String, bytes: u64) -> Result<(), ForgeError> {
        (self.claim.version, self.claim.bytes) = (version, bytes);
        self.decide().await
    }

    /// The tool is registered, or nothing came of it.
    ///
    /// # Errors
    /// [`ForgeError::Store`].
    pub async fn end(self, is_registered: bool) -> Result<(), ForgeError> {
        let store = &self.room.store;
        match is_registered {
            true => store.keep_tool_claim(&self.claim.id, now_ms().saturating_add(SETTLED_MS)).await?,
            false => store.drop_tool_claim(&self.claim.id).await?,
        }
        Ok(())
    }

    async fn decide(&self) -> Result<(), ForgeError> {
        let maker = self.claim.maker.clone();
        let prefix = format!("{}.", self.maker.principal().name());
        let alive = on_disk(&self.room.shelf, move |shelf| shelf.alive(&maker, &prefix)).await?;
        let limit = |name| self.maker.limits().get(name).value;
        let (tools, bytes) = (limit(LimitName::ToolsAlive), limit(LimitName::ToolBytes));
        let fits = |others: &[ToolClaim]| fits(&alive, others, &self.claim, tools, bytes);
        let decided = self.room.store.claim_tool(&self.claim, now_ms(), fits).await?;
        decided.map_err(|quantity| ForgeError::Quota {
            maker: self.claim.maker.clone(),
            limit: self.maker.limits().get(quantity.limit()).to_string(),
            quantity,
        })
    }
}

/// Whether one more tool fits beside what is installed and what others claim.
fn fits(alive: &[Alive], others: &[ToolClaim], wanted: &ToolClaim, tools: u64, bytes: u64) -> Result<(), Quantity> {
    // What is installed already and still claimed is one and the same.
    let is_alive =
        |claim: &ToolClaim| alive.iter().any(|tool| tool.name == claim.name && tool.version == claim.version);
    let claims: Vec<&ToolClaim> = others.iter().filter(|claim| !is_alive(claim)).collect();
    let installed = alive.iter().map(|tool| tool.name.as_str());
    let names: BTreeSet<&str> = installed.chain(claims.iter().map(|claim| claim.name.as_str())).collect();
    // Another version of what is there is no other tool.
    if !names.contains(wanted.name.as_str()) && names.len() as u64 >= tools {
        return Err(Quantity::Tools);
    }
    let sizes = alive.iter().map(|tool| tool.bytes).chain(claims.iter().map(|claim| claim.bytes));
    let total = sizes.fold(wanted.bytes, u64::saturating_add);
    if total > bytes { Err(Quantity::Bytes) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alive(name: &str, version: &str, bytes: u64) -> Alive {
        Alive { name: name.into(), version: version.into(), bytes }
    }

    fn claim(name: &str, version: &str, bytes: u64) -> ToolClaim {
        let (id, maker) = (name.to_owned(), "agent:m".to_owned());
        ToolClaim { id, maker, name: name.into(), version: version.into(), bytes, until_ms: 0 }
    }

    #[test]
    fn tools_are_counted_by_name_whether_installed_or_claimed() {
        let (there, others) = ([alive("a", "1", 1), alive("a", "2", 1)], [claim("b", "", 1)]);
        let add = |name, most| fits(&there, &others, &claim(name, "", 1), most, 100);
        assert_eq!(add("c", 3), Ok(()));
        assert_eq!(add("c", 2), Err(Quantity::Tools));
        assert_eq!(add("a", 1), Ok(()), "another version is no other tool, also where there are too many");
        assert_eq!(add("b", 1), Ok(()));
    }

    #[test]
    fn bytes_are_those_of_all_versions_and_claims_and_nothing_counts_twice() {
        let (there, others) = ([alive("a", "1", 10), alive("a", "2", 10)], [claim("a", "2", 10), claim("b", "", 5)]);
        let add = |bytes, most| fits(&there, &others, &claim("a", "", bytes), 100, most);
        assert_eq!(add(5, 30), Ok(()));
        assert_eq!(add(6, 30), Err(Quantity::Bytes));
        assert_eq!(add(u64::MAX, u64::MAX - 1), Err(Quantity::Bytes));
    }
}
