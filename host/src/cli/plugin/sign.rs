//! `wasmill plugin sign`

use clap::Args;
use serde::Serialize;
use wasmill_registry::{Claim, Digest, Manifest, sign};

use super::super::Context;
use super::super::files::{ComponentFiles, secret_key};
use crate::home::Home;
use crate::problem::Problem;
use crate::runtime::check_world;

/// Signs a component.
#[derive(Debug, Args)]
pub(crate) struct Sign {
    #[command(flatten)]
    files: ComponentFiles,
    /// The key: a name in keys/, or a file
    #[arg(long, default_value = "publisher")]
    key: String,
}

/// What was signed.
#[derive(Serialize)]
pub(super) struct Signed {
    component: String,
    digest: Digest,
    manifest_digest: Digest,
    key: String,
    signature: String,
}

impl Sign {
    pub fn run(self, cx: &Context) -> Result<(), Problem> {
        let signed = sign_files(&cx.home()?, &self.files.resolved()?, &self.key)?;
        cx.output.show(&signed, |signed| {
            let Signed { component, key, digest, signature, .. } = signed;
            format!("Signed {component} with key {key}\n  digest:    {digest}\n  signature: {signature}")
        })
    }
}

/// Signs a component and writes the signature beside it.
pub(super) fn sign_files(home: &Home, files: &ComponentFiles, key: &str) -> Result<Signed, Problem> {
    let key = secret_key(home, key)?;
    let manifest_path = files.manifest_path()?;
    let (component, manifest) = (files.read_component()?, files.read_manifest()?);
    let parsed = Manifest::parse(&manifest).map_err(|error| Problem::from(error).at(manifest_path.display()))?;
    // Signing something that no host can load would only delay the bad news.
    check_world(&component, &parsed).map_err(|error| Problem::from(error).at(files.component.display()))?;
    let envelope = sign(&component, &manifest, &Claim::Published, &key)?;
    let path = files.signature_path();
    std::fs::write(&path, envelope.to_json()).map_err(|error| Problem::io(&path, &error))?;
    Ok(Signed {
        component: format!("{}@{}", parsed.name, parsed.version),
        digest: Digest::of(&component),
        manifest_digest: Digest::of(&manifest),
        key: key.public().id().to_string(),
        signature: path.display().to_string(),
    })
}
