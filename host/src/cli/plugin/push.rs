//! `wasmill plugin push`

use clap::Args;
use serde::Serialize;
use wasmill_registry::Reference;

use super::super::Context;
use super::super::progress::Progress;
use super::remote::access;
use super::verify::installed;
use crate::problem::Problem;
use crate::registries::{At, Location, Pushed, Repository, push, tag_of, version_of};

/// Pushes an installed component to an OCI registry.
#[derive(Debug, Args)]
pub(crate) struct Push {
    /// NAME, or NAME@VERSION, of an installed component
    reference: Reference,
    /// oci://HOST/REPOSITORY, with :TAG where that isn't the version; or the name of a [[registry]]
    destination: String,
    /// Ask another machine without encryption
    #[arg(long)]
    plain_http: bool,
}

#[derive(Serialize)]
struct Report {
    component: String,
    address: String,
    #[serde(flatten)]
    pushed: Pushed,
}

impl Push {
    pub async fn run(self, cx: &Context) -> Result<(), Problem> {
        let progress = Progress::start(cx.output, format!("Pushing {}", self.reference));
        let home = cx.home()?;
        let access = access(&home, self.plain_http)?;
        let verified = installed(&home, &self.reference)?;
        let manifest = verified.manifest();
        let location = match access.registries.iter().find(|registry| registry.name == self.destination) {
            Some(registry) => registry.url.component(&manifest.name, Some(&manifest.version)),
            None => self.destination.parse()?,
        };
        let Location::Oci(repository) = &location else {
            let next = "Copy the home's folder `registry/` to where it is served from: it is such a layout.";
            return Err(Problem::invalid("registry.location", format!("`{location}` is no OCI registry"), next));
        };
        let tag = match &repository.at {
            At::Tag(tag) => tag.clone(),
            At::Newest => tag_of(&manifest.version),
            At::Digest(_) => {
                let next = "Name a tag, or none: then it is the version.";
                return Err(Problem::invalid("registry.location", "nothing is pushed to a digest", next));
            }
        };
        if let Some(other) = version_of(&tag).filter(|other| *other != manifest.version) {
            let next = "Name another tag, or none: then it is the version.";
            let message = format!("the tag {tag} says {other}, and this is {}", manifest.version);
            return Err(Problem::invalid("registry.location", message, next));
        }
        if repository.path.is_empty() {
            let next = format!("Name one: oci://{}/{}.", repository.host, manifest.name);
            return Err(Problem::invalid("registry.location", "it names a registry and no repository", next));
        }
        let pushed = push(&access.oci(repository)?, &tag, &verified).await?;
        drop(progress);
        let address = Location::Oci(Repository { at: At::Tag(tag), ..repository.clone() }).to_string();
        let report = Report { component: format!("{}@{}", manifest.name, manifest.version), address, pushed };
        cx.output.show(&report, |Report { component, address, pushed }| match pushed.new {
            true => format!("Pushed {component}\n  address: {address}\n  digest:  {}", pushed.digest),
            false => format!("{component} was there already\n  address: {address}\n  digest:  {}", pushed.digest),
        })
    }
}
