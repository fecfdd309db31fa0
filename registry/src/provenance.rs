//! Where a forged component comes from: SLSA provenance, version 1.
//!
//! <https://slsa.dev/spec/v1.0/provenance>

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::digest::Digest;
use crate::statement::DigestSet;

/// Name of the source among the resolved dependencies.
pub const SOURCE_NAME: &str = "source";

/// How a component was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Provenance {
    /// What went in.
    pub build_definition: BuildDefinition,
    /// Who built it, and when.
    pub run_details: RunDetails,
}

/// What went into a build.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BuildDefinition {
    /// Names the shape of the parameters, a URI.
    pub build_type: String,
    /// What the maker asked for.
    pub external_parameters: Value,
    /// What the host decided.
    #[serde(default)]
    pub internal_parameters: Value,
    /// Source, compiler, SDK: everything with its digest.
    #[serde(default)]
    pub resolved_dependencies: Vec<Resource>,
}

/// A file, a package or a program that went into a build.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Resource {
    /// What it is called.
    pub name: String,
    /// Its digest.
    digest: DigestSet,
}

/// Who built a component, and when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunDetails {
    /// The builder.
    pub builder: Builder,
    /// Invocation, times, results of try-outs.
    #[serde(default)]
    pub metadata: Value,
}

/// The builder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Builder {
    /// A URI that names it.
    pub id: String,
}

impl Resource {
    /// A dependency by name and digest.
    pub fn new(name: impl Into<String>, digest: Digest) -> Self {
        Self { name: name.into(), digest: DigestSet { sha256: digest } }
    }

    /// The source that was built: what [`Provenance::source`] finds.
    pub fn source(digest: Digest) -> Self {
        Self::new(SOURCE_NAME, digest)
    }

    /// Its digest.
    pub fn digest(&self) -> Digest {
        self.digest.sha256
    }
}

impl Provenance {
    /// Digest of the source that was built.
    pub fn source(&self) -> Option<Digest> {
        self.build_definition
            .resolved_dependencies
            .iter()
            .find(|resource| resource.name == SOURCE_NAME)
            .map(Resource::digest)
    }
}
