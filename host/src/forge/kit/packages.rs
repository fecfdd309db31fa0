//! Which crates a tool is linked with, by the kit's lock file.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::Deserialize;

use super::ALLOWED_CRATES;
use super::sources::LOCK;

/// The crate around a generated source, and the SDK: what they may be linked with is not what they are linked with.
const WITH_CHOICE: [&str; 2] = ["forged", "wasmill-sdk"];

#[derive(Deserialize)]
struct Lock {
    package: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    #[serde(default)]
    dependencies: Vec<String>,
}

/// Packages by name. The lock file is this program's own, and has each name once: a test reads it.
static PACKAGES: LazyLock<BTreeMap<String, Package>> = LazyLock::new(|| {
    let lock = std::str::from_utf8(LOCK).ok().and_then(|text| toml::from_str::<Lock>(text).ok());
    let packages = lock.map(|lock| lock.package).unwrap_or_default();
    packages.into_iter().map(|package| (package.name.clone(), package)).collect()
});

/// Everything that a source which asks for these crates may be linked with, as `name@version`, sorted. What only runs
/// while it is compiled is among it.
pub fn packages(crates: &[&str]) -> Vec<String> {
    let mut found: BTreeSet<&str> = BTreeSet::new();
    let mut open = vec![WITH_CHOICE[0]];
    while let Some(package) = open.pop().and_then(|name| PACKAGES.get(name)) {
        let chooses = WITH_CHOICE.contains(&package.name.as_str());
        let is_in = |name: &&str| !chooses || !ALLOWED_CRATES.contains(name) || crates.contains(name);
        for name in package.dependencies.iter().map(|text| text.split(' ').next().unwrap_or(text)).filter(is_in) {
            if found.insert(name) {
                open.push(name);
            }
        }
    }
    let named = found.into_iter().filter_map(|name| PACKAGES.get(name));
    named.map(|package| format!("{}@{}", package.name, package.version)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_is_linked_with_what_it_asked_for_and_what_that_needs() {
        let names = |crates: &[&str]| -> Vec<String> {
            packages(crates).iter().map(|text| text.split('@').next().unwrap().to_owned()).collect()
        };
        let bare = names(&[]);
        assert!(bare.contains(&"wasmill-sdk".to_owned()) && bare.contains(&"wit-bindgen-rt".to_owned()), "{bare:?}");
        assert!(!ALLOWED_CRATES.iter().any(|name| bare.contains(&(*name).to_owned())), "{bare:?}");
        let json = names(&["serde_json"]);
        assert!(json.contains(&"serde_json".to_owned()) && json.contains(&"itoa".to_owned()), "{json:?}");
        assert!(!json.contains(&"regex-lite".to_owned()), "{json:?}");
    }

    #[test]
    fn the_lock_file_is_read_and_has_each_name_once() {
        let lock: Lock = toml::from_str(std::str::from_utf8(LOCK).unwrap()).unwrap();
        assert_eq!(lock.package.len(), PACKAGES.len());
        assert!(ALLOWED_CRATES.iter().all(|name| PACKAGES.contains_key(*name)));
    }
}
