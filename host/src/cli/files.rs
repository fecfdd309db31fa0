//! Files that a command is given, and keys by name.

use std::path::{Path, PathBuf};

use wasmill_registry::{
    COMPONENT_SIZE_MAX, ENVELOPE_SIZE_MAX, MANIFEST_SIZE_MAX, Manifest, SecretKey, check_component_name,
};

use crate::home::{Home, HomeError, read_bounded};
use crate::problem::{Problem, ProblemKind};
use crate::trial::built;

/// The three files of a component that isn't installed.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct ComponentFiles {
    /// The component: a .wasm file, the folder of a project that was built, to install also an address or a name
    pub component: PathBuf,
    /// The manifest [default: the nearest wasmill.toml at or above the component]
    #[arg(long, value_name = "FILE")]
    pub manifest: Option<PathBuf>,
    /// The signature [default: beside the component, with the extension .dsse.json]
    #[arg(long, value_name = "FILE")]
    pub signature: Option<PathBuf>,
}

impl ComponentFiles {
    /// Files at their default places.
    pub fn beside(component: PathBuf) -> Self {
        Self { component, manifest: None, signature: None }
    }

    /// The same files, where a project's folder stands for the component that was built of it.
    ///
    /// # Errors
    /// Where the folder has no manifest, or nothing was built yet.
    pub fn resolved(&self) -> Result<Self, Problem> {
        if !self.component.is_dir() {
            return Ok(self.clone());
        }
        let folder = &self.component;
        let manifest_path = self.manifest.clone().unwrap_or_else(|| folder.join("wasmill.toml"));
        let manifest = read(&manifest_path, MANIFEST_SIZE_MAX, "manifest.too-large")?;
        let manifest = Manifest::parse(&manifest).map_err(|error| Problem::from(error).at(manifest_path.display()))?;
        let at = std::path::absolute(folder).map_err(|error| Problem::io(folder, &error))?;
        let component = built(&at, &manifest.name).ok_or_else(|| {
            let message = format!("`{}` has no built component", folder.display());
            let next = "Build it there with `cargo component build --release`, or name the .wasm file.";
            Problem::new(ProblemKind::NotFound, "component.not-built", message, next)
        })?;
        Ok(Self { component, manifest: Some(manifest_path), signature: self.signature.clone() })
    }

    /// The component's bytes.
    pub fn read_component(&self) -> Result<Vec<u8>, Problem> {
        read(&self.component, COMPONENT_SIZE_MAX, "component.too-large")
    }

    /// Where the manifest is.
    pub fn manifest_path(&self) -> Result<PathBuf, Problem> {
        if let Some(path) = &self.manifest {
            return Ok(path.clone());
        }
        let component = std::path::absolute(&self.component).map_err(|error| Problem::io(&self.component, &error))?;
        let folders = component.ancestors().skip(1);
        folders.map(|folder| folder.join("wasmill.toml")).find(|path| path.is_file()).ok_or_else(|| {
            let message = format!("there is no wasmill.toml at or above `{}`", self.component.display());
            Problem::new(ProblemKind::NotFound, "manifest.missing", message, "Name it with `--manifest`.")
        })
    }

    /// The manifest's bytes.
    pub fn read_manifest(&self) -> Result<Vec<u8>, Problem> {
        read(&self.manifest_path()?, MANIFEST_SIZE_MAX, "manifest.too-large")
    }

    /// Where the signature is, or shall be.
    pub fn signature_path(&self) -> PathBuf {
        self.signature.clone().unwrap_or_else(|| self.component.with_extension("dsse.json"))
    }

    /// The signature's bytes.
    pub fn read_signature(&self) -> Result<Vec<u8>, Problem> {
        let path = self.signature_path();
        if !path.exists() {
            let message = format!("there is no signature `{}`", path.display());
            let next = format!("Sign it: `wasmill plugin sign {}`.", self.component.display());
            return Err(Problem::new(ProblemKind::NotFound, "signature.missing", message, next));
        }
        read(&path, ENVELOPE_SIZE_MAX, "signature.envelope")
    }
}

fn read(path: &Path, limit: usize, too_large: &str) -> Result<Vec<u8>, Problem> {
    read_bounded(path, limit).map_err(|error| match error {
        HomeError::Unreadable { .. } => {
            Problem::new(ProblemKind::Limit, too_large, error.to_string(), "Make it smaller.")
        }
        HomeError::Io { source, .. } => Problem::io(path, &source),
        other => other.into(),
    })
}

/// A secret key: by its name in the home's `keys/`, or by the path of its file.
pub(super) fn secret_key(home: &Home, key: &str) -> Result<SecretKey, Problem> {
    let path = if key.contains('/') || key.ends_with(".key") {
        PathBuf::from(key)
    } else {
        check_component_name(key)?;
        home.key_file(key)
    };
    Ok(SecretKey::read(&path)?)
}
