//! `/v1/plugins`: installing, listing and removing components.

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use semver::Version;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use wasmill_registry::{
    Bundle, COMPONENT_SIZE_MAX, Digest, Entry, Installed, Kind, Leave, LoadError, NameError, Reference, Registry,
    Signer, TrustRoots, Verified,
};

use super::extract::{Body, Params, Path, blocking};
use super::openapi::Routes;
use super::paging::{Limit, Page, bad_cursor};
use super::state::{Gateway, SharedGateway};
use super::text::{Base64, Text, coded};
use crate::advisories::Advisories;
use crate::catalog::{Quarantined, quarantined};
use crate::home::install_locked;
use crate::host::sharing::{forget, offer_one, withdraw_one};
use crate::problem::{Problem, ProblemKind};
use crate::registries::Location;
use crate::runtime::check_world;

/// Largest request, in bytes: the largest component in base64, and room for the rest.
const REQUEST_SIZE_MAX: usize = COMPONENT_SIZE_MAX / 3 * 4 + 4 * 1024 * 1024;

/// Most components of one list.
const LISTED_MAX: u32 = 1000;

/// A component to install, with its manifest and its signature.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InstallRequest {
    /// The component, base64.
    #[serde(with = "coded")]
    #[schemars(with = "Base64")]
    pub component: Vec<u8>,
    /// `wasmill.toml`, base64, because the signature covers its bytes.
    #[serde(with = "coded")]
    #[schemars(with = "Base64")]
    pub manifest: Vec<u8>,
    /// The DSSE envelope, base64.
    #[serde(with = "coded")]
    #[schemars(with = "Base64")]
    pub envelope: Vec<u8>,
    /// The source of a forged component.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Text>,
    /// Where it was got from: an address, for wasmill.lock. None: files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// Install it although a newer version was installed once.
    #[serde(default)]
    pub allow_downgrade: bool,
    /// Install it although wasmill.lock has this version with another digest: exactly this one, as `sha256:…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accept_digest: Option<String>,
}

/// What an installation did.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct InstallReply {
    /// The component.
    pub plugin: Plugin,
    /// False where exactly this was there already.
    pub new: bool,
}

/// An installed component.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Plugin {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
    /// Where it is verified: kind, digests and signer.
    #[serde(flatten)]
    pub facts: Option<Facts>,
    /// Why it can't be used, where it can't.
    pub problem: Option<Problem>,
}

/// What is known of a verified component.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Facts {
    /// Tool or agent.
    pub kind: Kind,
    /// One sentence for a person.
    pub description: String,
    /// SHA-256 of the component.
    pub digest: Digest,
    /// Who signed it.
    pub signer: Signer,
}

impl Plugin {
    fn verified(verified: &Verified) -> Self {
        let manifest = verified.manifest();
        let facts = Facts {
            kind: manifest.kind,
            description: manifest.description.clone(),
            digest: verified.digest(),
            signer: verified.signer().clone(),
        };
        Self { name: manifest.name.clone(), version: manifest.version.to_string(), facts: Some(facts), problem: None }
    }

    fn refused(entry: &Entry, error: LoadError) -> Self {
        let (name, version) = (entry.name.clone(), entry.version.to_string());
        Self { name, version, facts: None, problem: Some(error.into()) }
    }
}

pub(super) fn routes() -> Routes {
    Routes::new()
        .get("/v1/plugins", "Installed components, verified anew", list)
        .post("/v1/plugins", "Install a signed component", install)
        .get("/v1/plugins/{reference}", "One component", show)
        .delete("/v1/plugins/{reference}", "Remove a component", remove)
        .body_limit(REQUEST_SIZE_MAX)
}

/// Which components to list, by name and version.
#[derive(Debug, Default, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Which {
    /// Most components.
    limit: Limit<LISTED_MAX>,
    /// Where to go on: out of the `Link` of the page before.
    cursor: Option<String>,
}

async fn list(
    State(gateway): State<SharedGateway>,
    here: Uri,
    Params(which): Params<Which>,
) -> Result<Page<Plugin>, Problem> {
    let limit = which.limit.items();
    let after = which.cursor.as_deref().map(place).transpose()?;
    let plugins = blocking(move || {
        let trust = gateway.home().trust()?;
        let entries = gateway.registry().list()?;
        let is_after = |entry: &&Entry| {
            after.as_ref().is_none_or(|(name, version)| (&entry.name, &entry.version) > (name, version))
        };
        let page = entries.iter().filter(is_after).take(limit + 1);
        let quarantine = quarantine(&gateway, &trust)?;
        Ok(page.map(|entry| plugin_of(gateway.registry(), entry, &trust, &quarantine)).collect())
    });
    Ok(Page::of(plugins.await?, limit, &here, |plugin: &Plugin| format!("{}@{}", plugin.name, plugin.version)))
}

/// The component that a cursor names.
fn place(cursor: &str) -> Result<(String, Version), Problem> {
    let read = || {
        let (name, version) = cursor.split_once('@')?;
        Some((name.to_owned(), version.parse().ok()?))
    };
    read().ok_or_else(bad_cursor)
}

async fn show(State(gateway): State<SharedGateway>, Path(reference): Path<String>) -> Result<Json<Plugin>, Problem> {
    let reference: Reference = reference.parse().map_err(|error: NameError| Problem::from(error))?;
    let plugin = blocking(move || {
        let entry = gateway.registry().find(&reference)?;
        let trust = gateway.home().trust()?;
        Ok(plugin_of(gateway.registry(), &entry, &trust, &quarantine(&gateway, &trust)?))
    });
    Ok(Json(plugin.await?))
}

async fn install(
    State(gateway): State<SharedGateway>,
    Body(request): Body<InstallRequest>,
) -> Result<Json<InstallReply>, Problem> {
    let at = gateway.clone();
    let installed = blocking(move || {
        let InstallRequest { component, manifest, envelope, source, origin, allow_downgrade, accept_digest } = request;
        let digest = accept_digest.map(|text| Digest::from_oci(&text)).transpose();
        let digest = digest.map_err(|error| Problem::invalid("lock.digest", error, "Write it as sha256:…."))?;
        let leave = Leave { older: allow_downgrade, digest };
        let origin = origin.map(|text| text.parse::<Location>()).transpose()?.map(|location| location.to_string());
        let bundle = Bundle { component, manifest, envelope, source: source.map(Text::into_bytes) };
        let verified = bundle.verify(&at.home().trust()?, OffsetDateTime::now_utc())?;
        check_world(verified.component(), verified.manifest())?;
        let lock = at.home().lock_file();
        let new = install_locked(&lock, at.registry(), &verified, &leave, origin)? == Installed::New;
        Ok((verified, new))
    });
    let (verified, new) = installed.await?;
    offer(&gateway, &verified).await?;
    Ok(Json(InstallReply { plugin: Plugin::verified(&verified), new }))
}

/// Offers a component to the hosts on the same database. It may have been removed once, and be removed here by that old
/// word before the new one is written: then it is installed once more.
async fn offer(gateway: &SharedGateway, verified: &Verified) -> Result<(), Problem> {
    if gateway.config().store.url.is_none() {
        return Ok(());
    }
    let manifest = verified.manifest();
    let reference = Reference { name: manifest.name.clone(), version: Some(manifest.version.clone()) };
    let entry = gateway.registry().find(&reference)?;
    offer_one(gateway.registry(), gateway.store().await?, &entry).await?;
    let (at, verified) = (gateway.clone(), verified.clone());
    blocking(move || Ok(at.registry().install(&verified).map(drop)?)).await
}

async fn remove(State(gateway): State<SharedGateway>, Path(reference): Path<String>) -> Result<Json<Plugin>, Problem> {
    let reference: Reference = reference.parse().map_err(|error: NameError| Problem::from(error))?;
    let at = gateway.clone();
    let found = blocking(move || {
        let registry = at.registry();
        let entry = registry.find(&reference)?;
        let versions = registry.list()?.iter().filter(|other| other.name == entry.name).count();
        if reference.version.is_none() && versions > 1 {
            let message = format!("`{}` is installed in {versions} versions", entry.name);
            let next = format!("Say which one, like `{}@{}`.", entry.name, entry.version);
            return Err(Problem::new(ProblemKind::Conflict, "component.ambiguous", message, next));
        }
        let plugin = plugin_of(registry, &entry, &at.home().trust()?, &[]);
        Ok((entry, plugin))
    });
    let (entry, plugin) = found.await?;
    if gateway.config().store.url.is_some() {
        // First, or another host's offer would bring it back.
        withdraw_one(gateway.store().await?, &entry).await?;
    }
    blocking(move || forget(gateway.registry(), &entry)).await?;
    Ok(Json(plugin))
}

/// What must not run, because an admin has warned of it.
fn quarantine(gateway: &Gateway, trust: &TrustRoots) -> Result<Vec<Quarantined>, Problem> {
    let advisories = Advisories::read(&gateway.home().advisories_file())?;
    Ok(quarantined(gateway.registry(), trust, &advisories, OffsetDateTime::now_utc())?)
}

/// Verified anew each time: a key may have been revoked, a file may have been changed.
fn plugin_of(registry: &Registry, entry: &Entry, trust: &TrustRoots, quarantine: &[Quarantined]) -> Plugin {
    match registry.load(entry, trust, OffsetDateTime::now_utc()) {
        Ok(verified) => {
            let plugin = Plugin::verified(&verified);
            let component = format!("{}@{}", plugin.name, plugin.version);
            let own = quarantine.iter().find(|of| of.component() == component);
            Plugin { problem: own.map(|own| own.refusal().into()), ..plugin }
        }
        Err(error) => Plugin::refused(entry, error),
    }
}
