//! `[[registry]]` of host.toml.

use serde::Deserialize;
use wasmill_registry::check_component_name;

use super::location::Location;

/// Most registries.
const REGISTRIES_MAX: usize = 32;

/// A registry that is searched.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegistryConfig {
    /// What it is called on the command line.
    pub name: String,
    /// `oci://HOST/PATH`, where each component is a repository below the path, or a layout's `https://HOST/FOLDER/`.
    pub url: Location,
    /// May be asked without encryption; this machine's own may anyway.
    #[serde(default)]
    pub plain_http: bool,
    /// Who asks.
    #[serde(default)]
    pub user: Option<String>,
    /// Name of the user's password in secrets.toml.
    #[serde(default)]
    pub password_secret: Option<String>,
}

/// Row, field and words of the first thing that is wrong with registries.
pub fn misfit(registries: &[RegistryConfig]) -> Option<(usize, &'static str, String)> {
    if registries.len() > REGISTRIES_MAX {
        return Some((REGISTRIES_MAX, "name", format!("there are at most {REGISTRIES_MAX} registries")));
    }
    for (row, registry) in registries.iter().enumerate() {
        if let Err(error) = check_component_name(&registry.name) {
            return Some((row, "name", error.to_string()));
        }
        if registries[..row].iter().any(|other| other.name == registry.name) {
            return Some((row, "name", format!("`{}` is there twice", registry.name)));
        }
        let is_whole = match &registry.url {
            Location::Oci(repository) => repository.at == super::At::Newest,
            Location::Layout(layout) => layout.component.is_none(),
        };
        if !is_whole {
            return Some((row, "url", "it names one component, not a registry of them".into()));
        }
        if registry.user.is_some() != registry.password_secret.is_some() {
            return Some((row, "url", "user and password_secret belong together".into()));
        }
    }
    None
}
