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
        // Timers are kept as state too.
        let keeps_state = manifest.permissions.state || manifest.permissions.timers;
        let reader = Reader { agent: manifest.name.clone(), reads, keeps_state };
        // Entries come with the newest version of a name last.
        newest.insert(manifest.name, reader);
    }
    Ok(newest.into_values().collect())
}

/// The same of agents that agents have started, given as name, component and topics. One whose component isn't installed
/// may keep state.
pub fn started<'a>(
    installed: &[Reader],
    started: impl IntoIterator<Item = (&'a str, &'a str, &'a [String])>,
) -> Vec<Reader> {
    let reader = |(name, component, reads): (&str, &str, &[String])| {
        let component = installed.iter().find(|reader| reader.agent == component);
        let keeps_state = component.is_none_or(|reader| reader.keeps_state);
        Reader { agent: name.to_owned(), reads: reads.to_vec(), keeps_state }
    };
    started.into_iter().map(reader).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_started_agent_keeps_state_where_its_component_does() {
        let reader = |agent: &str, keeps_state| Reader { agent: agent.into(), reads: vec![], keeps_state };
        let installed = [reader("counter", true), reader("upper", false)];
        let reads = ["words".to_owned()];
        let all = [("a.one", "counter", &reads[..]), ("a.two", "upper", &reads), ("a.three", "gone", &reads)];
        let found = started(&installed, all);
        let kept: Vec<(&str, bool)> = found.iter().map(|reader| (reader.agent.as_str(), reader.keeps_state)).collect();
        assert_eq!(kept, [("a.one", true), ("a.two", false), ("a.three", true)]);
        assert!(found.iter().all(|reader| reader.reads == reads));
    }
}
