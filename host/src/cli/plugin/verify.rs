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
use crate::home::Home;
use crate::problem::Problem;
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
}

#[derive(Serialize)]
struct Report {
    name: String,
    version: String,
    kind: Kind,
    digest: Digest,
    manifest_digest: Digest,
    signer: Signer,
}

impl Verify {
    pub async fn run(self, cx: &Context) -> Result<(), Problem> {
        let _progress = Progress::start(cx.output, format!("Verifying {}", self.component));
        let home = cx.home()?;
        let is_file = self.component.ends_with(".wasm") || self.component.contains('/');
        let verified = if is_file { self.file(&home)? } else { self.installed(&home)? };
        check_world(verified.component(), verified.manifest())?;
        let manifest = verified.manifest();
        let report = Report {
            name: manifest.name.clone(),
            version: manifest.version.to_string(),
            kind: manifest.kind,
            digest: verified.digest(),
            manifest_digest: verified.manifest_digest(),
            signer: verified.signer().clone(),
        };
        cx.output.show(&report, |report| {
            let Report { name, version, digest, manifest_digest, signer, .. } = report;
            format!(
                "{name}@{version} is a {} and what its signer signed\n  signer:    {} ({}), key {}\n  component: {digest}\n  manifest:  {manifest_digest}",
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

    fn installed(self, home: &Home) -> Result<Verified, Problem> {
        let reference: Reference = self.component.parse().map_err(|error: NameError| Problem::from(error))?;
        let registry = home.registry()?;
        let entry = registry.find(&reference)?;
        Ok(registry.load(&entry, &home.trust()?, OffsetDateTime::now_utc())?)
    }
}
