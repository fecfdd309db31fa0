//! Components outside of this home, as commands use them.

use std::path::PathBuf;

use time::OffsetDateTime;
use wasmill_registry::{Bundle, Digest, Image, Reference, Verified};

use crate::gateway::InstallRequest;
use crate::home::{Home, HomeError, read_bounded};
use crate::problem::{Problem, ProblemKind};
use crate::registries::{Access, Expected, Location, RegistryError, choose, newest_of, pull};

/// Largest of docker's configuration files, in bytes.
const DOCKER_SIZE_MAX: usize = 1024 * 1024;

/// How registries are asked from this home.
///
/// # Errors
/// Where the home's settings or secrets, or docker's `config.json`, can't be read.
pub(super) fn access(home: &Home, plain_http: bool) -> Result<Access, Problem> {
    let docker = match docker_config().filter(|path| path.is_file()) {
        None => None,
        Some(path) => Some(read_bounded(&path, DOCKER_SIZE_MAX).map_err(|error| match error {
            HomeError::Io { source, .. } => Problem::io(&path, &source),
            other => other.into(),
        })?),
    };
    Ok(Access { plain_http, registries: home.config()?.registries, secrets: home.secrets()?, docker })
}

fn docker_config() -> Option<PathBuf> {
    let folder = std::env::var_os("DOCKER_CONFIG").map(PathBuf::from);
    let folder = folder.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".docker")));
    folder.map(|folder| folder.join("config.json"))
}

/// A component that was got from somewhere, verified with this home's trust roots.
pub(super) struct Fetched {
    /// Where exactly it was.
    pub origin: Location,
    /// The component.
    pub verified: Verified,
}

/// Gets what an address means, and checks that it is what the address says.
///
/// # Errors
/// As [`pull`]; no trusted signature; another component or version than the address says.
pub(super) async fn fetch(home: &Home, access: &Access, location: &Location) -> Result<Fetched, Problem> {
    let reader = access.open(location)?;
    let (origin, at) = choose(reader.as_ref(), location).await?;
    let bundle = pull(reader.as_ref(), &origin, &at).await?;
    let verified = bundle.verify(&home.trust()?, OffsetDateTime::now_utc())?;
    Expected::of(&origin).check(&verified)?;
    Ok(Fetched { origin, verified })
}

/// Where the registries of host.toml have a component: the first of them that has it.
///
/// # Errors
/// Where none has it, or one that comes before does not answer: another's word would not be what the file says.
pub(super) async fn find(access: &Access, wanted: &Reference) -> Result<Location, Problem> {
    for registry in &access.registries {
        let location = registry.url.component(&wanted.name, wanted.version.as_ref());
        match newest_of(access.open(&location)?.as_ref(), &location).await {
            Ok(_) if wanted.version.is_some() => return Ok(location),
            Ok(offer) => return Ok(offer.location),
            Err(RegistryError::NotFound(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let message = format!("no file and no [[registry]] of host.toml has `{wanted}`");
    let next = "See what they have with `wasmill plugin search`, or name a file or an address.";
    Err(Problem::new(ProblemKind::NotFound, "registry.not-found", message, next))
}

/// What asks a host to install a component.
pub(super) fn request(verified: &Verified) -> InstallRequest {
    let Bundle { component, manifest, envelope, source } = verified.bundle().clone();
    InstallRequest {
        component,
        manifest,
        envelope,
        source: source.map(Into::into),
        origin: None,
        allow_downgrade: false,
        accept_digest: None,
    }
}

/// The digest that a component has in registries and in wasmill.lock.
///
/// # Errors
/// Where its OCI manifest can't be written.
pub(super) fn digest_of(verified: &Verified) -> Result<Digest, Problem> {
    let image = Image::of(verified);
    Ok(image.map_err(|reason| Problem::new(ProblemKind::Failed, "registry.damaged", reason, ""))?.digest())
}
