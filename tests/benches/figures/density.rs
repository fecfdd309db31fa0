//! What an idle agent costs in memory.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use wasmill::runtime::EngineConfig;
use wasmill_tests::scratch::{PATIENCE, Scratch, component};

use crate::Row;

const AGENTS: usize = 1_000;

/// A thousand agents under names of their own, each with a warm instance that has handled a record, then idle.
pub async fn measure() -> Result<Vec<Row>> {
    let mut scratch = Scratch::new("[[row]]\nprincipal = \"agent:*\"\ntopics.read = [\"relay.in\"]\n").await?;
    scratch.engine = EngineConfig { instances_max: 2_048, ..EngineConfig::default() };
    scratch.topics(&["relay.in"]).await?;
    let relay = component("relay")?;
    let manifest = |i: usize| {
        format!(
            "name = \"relay-{i}\"\nversion = \"0.1.0\"\nkind = \"agent\"\n[agent]\nreads = [\"relay.in\"]\n\
             [permissions.topics]\nread = [\"relay.in\"]\n"
        )
    };
    // The first agent brings what all share: engine, code, database.
    scratch.install_bytes(&relay, &manifest(0))?;
    let running = scratch.run().await?;
    scratch.send("relay.in", &["warm"]).await?;
    wait_until(&running.host, 1, 1).await?;
    let before = resident()?;
    for i in 1..=AGENTS {
        scratch.install_bytes(&relay, &manifest(i))?;
    }
    wait_until(&running.host, AGENTS + 1, 1).await?;
    scratch.send("relay.in", &["warm"]).await?;
    wait_until(&running.host, AGENTS + 1, 2).await?;
    let each = (resident()? - before) / AGENTS as f64 / 1024.0;
    running.stop().await?;
    Ok(vec![Row::at_most("resident memory of an idle agent, 1,000 agents", each, "MiB", 1.0)])
}

/// Waits until so many agents have each committed so many records.
async fn wait_until(host: &wasmill::host::Host, agents: usize, records: u64) -> Result<()> {
    let began = Instant::now();
    loop {
        let status = host.supervisor.status();
        if status.iter().filter(|agent| agent.records >= records).count() >= agents {
            return Ok(());
        }
        ensure!(began.elapsed() < 5 * PATIENCE, "only {} agents are at work", status.len());
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

/// Resident memory of this process, KiB.
fn resident() -> Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).context("no VmRSS")?;
    Ok(line.split_whitespace().nth(1).context("no number")?.parse()?)
}
