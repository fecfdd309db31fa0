//! Three nodes that keep three copies of everything, as in earnest: one of them may go at any moment.

use std::net::Ipv4Addr;

use anyhow::Result;

use super::Kafka;
use super::properties::{Node, Ports};
use crate::parts::{self, require};

/// Nodes of a cluster.
const NODES: u32 = 3;

/// Three nodes. Dropping them stops them and removes their files.
#[derive(Debug)]
pub struct Cluster {
    nodes: Vec<Kafka>,
}

impl Cluster {
    /// Starts three nodes at an address of this machine, or `None` (said loudly) where it has no Kafka.
    ///
    /// # Panics
    /// As [`Kafka::start`].
    #[must_use]
    pub fn start_at(place: Ipv4Addr) -> Option<Self> {
        require(parts::java())?;
        require(parts::kafka_libs())?;
        // Between choosing a free port and listening on it, another process may take it.
        let mut last = None;
        for _ in 0..3 {
            match Self::try_start(place) {
                Ok(cluster) => return Some(cluster),
                Err(error) => last = Some(error),
            }
        }
        panic!("Kafka's three nodes do not start: {last:?}");
    }

    fn try_start(place: Ipv4Addr) -> Result<Self> {
        let (java, libs) = (parts::java(), parts::kafka_libs());
        let (Ok(java), Ok(libs)) = (java, libs) else { anyhow::bail!("Kafka is gone") };
        let ports = (1..=NODES).map(|id| Ok((id, Ports::free()?))).collect::<Result<Vec<_>>>()?;
        let voters: Vec<String> = ports.iter().map(|(id, p)| format!("{id}@127.0.0.1:{}", p.controller)).collect();
        let quorum = voters.join(",");
        let mut nodes = Vec::new();
        for (id, ports) in ports {
            let node = Node { place, id, quorum: quorum.clone(), is_alone: false };
            nodes.push(Kafka::make(&java, &libs, &node, ports, None)?);
        }
        // None is up before most of them are.
        let launched = nodes.iter().map(Kafka::launch).collect::<Result<Vec<_>>>()?;
        for (node, server) in nodes.iter().zip(launched) {
            node.wait(server)?;
        }
        Ok(Self { nodes })
    }

    /// Addresses of all nodes, `host:port,host:port,…`.
    #[must_use]
    pub fn address(&self) -> String {
        self.nodes.iter().map(Kafka::address).collect::<Vec<_>>().join(",")
    }

    /// One of the nodes.
    #[must_use]
    pub fn node(&self, number: u64) -> Option<&Kafka> {
        let index = number.checked_rem(self.nodes.len() as u64)?;
        self.nodes.get(usize::try_from(index).ok()?)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // One that stops in order waits for the others, and nobody wants their files any more.
        for node in &self.nodes {
            node.kill();
        }
    }
}
