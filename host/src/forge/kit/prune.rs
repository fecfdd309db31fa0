//! Removes kits of compilers and versions that nobody uses any more.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::prepare::UNFINISHED;

/// Kits that stay, however old.
const KEPT: usize = 3;
/// A kit that was used since then stays: another host of this user may be older than this one.
const USED_WITHIN: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Removes what is beyond the newest few and was not used for a week. Only while holding the lock.
pub(super) fn prune(kits: &Path, now: SystemTime) -> std::io::Result<()> {
    let mut found: Vec<(SystemTime, PathBuf)> = Vec::new();
    for entry in std::fs::read_dir(kits)? {
        let path = entry?.path();
        if let Ok(facts) = std::fs::metadata(path.join("kit.json")) {
            found.push((facts.modified()?, path));
        }
    }
    found.sort_by_key(|(used, _)| std::cmp::Reverse(*used));
    for (used, path) in found.into_iter().skip(KEPT) {
        if now.duration_since(used).unwrap_or_default() > USED_WITHIN {
            // In one step out of the way, so that nobody opens half of it.
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let gone = kits.join(format!("{UNFINISHED}{name}"));
            std::fs::rename(&path, &gone)?;
            std::fs::remove_dir_all(gone)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_newest_and_those_in_use_stay() {
        let kits = tempfile::tempdir().unwrap();
        let now = SystemTime::now();
        for (name, days) in [("a", 40), ("b", 30), ("c", 20), ("d", 10), ("e", 9), ("f", 1)] {
            fs::create_dir_all(kits.path().join(name).join("warm")).unwrap();
            let file = fs::File::create(kits.path().join(name).join("kit.json")).unwrap();
            file.set_modified(now - Duration::from_secs(days * 24 * 60 * 60)).unwrap();
        }
        fs::create_dir(kits.path().join("no-kit")).unwrap();
        let left = |now| {
            prune(kits.path(), now).unwrap();
            let names =
                fs::read_dir(kits.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
            let mut names: Vec<String> = names.collect();
            names.sort();
            names
        };
        assert_eq!(left(now - Duration::from_secs(34 * 24 * 60 * 60)), ["a", "b", "c", "d", "e", "f", "no-kit"]);
        assert_eq!(left(now), ["d", "e", "f", "no-kit"]);
    }
}
