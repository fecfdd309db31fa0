//! Hosts on one database follow the same policy: what an admin has signed as `permissions.toml` and `trust.toml` for all of
//! them is soon in each home. Each host verifies it with the trust roots that it has, and never goes back to an older one.

use std::collections::BTreeSet;
use std::time::Duration;

use time::OffsetDateTime;
use tokio::sync::watch;
use wasmill_registry::{TrustRoots, VerifiedPolicy};

use super::{Stamp, stamp};
use crate::home::Home;
use crate::permissions::Matrix;
use crate::problem::{Problem, ProblemKind};
use crate::store::Store;

/// Pause between two looks.
const LOOK: Duration = Duration::from_secs(1);
/// Most policies that are looked at each time: one that nobody can verify must not hide the one before it.
const LOOKED_AT_MAX: u32 = 10;

/// Follows what admins sign for all hosts.
pub struct Policies {
    home: Home,
    store: Store,
    /// What does not verify, so that it is complained about only once; until the trust roots change.
    refused: BTreeSet<i64>,
    trusted: Option<Stamp>,
}

impl Policies {
    /// Follows the policies of a database that other hosts use too.
    pub fn new(home: Home, store: Store) -> Self {
        Self { home, store, refused: BTreeSet::new(), trusted: None }
    }

    /// Follows until `stop` becomes true.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        loop {
            if let Err(problem) = self.sync().await {
                tracing::warn!(code = %problem.code, "policies are not followed now: {}", problem.message);
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
    }

    /// Looks once, and takes the newest policy that verifies.
    ///
    /// # Errors
    /// Where database or home fail. A policy that can't be taken is none: it is left out, and the log says why.
    pub async fn sync(&mut self) -> Result<(), Problem> {
        let trusted = stamp(&self.home.trust_file());
        if self.trusted != trusted {
            self.trusted = trusted;
            self.refused.clear();
        }
        let home = self.home.clone();
        let current = blocking(move || Ok(home.policy_serial()?)).await?;
        let newer = self.store.policies_after(i64::try_from(current).unwrap_or(i64::MAX), LOOKED_AT_MAX).await?;
        self.refused.retain(|serial| newer.contains(serial));
        for serial in newer {
            if self.refused.contains(&serial) {
                continue;
            }
            let Some(envelope) = self.store.policy(serial).await? else { continue };
            let home = self.home.clone();
            match blocking(move || take(&home, &envelope, current)).await {
                Ok(signer) => {
                    tracing::info!(serial, signer, "the policy of all hosts is in force");
                    return Ok(());
                }
                Err(problem) => {
                    tracing::warn!(serial, code = %problem.code, "a policy is not taken: {}", problem.message);
                    self.refused.insert(serial);
                }
            }
        }
        Ok(())
    }
}

/// Verifies a policy and what is in it.
///
/// # Errors
/// The first thing that is not right.
pub fn check(envelope: &[u8], trust: &TrustRoots) -> Result<VerifiedPolicy, Problem> {
    let verified = VerifiedPolicy::verify(envelope, trust, OffsetDateTime::now_utc())?;
    let policy = verified.policy();
    Matrix::parse(&policy.permissions)?;
    TrustRoots::parse(&policy.trust).map_err(|error| wrong(format!("its trust.toml: {error}")))?;
    i64::try_from(policy.serial).map_err(|_| wrong("its serial is too large".to_owned()))?;
    Ok(verified)
}

/// Writes a policy into the home; says who has signed it.
fn take(home: &Home, envelope: &str, current: u64) -> Result<String, Problem> {
    let verified = check(envelope.as_bytes(), &home.trust()?)?;
    let policy = verified.policy();
    if policy.serial <= current {
        return Err(wrong(format!("its serial {} is older than {current}, which is in force", policy.serial)));
    }
    home.set_policy(policy.serial, &policy.permissions, &policy.trust)?;
    Ok(verified.signers().iter().map(|signer| signer.name.as_str()).collect::<Vec<_>>().join(", "))
}

fn wrong(reason: String) -> Problem {
    Problem::new(ProblemKind::Invalid, "policy.invalid", reason, "Share it again with `wasmill permission share`.")
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Problem> + Send + 'static) -> Result<T, Problem> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Problem::new(ProblemKind::Failed, "host.failed", error.to_string(), "See the host's log."))?
}
