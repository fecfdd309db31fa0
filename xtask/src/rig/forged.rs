//! What the forge did for logsmith, out of its book.

use std::collections::HashSet;
use std::time::Duration;

use anyhow::Result;
use serde::Deserialize;

use super::wasmill::Wasmill;

/// A build, as `wasmill forge list` and `show` tell of it.
#[derive(Debug, Deserialize)]
pub struct Build {
    /// Its id.
    pub id: String,
    /// Name of the tool.
    name: String,
    /// Version; none where it was refused.
    pub version: Option<String>,
    outcome: String,
    /// Why it was refused; may be empty.
    #[serde(default)]
    pub reason: String,
    timings: Vec<Timing>,
    /// The source; only [`Build::whole`] has it.
    #[serde(default)]
    pub source: String,
}

#[derive(Debug, Deserialize)]
struct Timing {
    stage: String,
    micros: u64,
}

impl Build {
    /// Whether a callable tool came of it.
    pub fn is_callable(&self) -> bool {
        self.outcome == "callable"
    }

    /// `name@version` of the tool.
    pub fn tool(&self) -> String {
        format!("{}@{}", self.name, self.version.as_deref().unwrap_or_default())
    }

    /// How long these stages took.
    pub fn took(&self, stages: &[&str]) -> Duration {
        let of = self.timings.iter().filter(|timing| stages.contains(&timing.stage.as_str()));
        Duration::from_micros(of.map(|timing| timing.micros).sum())
    }

    /// How long all stages took.
    pub fn took_all(&self) -> Duration {
        Duration::from_micros(self.timings.iter().map(|timing| timing.micros).sum())
    }

    /// The build with its source.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn whole(&self, wasmill: &Wasmill) -> Result<Self> {
        wasmill.ask(&["forge", "show", &self.id])
    }
}

/// The builds that were seen.
#[derive(Debug, Default)]
pub struct Builds {
    seen: HashSet<String>,
}

impl Builds {
    /// The builds since the last time, oldest first.
    ///
    /// # Errors
    /// When they cannot be listed.
    pub fn news(&mut self, wasmill: &Wasmill) -> Result<Vec<Build>> {
        let all: Vec<Build> = wasmill.ask(&["forge", "list", "--maker", "agent:logsmith", "--limit", "1000"])?;
        let new = all.into_iter().rev().filter(|build| self.seen.insert(build.id.clone()));
        Ok(new.collect())
    }
}
