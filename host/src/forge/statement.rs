//! The fifth stage: the manifest of the new tool, and the signed statement on where it comes from.

use std::time::Duration;

use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use wasmill_registry::{
    BuildDefinition, Builder, Bundle, Claim, Digest, Kind, Limits, Manifest, Provenance, Resource, RunDetails, Script,
    SecretKey, SignatureError, sign,
};

use super::bench::Bench;
use super::compile::Workshop;
use super::examine::Findings;
use super::kit::{KitFacts, packages};
use super::refuse::Vetted;
use super::request::Request;

/// Names the shape of the parameters in a forge's statement.
pub const BUILD_TYPE: &str = "urn:wasmill:forge:build:v1";

/// Names the forge as the builder.
pub const BUILDER_ID: &str = "urn:wasmill:forge:v1";

/// The manifest that the tool gets.
pub fn manifest(request: &Request, vetted: &Vetted, version: semver::Version, script: Option<Script>) -> Manifest {
    Manifest {
        name: vetted.tool.clone(),
        version,
        kind: Kind::Tool,
        description: request.description.clone(),
        agent: None,
        engine: None,
        script,
        permissions: vetted.wanted.clone(),
        limits: Limits::default(),
    }
}

/// Everything about one build that a statement tells.
pub struct Facts<'a> {
    /// Who asked: a principal, as text.
    pub maker: &'a str,
    /// What was asked for.
    pub request: &'a Request,
    /// What came of the first checks.
    pub vetted: &'a Vetted,
    /// Where it was built.
    pub bench: &'a Bench,
    /// True where a second build gave the same bytes.
    pub built_twice: bool,
    /// What the try-out came to.
    pub findings: &'a Findings,
    /// When the request came in.
    pub started: OffsetDateTime,
    /// How long it took until now.
    pub took: Duration,
}

/// Signs the tool with the forge's key.
///
/// # Errors
/// Where the manifest can't be written, or what is to be signed could never be verified.
pub fn seal(
    component: Vec<u8>,
    manifest: &Manifest,
    facts: &Facts<'_>,
    key: &SecretKey,
) -> Result<Bundle, SignatureError> {
    let text = toml::to_string(manifest).map_err(|e| SignatureError::Statement(e.to_string()))?;
    let claim = Claim::Forged(provenance(facts));
    let envelope = sign(&component, text.as_bytes(), &claim, key)?;
    // A script is its own source.
    let source = manifest.script.is_none().then(|| facts.request.source.clone().into_bytes());
    Ok(Bundle { component, manifest: text.into_bytes(), envelope: envelope.to_json(), source })
}

fn provenance(facts: &Facts<'_>) -> Provenance {
    let Facts { maker, request, vetted, bench, built_twice, findings, started, took } = facts;
    let (internal_parameters, tools) = built_with(bench, &vetted.crates, *built_twice);
    let finished = *started + *took;
    let text = |time: OffsetDateTime| time.format(&Rfc3339).unwrap_or_default();
    Provenance {
        build_definition: BuildDefinition {
            build_type: BUILD_TYPE.to_owned(),
            external_parameters: json!({
                "maker": maker,
                "name": request.name,
                "language": request.language,
                "crates": vetted.crates,
                "permissions": vetted.wanted,
                "examples": request.examples,
                "request": vetted.digest,
            }),
            internal_parameters,
            resolved_dependencies: [vec![Resource::source(Digest::of(request.source.as_bytes()))], tools].concat(),
        },
        run_details: RunDetails {
            builder: Builder { id: BUILDER_ID.to_owned() },
            metadata: json!({
                "startedOn": text(*started),
                "finishedOn": text(finished),
                "examined": findings,
            }),
        },
    }
}

/// How it was built, and what that took.
fn built_with(bench: &Bench, crates: &[&str], built_twice: bool) -> (serde_json::Value, Vec<Resource>) {
    match bench {
        Bench::Sandbox(workshop) => {
            let parameters = json!({
                "compiler": workshop.kit.facts().versions,
                "packages": packages(crates),
                "sandbox": workshop.sandbox.version(),
                "limits": workshop.limits,
                "builtTwice": built_twice,
            });
            (parameters, tools_of(workshop))
        }
        Bench::Engine(engine) => (json!({ "engine": engine.component }), vec![Resource::new("engine", engine.digest)]),
    }
}

/// Everything besides the source that decides what a build gives.
pub(super) fn tools_of(workshop: &Workshop) -> Vec<Resource> {
    let KitFacts { compiler, cargo_component, lock, sdk, .. } = workshop.kit.facts();
    vec![
        Resource::new("compiler", *compiler),
        Resource::new("cargo-component", *cargo_component),
        Resource::new("Cargo.lock", *lock),
        Resource::new("wasmill-sdk", *sdk),
    ]
}
