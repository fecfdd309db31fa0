//! Which agents read which topics, and keep state by their partitions: what growing a topic moves.

use std::collections::BTreeMap;

use wasmill_registry::{Kind, LayoutError, Manifest, Registry};

/// An agent that reads topics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reader {
    /// Its name.
    pub agent: String,
    /// The topics.
    pub reads: Vec<String>,
    /// It asks for state, which is kept by partition.
    pub keeps_state: bool,
}

/// The installed agents by their manifests, the newest version of each. Whether one may run now doesn't matter: its
/// state is there all the same. A component that can't be read has none that could be lost by it.
///
/// # Errors
/// Where the registry can't be listed.
pub fn readers(registry: &Registry) -> Result<Vec<Reader>, LayoutError> {
    let mut newest = BTreeMap::new();
    for entry in registry.list()? {
        let manifest = registry.get(&entry).ok().and_then(|bundle| Manifest::parse(&bundle.manifest).ok());
        let Some(manifest) = manifest.filter(|manifest| manifest.kind == Kind::Agent) else { continue };
        let reads = manifest.agent.map(|agent| agent.reads).unwrap_or_default();
        let reader = Reader { agent: manifest.name.clone(), reads, keeps_state: manifest.permissions.state };
        // Entries come with the newest version of a name last.
        newest.insert(manifest.name, reader);
    }
    Ok(newest.into_values().collect())
}
