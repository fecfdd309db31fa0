//! `wasmill plugin new`

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde::Serialize;
use wasmill_registry::check_component_name;

use super::super::Context;
use crate::problem::{Problem, ProblemKind};

/// Writes a new plugin's project.
#[derive(Debug, Args)]
pub(crate) struct New {
    /// Name: `a-z`, `0-9` and `-`, beginning with a letter
    name: String,
    /// What it shall be
    #[arg(long, value_enum)]
    kind: KindName,
    /// Where to write it [default: a folder with its name]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Folder of the SDK, sdk/rust of a checkout [default: that of this build, else the published one]
    #[arg(long, value_name = "DIR")]
    sdk: Option<PathBuf>,
}

/// A kind on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum KindName {
    /// Answers calls
    Tool,
    /// Takes records
    Agent,
}

#[derive(Serialize)]
struct Written {
    name: String,
    folder: String,
    files: Vec<&'static str>,
}

/// The files of one template: where they go, and what is in them.
macro_rules! template {
    ($kind:literal, $($file:literal),+) => {
        &[$(($file, include_str!(concat!("../../../../sdk/template/", $kind, "/", $file, ".template")))),+]
    };
}

type Template = &'static [(&'static str, &'static str)];

const TOOL: Template = template!(
    "tool",
    "Cargo.toml",
    "wasmill.toml",
    "README.md",
    "src/lib.rs",
    "cases/slug.toml",
    ".cargo/config.toml",
    ".gitignore"
);
const AGENT: Template = template!(
    "agent",
    "Cargo.toml",
    "wasmill.toml",
    "README.md",
    "src/lib.rs",
    "cases/counts.toml",
    ".cargo/config.toml",
    ".gitignore"
);

impl New {
    pub fn run(self, cx: &Context) -> Result<(), Problem> {
        check_name(&self.name)?;
        let folder = self.dir.clone().unwrap_or_else(|| PathBuf::from(&self.name));
        let sdk = self.sdk()?;
        let files = match self.kind {
            KindName::Tool => TOOL,
            KindName::Agent => AGENT,
        };
        check_free(&folder)?;
        for (file, content) in files {
            let path = folder.join(file);
            let content = content.replace("{{name}}", &self.name).replace("{{sdk}}", &sdk);
            let parent = path.parent().unwrap_or(&folder);
            fs::create_dir_all(parent).map_err(|error| Problem::io(parent, &error))?;
            fs::write(&path, content).map_err(|error| Problem::io(&path, &error))?;
        }
        let folder = folder.display().to_string();
        let written = Written { name: self.name, folder, files: files.iter().map(|(file, _)| *file).collect() };
        cx.output.show(&written, |written| {
            format!(
                "Wrote {} to {}\nNext: cd {} && cargo component build --release && wasmill plugin install .",
                written.name, written.folder, written.folder
            )
        })
    }

    /// The inside of the dependency's table in Cargo.toml.
    fn sdk(&self) -> Result<String, Problem> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sdk/rust");
        let folder = match &self.sdk {
            Some(folder) => folder,
            None if here.join("Cargo.toml").is_file() => &here,
            None => return Ok(format!("version = \"{}\"", env!("CARGO_PKG_VERSION"))),
        };
        let folder = folder.canonicalize().map_err(|error| Problem::io(folder, &error))?;
        Ok(format!("path = {}", toml::Value::from(folder.display().to_string())))
    }
}

/// A plugin's name is cargo's package name too.
fn check_name(name: &str) -> Result<(), Problem> {
    check_component_name(name)?;
    if name.contains('.') || !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        let message = format!("`{name}` is not a plugin's name: it begins with a letter and has no dots");
        return Err(Problem::invalid("name.invalid", message, "Choose another name."));
    }
    Ok(())
}

/// Somebody's work must not be written over.
fn check_free(folder: &Path) -> Result<(), Problem> {
    match fs::read_dir(folder).map(|mut entries| entries.next().is_some()) {
        Ok(true) => {
            let message = format!("`{}` is not empty", folder.display());
            Err(Problem::new(ProblemKind::Conflict, "plugin.exists", message, "Name another folder with `--dir`."))
        }
        Ok(false) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Problem::io(folder, &error)),
    }
}
