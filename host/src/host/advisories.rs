//! Hosts on one database know the same advisories: what an admin has signed is soon in each home. Each host verifies it with
//! the trust roots that it has, never goes back to an older word about the same thing, and brings back what somebody took out
//! of the database.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use time::OffsetDateTime;
use tokio::sync::watch;
use wasmill_registry::TrustRoots;

use super::{Stamp, stamp};
use crate::advisories::{Admitted, Advisories, Kept, admit};
use crate::problem::{Problem, ProblemKind};
use crate::store::Store;

/// Pause between two looks.
const LOOK: Duration = Duration::from_secs(1);
/// Most rows that are looked at each time.
const LOOKED_AT_MAX: u32 = 5000;

/// Follows what admins warn all hosts of.
pub struct Warnings {
    file: PathBuf,
    trust: PathBuf,
    store: Store,
    /// What does not verify, so that it is complained about only once; until the trust roots change.
    refused: BTreeSet<(String, i64)>,
    trusted: Option<Stamp>,
}

impl Warnings {
    /// Follows the advisories of a database that other hosts use too, into a file of the home.
    pub fn new(file: PathBuf, trust: PathBuf, store: Store) -> Self {
        Self { file, trust, store, refused: BTreeSet::new(), trusted: None }
    }

    /// Follows until `stop` becomes true.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        loop {
            if let Err(problem) = self.sync().await {
                tracing::warn!(code = %problem.code, "advisories are not followed now: {}", problem.message);
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
    }

    /// Gives and takes once.
    ///
    /// # Errors
    /// Where database or home fail. An advisory that doesn't verify is none: it is left out, and the log says why.
    pub async fn sync(&mut self) -> Result<(), Problem> {
        let trusted = stamp(&self.trust);
        if self.trusted != trusted {
            self.trusted = trusted;
            self.refused.clear();
        }
        let rows = self.store.advisories(LOOKED_AT_MAX).await?;
        let file = self.file.clone();
        let known = blocking(move || Ok(Advisories::read(&file)?)).await?;
        for Kept { advisory, envelope } in known.words() {
            let serial = number(advisory.serial);
            if !rows.iter().any(|(id, other)| *id == advisory.id && *other == serial) {
                self.store.add_advisory(&advisory.id, serial, envelope).await?;
            }
        }
        self.refused.retain(|row| rows.contains(row));
        for row in rows {
            let is_newer = known.serial(&row.0).is_none_or(|serial| row.1 > number(serial));
            if is_newer && !self.refused.contains(&row) {
                self.take(row).await?;
            }
        }
        Ok(())
    }

    async fn take(&mut self, row: (String, i64)) -> Result<(), Problem> {
        let Some(envelope) = self.store.advisory(&row.0, row.1).await? else { return Ok(()) };
        let (file, trust) = (self.file.clone(), self.trust.clone());
        match blocking(move || take(&file, &trust, &envelope)).await {
            Ok(true) => tracing::warn!(advisory = row.0, "an admin's word about what may run is in force"),
            // The row says more than its envelope; or another one was quicker.
            Ok(false) => drop(self.refused.insert(row)),
            Err(problem) => {
                tracing::warn!(advisory = row.0, code = %problem.code, "an advisory is not taken: {}", problem.message);
                self.refused.insert(row);
            }
        }
        Ok(())
    }
}

fn take(file: &std::path::Path, trust: &std::path::Path, envelope: &str) -> Result<bool, Problem> {
    let text = std::fs::read_to_string(trust).map_err(|error| Problem::io(trust, &error))?;
    let roots = TrustRoots::parse(&text).map_err(|error| {
        Problem::new(ProblemKind::Failed, "trust.invalid", format!("trust.toml: {error}"), "Correct that line.")
    })?;
    let (_, admitted) = admit(file, envelope.as_bytes(), &roots, OffsetDateTime::now_utc())?;
    Ok(admitted == Admitted::New)
}

/// As the database has it.
pub fn number(serial: u64) -> i64 {
    i64::try_from(serial).unwrap_or(i64::MAX)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Problem> + Send + 'static) -> Result<T, Problem> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Problem::new(ProblemKind::Failed, "host.failed", error.to_string(), "See the host's log."))?
}
