//! Where a plugin's files are.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use wasmill_registry::{MANIFEST_SIZE_MAX, Manifest};

use crate::home::read_bounded;
use crate::problem::{Problem, ProblemKind};

/// Targets that guests are built for.
const TARGETS: [&str; 2] = ["wasm32-wasip1", "wasm32-wasip2"];

/// A plugin's folder.
#[derive(Debug)]
pub struct Found {
    /// Its manifest.
    pub manifest: Manifest,
    /// Its built component.
    pub component: PathBuf,
    /// Its files of cases, sorted by name.
    pub cases: Vec<PathBuf>,
}

/// Looks into a plugin's folder, and for its component as [`built`] does. `component` names another one.
///
/// # Errors
/// What is missing and how to make it.
pub fn find(folder: &Path, component: Option<&Path>) -> Result<Found, Problem> {
    let folder = std::path::absolute(folder).map_err(|error| Problem::io(folder, &error))?;
    let path = folder.join("wasmill.toml");
    if !path.is_file() {
        let message = format!("there is no plugin in `{}`: it has no wasmill.toml", folder.display());
        return Err(Problem::new(ProblemKind::NotFound, "manifest.missing", message, "Name the plugin's folder."));
    }
    let manifest = Manifest::parse(&read_bounded(&path, MANIFEST_SIZE_MAX)?)?;
    let component = match component {
        Some(component) => component.to_owned(),
        None => built(&folder, &manifest.name).ok_or_else(|| {
            let message = format!("the component of `{}` is not built", manifest.name);
            let next = "Run `cargo component build --release`, or name it with `--component`.";
            Problem::new(ProblemKind::NotFound, "component.missing", message, next)
        })?,
    };
    let cases = cases(&folder.join("cases"))?;
    Ok(Found { manifest, component, cases })
}

/// The component of a plugin that was built in an absolute folder: in `CARGO_TARGET_DIR`, else in `target/` there and in
/// the folders above, where a workspace has it; of several the newest.
pub fn built(folder: &Path, name: &str) -> Option<PathBuf> {
    let file = format!("{}.wasm", name.replace('-', "_"));
    let made = |path: &PathBuf| -> Option<SystemTime> { path.metadata().ok()?.modified().ok() };
    let targets: Vec<PathBuf> = match std::env::var_os("CARGO_TARGET_DIR") {
        Some(elsewhere) => vec![elsewhere.into()],
        None => folder.ancestors().map(|folder| folder.join("target")).collect(),
    };
    let files = targets.iter().flat_map(|target| TARGETS.map(|name| target.join(name).join("release").join(&file)));
    files.filter_map(|path| Some((made(&path)?, path))).max().map(|(_, path)| path)
}

fn cases(folder: &Path) -> Result<Vec<PathBuf>, Problem> {
    let missing = || {
        let message = format!("there are no cases in `{}`", folder.display());
        Problem::new(ProblemKind::NotFound, "cases.missing", message, "See \"Cases\" in docs/plugin-guide.md.")
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|_| missing())? {
        let path = entry.map_err(|error| Problem::io(folder, &error))?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() { Err(missing()) } else { Ok(files) }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_component_is_found_in_the_workspace_above_and_the_newest_counts() {
        let root = tempfile::tempdir().unwrap();
        let plugin = root.path().join("my-tool");
        fs::create_dir_all(plugin.join("cases")).unwrap();
        fs::write(plugin.join("wasmill.toml"), "name = \"my-tool\"\nversion = \"0.1.0\"\nkind = \"tool\"\n").unwrap();
        assert_eq!(find(&plugin, None).unwrap_err().code, "component.missing");
        for (target, age) in [("target/wasm32-wasip1", 60), ("my-tool/target/wasm32-wasip2", 10)] {
            let folder = root.path().join(target).join("release");
            fs::create_dir_all(&folder).unwrap();
            let file = fs::File::create(folder.join("my_tool.wasm")).unwrap();
            file.set_modified(SystemTime::now() - std::time::Duration::from_secs(age)).unwrap();
        }
        assert_eq!(find(&plugin, None).unwrap_err().code, "cases.missing");
        fs::write(plugin.join("cases/a.toml"), "").unwrap();
        let found = find(&plugin, None).unwrap();
        assert!(found.component.ends_with("my-tool/target/wasm32-wasip2/release/my_tool.wasm"), "{found:?}");
        assert_eq!(found.cases.len(), 1);
    }
}
