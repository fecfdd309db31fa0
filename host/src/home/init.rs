//! What a new home contains.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use super::error::HomeError;

/// The keys that `wasmill init` makes, each for the role of its name.
pub const KEY_NAMES: [&str; 3] = ["publisher", "forge", "admin"];

const HOST: &str = include_str!("templates/host.toml");
const PERMISSIONS: &str = include_str!("templates/permissions.toml");
const TRUST: &str = include_str!("templates/trust.toml");
const SECRETS: &str = include_str!("templates/secrets.toml");

/// Makes folders and files. What is there already stays; `host.toml` comes last, because it is what makes a home.
pub(super) fn create(root: &Path) -> Result<(), HomeError> {
    let config = root.join("host.toml");
    if config.exists() {
        return Err(HomeError::Exists(root.to_owned()));
    }
    for folder in [root.to_owned(), root.join("keys"), root.join("log"), root.join("cache"), root.join("forge")] {
        // For the owner only: the socket, the secrets and everybody's records are in there.
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&folder);
        made.map_err(|error| HomeError::io(&folder, error))?;
    }
    let registry = root.join("registry");
    wasmill_registry::Registry::create(&registry)
        .map_err(|error| HomeError::Unreadable { path: registry, reason: error.to_string() })?;
    for (name, mode, content) in [
        ("permissions.toml", 0o644, PERMISSIONS),
        ("trust.toml", 0o644, TRUST),
        ("secrets.toml", 0o600, SECRETS),
        ("host.toml", 0o644, HOST),
    ] {
        write_new(&root.join(name), mode, content)?;
    }
    Ok(())
}

fn write_new(path: &Path, mode: u32, content: &str) -> Result<(), HomeError> {
    match OpenOptions::new().write(true).create_new(true).mode(mode).open(path) {
        Ok(mut file) => file.write_all(content.as_bytes()).map_err(|error| HomeError::io(path, error)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(HomeError::io(path, error)),
    }
}

/// True where nothing but the owner's eyes can look into the folder.
#[cfg(test)]
fn is_private(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o077 == 0
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::Home;
    use super::*;
    use crate::permissions::Matrix;

    #[test]
    fn a_new_home_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::create(&folder.path().join("home")).unwrap();
        home.config().unwrap();
        assert!(home.trust().unwrap().keys().is_empty());
        assert!(home.secrets().unwrap().is_empty());
        assert!(home.registry().unwrap().list().unwrap().is_empty());
        Matrix::load(&home.permissions_file()).unwrap();
    }

    #[test]
    fn a_new_home_is_for_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::create(&folder.path().join("home")).unwrap();
        for path in [home.root().to_owned(), home.keys(), home.log(), home.secrets_file()] {
            assert!(is_private(&path), "{}", path.display());
        }
    }

    #[test]
    fn a_home_is_made_once_and_found_only_where_one_is() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Home::open(folder.path()).unwrap_err().code(), "home.missing");
        Home::create(folder.path()).unwrap();
        assert_eq!(Home::create(folder.path()).unwrap_err().code(), "home.exists");
    }

    #[test]
    fn secrets_that_others_may_read_are_refused_and_never_shown() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let home = Home::create(folder.path()).unwrap();
        fs::write(home.secrets_file(), "API_KEY = \"s3cret\"\n").unwrap();
        assert_eq!(home.secrets().unwrap()["API_KEY"], "s3cret");
        fs::write(home.secrets_file(), "API_KEY = [\"s3cret\"]\n").unwrap();
        let error = home.secrets().unwrap_err();
        assert!(!error.to_string().contains("s3cret") && error.to_string().contains("line 1"), "{error}");
        fs::set_permissions(home.secrets_file(), fs::Permissions::from_mode(0o640)).unwrap();
        assert_eq!(home.secrets().unwrap_err().code(), "home.exposed");
    }

    #[test]
    fn a_wrong_line_is_named_with_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::create(folder.path()).unwrap();
        fs::write(home.config_file(), "[store]\nurll = ''\n").unwrap();
        let text = home.config().unwrap_err().to_string();
        assert!(text.contains("host.toml") && text.contains("line 2") && text.contains("urll"), "{text}");
    }
}
