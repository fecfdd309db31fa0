//! Settings of ports in `host.toml`: encryption, and how much one client may ask.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

/// Most of either figure of a rate.
const RATE_MAX: u32 = 1_000_000;

/// Encryption of a port. All files are PEM; their paths are relative to the home.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    /// The port's certificate, with those that lead to its authority.
    pub cert: PathBuf,
    /// The certificate's key.
    pub key: PathBuf,
    /// Authorities of clients' certificates; where it is given, nobody connects without one.
    #[serde(default)]
    pub client_ca: Option<PathBuf>,
    /// Clients by the common name of their certificate; they need no token.
    #[serde(default)]
    pub clients: BTreeMap<String, String>,
}

/// How many requests one client may make.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RateConfig {
    /// Requests a second, in the long run.
    pub per_second: u32,
    /// Requests at once, after a pause.
    pub burst: u32,
}

impl Default for RateConfig {
    fn default() -> Self {
        Self { per_second: 200, burst: 1000 }
    }
}

impl TlsConfig {
    /// Field and words of what is wrong.
    pub(super) fn misfit(&self) -> Option<(&'static str, String)> {
        if self.client_ca.is_none() && !self.clients.is_empty() {
            let message = "certificates of clients are read where `client_ca` says whose count";
            return Some(("clients", message.to_owned()));
        }
        let wrong = self.clients.values().find_map(|name| wasmill_registry::check_component_name(name).err());
        wrong.map(|error| ("clients", error.to_string()))
    }
}

impl RateConfig {
    /// Field and words of what is wrong.
    pub(super) fn misfit(&self) -> Option<(&'static str, String)> {
        let wrong = |(_, value): &(&'static str, u32)| !(1..=RATE_MAX).contains(value);
        let fields = [("per_second", self.per_second), ("burst", self.burst)];
        fields.into_iter().find(wrong).map(|(field, _)| (field, format!("{field} is between 1 and {RATE_MAX}")))
    }
}
