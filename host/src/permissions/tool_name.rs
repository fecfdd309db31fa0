//! Names in the column `tools`: `NAME`, a pattern of names, or `NAME@VERSION`, which is that version and no other.

use super::pattern::Pattern;

/// The name without its version.
pub(super) fn name_of(text: &str) -> &str {
    text.split_once('@').map_or(text, |(name, _)| name)
}

/// True where `wide` allows whatever `narrow` does.
pub(super) fn covers(wide: &str, narrow: &str) -> bool {
    // Without this a star could stand for a version, and `*0` allow `x@1.0.0`.
    wide == narrow || (!wide.contains('@') && Pattern::new(wide).covers(&Pattern::new(name_of(narrow))))
}

/// Checks an entry that names a version.
pub(super) fn check_version(text: &str) -> Result<(), String> {
    let Some((name, version)) = text.split_once('@') else { return Ok(()) };
    if name.is_empty() || name.contains('*') || semver::Version::parse(version).is_err() {
        let message = "a version is pinned for one tool, and named whole, for example tools = [\"json-query@0.1.0\"]";
        return Err(format!("tools: {text:?}: {message}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_names_and_never_for_versions() {
        for (wide, narrow) in
            [("x", "x@1.0.0"), ("*", "x@1.0.0"), ("a.*", "a.x@1.0.0"), ("x@1.0.0", "x@1.0.0"), ("*", "a.*")]
        {
            assert!(covers(wide, narrow), "{wide} {narrow}");
        }
        for (wide, narrow) in [("*0", "x@1.0.0"), ("x@1.0.0", "x"), ("x@1.0.0", "x@1.0.1"), ("*@1.0.0", "x@1.0.0")] {
            assert!(!covers(wide, narrow), "{wide} {narrow}");
        }
    }

    #[test]
    fn a_version_is_named_whole_and_for_one_tool() {
        assert_eq!(check_version("a.b@0.1.0"), Ok(()));
        assert_eq!(check_version("a.*"), Ok(()));
        for wrong in ["a.*@0.1.0", "a@0.1", "a@*", "a@", "@0.1.0", "a@0.1.0@0.1.0"] {
            assert!(check_version(wrong).is_err_and(|error| error.contains("named whole")), "{wrong}");
        }
    }
}
