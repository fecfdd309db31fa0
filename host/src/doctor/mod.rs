//! What this machine and this home lack, and how to get it.
//!
//! One file per part of the world; each looks and says what it found, one line a finding. This folder only looks: it
//! must never repair anything, and what it finds decides nothing.

mod advisories;
mod agents;
mod clock;
mod files;
mod finding;
mod forge;
mod kafka;
mod log;
mod machine;
mod outside;
mod tool_topics;
mod veto;

use std::path::Path;

pub use finding::{Finding, Level};

use crate::forge::ForgeSettings;
use crate::gateway::Client;
use crate::home::{Home, HomeError, StreamsConfig};

/// Looks at everything there is to look at: the home at `root`, where there is one, and this machine.
pub async fn examine(root: &Path) -> Vec<Finding> {
    let home = match Home::open(root) {
        Ok(home) => home,
        Err(error @ HomeError::Missing(_)) => return without_home(root, error).await,
        Err(error) => return vec![Finding::fail("home", error)],
    };
    let mut all = vec![Finding::ok("home", format!("`{}`", home.root().display()))];
    all.extend(files::examine(&home));
    all.push(advisories::examine(&home));
    // Where it can't be read that is said already; the rest is looked at as far as it goes.
    let config = home.config().ok();
    let running = Client::running(home.socket()).await;
    all.push(outside::host(running.as_ref()).await);
    if let Some(config) = &config {
        all.extend(outside::store(&home, &config.store).await);
        all.extend(match &config.streams {
            StreamsConfig::Kafka(kafka) => kafka::examine(&home, kafka).await,
            embedded @ StreamsConfig::Embedded(_) => log::examine(&home, embedded, running.is_some()).await,
        });
        all.push(outside::model(&home, config.model.as_ref()));
        all.extend(veto::examine(&home, &config.veto, running.as_ref()).await);
        all.push(machine::mappings(config.limits.instances));
    }
    all.push(machine::disk(home.root()));
    all.extend(forge::examine(config.map(|config| config.forge).unwrap_or_default()).await);
    all
}

async fn without_home(root: &Path, missing: HomeError) -> Vec<Finding> {
    let mut all = vec![Finding::warn("home", missing)];
    all.push(machine::disk(root));
    all.push(machine::mappings(crate::home::HostLimits::default().instances));
    all.extend(forge::examine(ForgeSettings::default()).await);
    all
}
