//! `wasmill plugin verify`

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use time::OffsetDateTime;
use wasmill_registry::{Bundle, Digest, Kind, NameError, Reference, Signer, Verified};

use super::super::Context;
use super::super::files::ComponentFiles;
use super::super::progress::Progress;
use super::kind;
use crate::forge::{Rebuilt, Workshop, rebuild};
use crate::home::Home;
use crate::problem::{Problem, ProblemKind};
use crate::runtime::check_world;

/// Verifies a component with the trust roots of this home.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// A .wasm file, or NAME or NAME@VERSION of an installed component
    component: String,
    /// The manifest of a file [default: the nearest wasmill.toml at or above it]
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
    /// The signature of a file [default: beside it, with the extension .dsse.json]
    #[arg(long, value_name = "FILE")]
    signature: Option<PathBuf>,
    /// Also build a forged one again from its source, in a fresh sandbox, and compare
    #[arg(long)]
    rebuild: bool,
}

#[derive(Serialize)]
struct Report {
    name: String,
    version: String,
    kind: Kind,
    digest: Digest,
    manifest_digest: Digest,
    signer: Signer,
    #[serde(skip_serializing_if = "Option::is_none")]
    rebuilt: Option<Rebuilt>,
}

impl Verify {
    pub async fn run(self, cx: &Context) -> Result<(), Problem> {
        let _progress = Progress::start(cx.output, format!("Verifying {}", self.component));
        let home = cx.home()?;
        let wants_rebuild = self.rebuild;
        let is_file = self.component.ends_with(".wasm") || self.component.contains('/');
        let verified = if is_file { self.file(&home)? } else { self.named(&home)? };
        check_world(verified.component(), verified.manifest())?;
        let rebuilt = if wants_rebuild { Some(rebuilt(&home, &verified).await?) } else { None };
        let manifest = verified.manifest();
        let report = Report {
            name: manifest.name.clone(),
            version: manifest.version.to_string(),
            kind: manifest.kind,
            digest: verified.digest(),
            manifest_digest: verified.manifest_digest(),
            signer: verified.signer().clone(),
            rebuilt,
        };
        cx.output.show(&report, |report| {
            let Report { name, version, digest, manifest_digest, signer, .. } = report;
            let again = report.rebuilt.as_ref().map_or("", |_| "\n  built again from its source: the same bytes");
            format!(
                "{name}@{version} is a {} and what its signer signed\n  signer:    {} ({}), key {}\n  component: {digest}\n  manifest:  {manifest_digest}{again}",
                kind(report.kind),
                signer.name,
                signer.role,
                signer.id
            )
        })
    }

    fn file(self, home: &Home) -> Result<Verified, Problem> {
        let files = ComponentFiles {
            manifest: self.manifest,
            signature: self.signature,
            ..ComponentFiles::beside(self.component.into())
        };
        let (component, manifest, envelope) =
            (files.read_component()?, files.read_manifest()?, files.read_signature()?);
        let bundle = Bundle { component, manifest, envelope, source: None };
        Ok(bundle.verify(&home.trust()?, OffsetDateTime::now_utc())?)
    }

    fn named(self, home: &Home) -> Result<Verified, Problem> {
        installed(home, &self.component.parse().map_err(|error: NameError| Problem::from(error))?)
    }
}

/// An installed component, verified now.
pub(super) fn installed(home: &Home, reference: &Reference) -> Result<Verified, Problem> {
    let registry = home.registry()?;
    let entry = registry.find(reference)?;
    Ok(registry.load(&entry, &home.trust()?, OffsetDateTime::now_utc())?)
}

/// Builds it again; a problem where that gives something else.
async fn rebuilt(home: &Home, verified: &Verified) -> Result<Rebuilt, Problem> {
    let settings = home.config()?.forge;
    let workshop = || async move { Workshop::find(&settings).await.map_err(|error| error.problem()) };
    let rebuilt = rebuild(verified, workshop).await?;
    if rebuilt.built == rebuilt.signed {
        return Ok(rebuilt);
    }
    let Rebuilt { component, signed, built, other_tools } = rebuilt;
    let message = format!("the source of {component} gives {built} here, and {signed} was signed");
    let next = match other_tools.is_empty() {
        true => "Compiler and SDK are those of the statement: don't believe this component, and look at who has the forge's key.".to_owned(),
        false => format!("This host has another {}: build it where those of the statement are.", other_tools.join(", ")),
    };
    Err(Problem::new(ProblemKind::Failed, "provenance.differs", message, next))
}
