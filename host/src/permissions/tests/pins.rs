//! Rows and manifests that name a version of a tool.

use super::*;

const MATRIX: &str = "[[row]]\nprincipal = \"agent:a\"\ntools = [\"x@1.0.0\", \"y\", \"z.*\"]\n";

fn grant(wanted: Option<&str>) -> Grant {
    matrix(MATRIX).grant(&Principal::agent("a"), wanted.map(permissions).as_ref(), None, None)
}

fn may(grant: &Grant, tool: &str) -> bool {
    grant.check(Action::ToolCall(tool)).is_allowed()
}

#[test]
fn a_version_is_allowed_by_its_own_entry_or_by_one_for_all_versions() {
    let grant = grant(None);
    for tool in ["x@1.0.0", "y", "y@2.0.0", "z.a", "z.a@1.0.0-rc.1+b"] {
        assert!(may(&grant, tool), "{tool}");
    }
    for tool in ["x", "x@1.0.1", "x@1.0.0 ", "x@", "xx@1.0.0", "z", "w@1.0.0"] {
        assert!(!may(&grant, tool), "{tool}");
    }
}

#[test]
fn both_layers_have_to_allow_the_version_and_what_is_signed_says_so() {
    let pinned = grant(Some("tools = ['x', 'y@2.0.0', 'z.a@1.0.0']"));
    for (tool, allowed) in [("x", false), ("x@1.0.0", true), ("x@1.1.0", false), ("y", false), ("y@2.0.0", true)] {
        assert_eq!(may(&pinned, tool), allowed, "{tool}");
    }
    assert_eq!(pinned.effective().tools, ["x@1.0.0", "y@2.0.0", "z.a@1.0.0"]);
    // A star never stands for a version, whoever writes it.
    for star in ["*@1.0.0", "*.0", "?"] {
        let starred = grant(Some(&format!("tools = ['{star}']")));
        assert!(!may(&starred, "x@1.0.0") && !may(&starred, "y@1.0.0"), "{star}");
        assert!(!starred.effective().tools.iter().any(|tool| tool.starts_with(['x', 'y'])), "{star}");
    }
}

#[test]
fn an_entry_for_all_versions_makes_one_for_a_version_needless() {
    let both = matrix("[[row]]\nprincipal = \"*\"\ntools = [\"y\", \"y@1.0.0\", \"w@1.0.0\"]\n");
    let grant = both.grant(&Principal::client("c"), None, None, None);
    assert_eq!(grant.effective().tools, ["w@1.0.0", "y"]);
}

#[test]
fn a_grant_covers_permissions_that_can_do_nothing_more() {
    let grant = grant(None);
    for (wanted, covered) in [
        ("", true),
        ("tools = ['x@1.0.0', 'y', 'y@1.0.0', 'z.*', 'z.a']", true),
        ("tools = ['x']", false),
        ("tools = ['*']", false),
        ("clock = true", false),
        ("http = [{ host = 'h', methods = ['GET'] }]", false),
    ] {
        assert_eq!(grant.covers(&permissions(wanted)), covered, "{wanted}");
    }
}

#[test]
fn a_pattern_with_a_version_is_refused_where_it_is_written() {
    let error = Matrix::parse("[[row]]\nprincipal = \"*\"\ntools = [\"z.*@1.0.0\"]\n").unwrap_err().to_string();
    assert!(error.contains("line 3") && error.contains("named whole"), "{error}");
}
