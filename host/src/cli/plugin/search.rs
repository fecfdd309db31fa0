//! `wasmill plugin search`

use clap::Args;
use serde::Serialize;

use super::super::Context;
use super::super::output::table;
use super::super::progress::Progress;
use super::remote::access;
use crate::problem::Problem;
use crate::registries::search;

/// Searches the registries of host.toml.
#[derive(Debug, Args)]
pub(crate) struct Search {
    /// Part of a component's name; nothing: all
    #[arg(default_value = "")]
    text: String,
}

/// A component that a registry says it has. Who signed it is seen when it is installed.
#[derive(Serialize)]
struct Found {
    name: String,
    version: String,
    registry: String,
    address: String,
}

impl Search {
    pub async fn run(self, cx: &Context) -> Result<(), Problem> {
        let home = cx.home()?;
        let access = access(&home, false)?;
        if access.registries.is_empty() {
            let next = "Add one: `[[registry]]` with `name` and `url`.";
            return Err(Problem::invalid("registry.none", "host.toml names no registry", next));
        }
        let progress = Progress::start(cx.output, "Searching");
        let mut found = Vec::new();
        for registry in &access.registries {
            progress.say(format!("Searching {}", registry.name));
            let offers = search(&access, &registry.url, &self.text).await;
            let offers = offers.map_err(|error| Problem::from(error).at(&registry.name))?;
            found.extend(offers.into_iter().map(|offer| Found {
                name: offer.name,
                version: offer.version.to_string(),
                registry: registry.name.clone(),
                address: offer.location.to_string(),
            }));
        }
        drop(progress);
        cx.output.show(&found, |found| {
            if found.is_empty() {
                return format!("No registry has a component with `{}` in its name.", self.text);
            }
            let rows = found.iter().map(|found| {
                [found.name.clone(), found.version.clone(), found.registry.clone(), found.address.clone()]
            });
            table(["COMPONENT", "NEWEST", "REGISTRY", "ADDRESS"], rows)
        })
    }
}
