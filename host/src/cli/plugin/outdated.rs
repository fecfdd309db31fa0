//! `wasmill plugin outdated` and `wasmill plugin upgrade`

use std::collections::BTreeMap;

use clap::Args;
use semver::Version;
use serde::Serialize;
use wasmill_registry::Entry;

use super::super::Context;
use super::super::output::table;
use super::super::progress::Progress;
use super::remote::{access, fetch, request};
use crate::gateway::{InstallReply, InstallRequest};
use crate::home::{Home, read_lock};
use crate::problem::{Problem, ProblemKind};
use crate::registries::{Access, At, Layout, Location, Offer, Repository, newest_of};

/// Shows which components have newer versions where they came from.
#[derive(Debug, Args)]
pub(crate) struct Outdated {
    /// Ask another machine without encryption
    #[arg(long)]
    plain_http: bool,
}

/// Installs newer versions from where the installed ones came from.
#[derive(Debug, Args)]
pub(crate) struct Upgrade {
    /// Name of a component; none: all
    name: Option<String>,
    /// Ask another machine without encryption
    #[arg(long)]
    plain_http: bool,
}

/// An installed component with a source.
struct Kept {
    name: String,
    version: Version,
    source: Location,
}

/// What is known of one.
#[derive(Serialize)]
struct Row {
    name: String,
    installed: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    newest: Option<String>,
    source: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Problem>,
}

/// What was upgraded.
#[derive(Serialize)]
struct Upgraded {
    name: String,
    from: String,
    to: String,
    source: String,
}

/// The newest installed version of each component, with the place that it came from. Files have none.
fn kept(home: &Home) -> Result<Vec<Kept>, Problem> {
    let lock = read_lock(&home.lock_file())?;
    let mut newest: BTreeMap<String, Version> = BTreeMap::new();
    for Entry { name, version, .. } in home.registry()?.list()? {
        newest.insert(name, version);
    }
    let mut kept = Vec::new();
    for (name, version) in newest {
        // A version that came as a file follows the one before it that did not.
        let mut pins: Vec<_> = lock.pins().iter().filter(|pin| pin.name == name && pin.version <= version).collect();
        pins.sort_by(|a, b| b.version.cmp(&a.version));
        if let Some(source) = pins.iter().find_map(|pin| pin.source.as_deref()) {
            let source = anywhere(source.parse()?, &name);
            kept.push(Kept { name, version, source });
        }
    }
    Ok(kept)
}

/// The same place without a version.
fn anywhere(source: Location, name: &str) -> Location {
    match source {
        Location::Oci(repository) => Location::Oci(Repository { at: At::Newest, ..repository }),
        Location::Layout(layout) => Location::Layout(Layout { component: None, ..layout }).component(name, None),
    }
}

/// What is newer than what is installed. A release candidate is news only for who has one.
async fn newer(access: &Access, kept: &Kept) -> Result<Option<Offer>, Problem> {
    let offer = newest_of(access.open(&kept.source)?.as_ref(), &kept.source).await?;
    let is_news = offer.version > kept.version && (offer.version.pre.is_empty() || !kept.version.pre.is_empty());
    Ok(is_news.then_some(offer))
}

impl Outdated {
    pub async fn run(self, cx: &Context) -> Result<(), Problem> {
        let progress = Progress::start(cx.output, "Asking registries");
        let home = cx.home()?;
        let access = access(&home, self.plain_http)?;
        let (mut rows, mut failed) = (Vec::new(), None);
        for kept in kept(&home)? {
            let newest = newer(&access, &kept).await;
            if matches!(newest, Ok(None)) {
                continue;
            }
            let problem = newest.as_ref().err().cloned();
            failed = failed.or_else(|| problem.clone());
            rows.push(Row {
                name: kept.name,
                installed: kept.version.to_string(),
                newest: newest.ok().flatten().map(|offer| offer.version.to_string()),
                source: kept.source.to_string(),
                problem,
            });
        }
        drop(progress);
        cx.output.show(&rows, |rows| {
            if rows.is_empty() {
                return "Nothing is outdated.".to_owned();
            }
            let rows = rows.iter().map(|row| {
                let newest = row.newest.clone().unwrap_or_else(|| "?".into());
                [row.name.clone(), row.installed.clone(), newest, row.source.clone()]
            });
            table(["COMPONENT", "INSTALLED", "NEWEST", "FROM"], rows)
        })?;
        failed.map_or(Ok(()), Err)
    }
}

impl Upgrade {
    pub async fn run(self, cx: &Context) -> Result<(), Problem> {
        let progress = Progress::start(cx.output, "Asking registries");
        let home = cx.home()?;
        let access = access(&home, self.plain_http)?;
        let mut all = kept(&home)?;
        if let Some(name) = &self.name {
            all.retain(|kept| kept.name == *name);
            if all.is_empty() {
                let message = format!("no `{name}` is installed that came from a registry");
                let next = "Install it from one: `wasmill plugin install NAME`. See `wasmill plugin search`.";
                return Err(Problem::new(ProblemKind::NotFound, "component.unknown", message, next));
            }
        }
        let mut done = Vec::new();
        for kept in all {
            let Some(offer) = newer(&access, &kept).await? else { continue };
            progress.say(format!("Upgrading {} to {}", kept.name, offer.version));
            let fetched = fetch(&home, &access, &offer.location).await?;
            if fetched.verified.manifest().name != kept.name {
                let found = fetched.verified.manifest().name.clone();
                return Err(wasmill_registry::LayoutError::Mislabelled { expected: kept.name, found }.into());
            }
            let source = fetched.origin.to_string();
            let request = InstallRequest { origin: Some(source.clone()), ..request(&fetched.verified) };
            let _: InstallReply = cx.client().await?.post("/v1/plugins", &request).await?;
            done.push(Upgraded {
                name: kept.name,
                from: kept.version.to_string(),
                to: offer.version.to_string(),
                source,
            });
        }
        drop(progress);
        cx.output.show(&done, |done| {
            if done.is_empty() {
                return "Nothing is outdated.".to_owned();
            }
            let line = |row: &Upgraded| format!("Upgraded {} from {} to {}", row.name, row.from, row.to);
            done.iter().map(line).collect::<Vec<_>>().join("\n")
        })
    }
}
