//! Hosts on one database give each other what is installed: a component that one has installed, forged or removed is soon
//! the same on all. Each verifies what it takes with its own trust roots, and its matrix and its approvals decide as ever.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use tokio::sync::watch;
use wasmill_registry::{Bundle, Claim, Entry, Leave, Reference, Registry, TrustRoots};

use super::{Stamp, stamp};
use crate::home::install_locked;
use crate::problem::{Problem, ProblemKind};
use crate::store::{BundleRow, Store};

/// Pause between two looks at what the others have.
const LOOK: Duration = Duration::from_secs(1);

/// What a host gives and takes.
pub struct Sharing {
    registry: Registry,
    trust: PathBuf,
    lock: PathBuf,
    store: Store,
    /// What could not be taken, so that it is fetched and complained about only once; until the trust roots change.
    refused: BTreeSet<String>,
    trusted: Option<Stamp>,
}

/// A component's files, as they lie in the database.
#[derive(Serialize, Deserialize)]
struct Files {
    component: String,
    manifest: String,
    envelope: String,
    source: Option<String>,
}

/// What has to happen so that this host has what all have.
#[derive(Debug, Default, PartialEq, Eq)]
struct Plan {
    /// Here, and not known to the others.
    offer: Vec<Entry>,
    /// Known to the others, and not here: digest and name.
    take: Vec<(String, String)>,
    /// Here, and removed by somebody.
    remove: Vec<Entry>,
}

fn plan(here: &[Entry], rows: &[BundleRow]) -> Plan {
    let here: BTreeMap<String, &Entry> = here.iter().map(|entry| (entry.oci_manifest.to_string(), entry)).collect();
    let known: BTreeMap<&str, &BundleRow> = rows.iter().map(|row| (row.entry.as_str(), row)).collect();
    let mut plan = Plan::default();
    for (digest, entry) in &here {
        match known.get(digest.as_str()) {
            None => plan.offer.push((*entry).clone()),
            Some(row) if row.is_removed => plan.remove.push((*entry).clone()),
            Some(_) => {}
        }
    }
    let missing = rows.iter().filter(|row| !row.is_removed && !here.contains_key(&row.entry));
    plan.take = missing.map(|row| (row.entry.clone(), row.name.clone())).collect();
    // Old versions before new ones: nothing older comes in afterwards.
    plan.take.sort_by_cached_key(|(_, name)| name.parse::<Reference>().map(|of| (of.name, of.version)).ok());
    plan
}

impl Sharing {
    /// Gives and takes between a registry and a database that other hosts use too.
    pub fn new(registry: Registry, trust: PathBuf, lock: PathBuf, store: Store) -> Self {
        Self { registry, trust, lock, store, refused: BTreeSet::new(), trusted: None }
    }

    /// Gives and takes until `stop` becomes true.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        loop {
            if let Err(problem) = self.sync().await {
                tracing::warn!(code = %problem.code, "components are not shared now: {}", problem.message);
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
    /// Where database or registry fail. A component that can't be taken is none: it is left out, and the log says why.
    pub async fn sync(&mut self) -> Result<(), Problem> {
        let trusted = stamp(&self.trust);
        if self.trusted != trusted {
            self.trusted = trusted;
            self.refused.clear();
        }
        let rows = self.store.bundles().await?;
        let registry = self.registry.clone();
        let Plan { offer, take, remove } = blocking(move || Ok(plan(&registry.list()?, &rows))).await?;
        for entry in offer {
            offer_one(&self.registry, &self.store, &entry).await?;
        }
        for entry in remove {
            let (registry, name) = (self.registry.clone(), entry.name.clone());
            tracing::info!(component = name, version = %entry.version, "removed, as on another host");
            blocking(move || forget(&registry, &entry)).await?;
        }
        for (digest, name) in take {
            if !self.refused.contains(&digest) {
                self.take(digest, &name).await?;
            }
        }
        Ok(())
    }

    async fn take(&mut self, digest: String, name: &str) -> Result<(), Problem> {
        let Some(files) = self.store.bundle_files(&digest).await? else { return Ok(()) };
        let (registry, trust, lock) = (self.registry.clone(), self.trust.clone(), self.lock.clone());
        let wanted = digest.clone();
        match blocking(move || install(&registry, &trust, &lock, &files, &wanted)).await {
            Ok(()) => tracing::info!(component = name, "installed, as on another host"),
            Err(problem) => {
                let Problem { code, message, next, .. } = problem;
                tracing::warn!(component = name, %code, "not taken over: {message} {next}");
                self.refused.insert(digest);
            }
        }
        Ok(())
    }
}

/// Offers an installed component to the other hosts.
///
/// # Errors
/// Where registry or database fail.
pub async fn offer_one(registry: &Registry, store: &Store, entry: &Entry) -> Result<(), Problem> {
    let (reading, wanted) = (registry.clone(), entry.clone());
    let files = blocking(move || Ok(Files::of(&reading.get(&wanted)?))).await?;
    let files = serde_json::to_string(&files).map_err(|error| unreadable(&error.to_string()))?;
    Ok(store.offer_bundle(&entry.oci_manifest.to_string(), &named(entry), &files).await?)
}

/// Tells the other hosts that a component is removed.
///
/// # Errors
/// Where the database fails.
pub async fn withdraw_one(store: &Store, entry: &Entry) -> Result<(), Problem> {
    Ok(store.withdraw_bundle(&entry.oci_manifest.to_string(), &named(entry)).await?)
}

/// Removes a component; that another host's word has done it before is as good.
///
/// # Errors
/// Where the registry fails.
pub fn forget(registry: &Registry, entry: &Entry) -> Result<(), Problem> {
    match registry.remove(entry) {
        Err(wasmill_registry::LayoutError::NotFound(_)) => Ok(()),
        done => Ok(done?),
    }
}

/// Verifies and installs what another host offers. This home's lock file holds here too: whoever writes into the database
/// can bring back no old version, and no other content of one that was here. What is forged is the forge's, version for
/// version.
fn install(registry: &Registry, trust: &Path, lock: &Path, files: &str, digest: &str) -> Result<(), Problem> {
    let files: Files = serde_json::from_str(files).map_err(|error| unreadable(&error.to_string()))?;
    let roots = std::fs::read_to_string(trust).map_err(|error| Problem::io(trust, &error))?;
    let roots = TrustRoots::parse(&roots).map_err(|error| unreadable(&format!("trust.toml: {error}")))?;
    let verified = files.into_bundle()?.verify(&roots, OffsetDateTime::now_utc())?;
    match verified.claim() {
        Claim::Published => install_locked(lock, registry, &verified, &Leave::default(), None)?,
        Claim::Forged(_) => registry.install(&verified)?,
    };
    let is_here = registry.list()?.iter().any(|entry| entry.oci_manifest.to_string() == digest);
    if is_here { Ok(()) } else { Err(unreadable("the files are others than the row says")) }
}

impl Files {
    fn of(bundle: &Bundle) -> Self {
        let text = |bytes: &Vec<u8>| STANDARD.encode(bytes);
        Self {
            component: text(&bundle.component),
            manifest: text(&bundle.manifest),
            envelope: text(&bundle.envelope),
            source: bundle.source.as_ref().map(text),
        }
    }

    fn into_bundle(self) -> Result<Bundle, Problem> {
        let bytes = |text: String| STANDARD.decode(text).map_err(|error| unreadable(&error.to_string()));
        Ok(Bundle {
            component: bytes(self.component)?,
            manifest: bytes(self.manifest)?,
            envelope: bytes(self.envelope)?,
            source: self.source.map(bytes).transpose()?,
        })
    }
}

fn named(entry: &Entry) -> String {
    format!("{}@{}", entry.name, entry.version)
}

fn unreadable(reason: &str) -> Problem {
    let message = format!("what the database has of a component can't be used: {reason}");
    Problem::new(ProblemKind::Failed, "sharing.unreadable", message, "Install the component again on any host.")
}

pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Problem::new(ProblemKind::Failed, "host.failed", error.to_string(), "See the host's log."))?
}

#[cfg(test)]
mod tests {
    use wasmill_registry::Digest;

    use super::*;

    fn entry(name: &str) -> Entry {
        Entry {
            name: name.to_owned(),
            version: semver::Version::new(1, 0, 0),
            oci_manifest: Digest::of(name.as_bytes()),
        }
    }

    fn row(name: &str, is_removed: bool) -> BundleRow {
        BundleRow { entry: Digest::of(name.as_bytes()).to_string(), name: format!("{name}@1.0.0"), is_removed }
    }

    #[test]
    fn what_is_only_here_is_offered_and_what_is_only_there_is_taken() {
        let planned = plan(&[entry("a"), entry("b")], &[row("b", false), row("c", false)]);
        let take = vec![(Digest::of(b"c").to_string(), "c@1.0.0".to_owned())];
        assert_eq!(planned, Plan { offer: vec![entry("a")], take, remove: vec![] });
    }

    #[test]
    fn what_somebody_removed_goes_here_too_and_does_not_come_back() {
        let planned = plan(&[entry("a")], &[row("a", true), row("b", true)]);
        assert_eq!(planned, Plan { remove: vec![entry("a")], ..Plan::default() });
    }

    #[test]
    fn old_versions_are_taken_before_new_ones() {
        let of = |version: &str| BundleRow { name: format!("a@{version}"), ..row(version, false) };
        let planned = plan(&[], &[of("1.10.0"), of("1.9.0"), of("1.10.0-rc.1")]);
        let names: Vec<&str> = planned.take.iter().map(|(_, name)| name.as_str()).collect();
        assert_eq!(names, ["a@1.9.0", "a@1.10.0-rc.1", "a@1.10.0"]);
    }

    #[test]
    fn files_come_back_as_they_were() {
        let bundle =
            Bundle { component: vec![0, 255], manifest: b"m".to_vec(), envelope: b"{}".to_vec(), source: Some(vec![]) };
        let text = serde_json::to_string(&Files::of(&bundle)).unwrap();
        assert_eq!(serde_json::from_str::<Files>(&text).unwrap().into_bundle().unwrap(), bundle);
    }
}
