//! Servers that mean harm.

use serde_json::json;
use wasmill_tests::scratch::PATIENCE;
use wasmill_tests::server::until;
use wasmill_tests::up::Up;

use super::hall::{Hall, port};

/// Waits until the tool is refused, with its reason.
fn refused(hall: &Hall, up: &Up) -> String {
    let mut reason = String::new();
    let is_refused = until(PATIENCE, || {
        let problem = hall.call("mcp.hostile", "harm", json!({})).problem(5);
        reason = problem.message;
        reason.contains("tools_max")
    });
    assert!(is_refused, "{reason}\n{}", up.log());
    reason
}

#[test]
fn too_many_tools_are_refused_all() {
    let Some(hall) = Hall::new() else { return };
    for does in ["many", "pages"] {
        hall.settings(&hall.program("hostile", "hostile.py", &["stdio", does], "tools_max = 100"));
        let up = Up::start(&hall.cli);
        assert!(refused(&hall, &up).contains("over 100 tools"));
        assert_eq!(hall.cli.run(&["tool", "list"]).json(), json!([]));
    }
}

#[test]
fn a_tool_that_cannot_be_used_is_left_out_and_said() {
    let Some(hall) = Hall::new() else { return };
    hall.settings(&hall.program("hostile", "hostile.py", &["stdio", "schemas"], ""));
    let up = hall.up(&["mcp.hostile"]);
    assert_eq!(hall.functions("mcp.hostile"), ["harm"]);
    let log = up.log();
    for word in
        ["two tools are named", "no name for a function", "nested over", "over 65536 bytes", "not a JSON Schema"]
    {
        assert!(log.contains(word), "{word} is not in:\n{log}");
    }
    hall.call("mcp.hostile", "harm", json!({})).expect_code(0);
}

#[test]
fn an_answer_is_no_larger_than_it_may_be() {
    let Some(hall) = Hall::new() else { return };
    let port = port();
    let _server = hall.serve("other.py", port, &[]);
    let settings =
        [Hall::web("web", port, "answer_kib = 64"), hall.program("local", "other.py", &["stdio"], "answer_kib = 64")];
    hall.settings(&settings.concat());
    let up = hall.up(&["mcp.web", "mcp.local"]);
    for tool in ["mcp.web", "mcp.local"] {
        hall.call(tool, "large", json!({ "kib": 60 })).expect_code(0);
        let large = hall.call(tool, "large", json!({ "kib": 70 })).problem(6);
        assert!(large.code == "mcp.answer-size" && large.next.contains("answer_kib"), "{tool}: {large:?}");
        // One that is too large to be read at all.
        let larger = hall.call(tool, "large", json!({ "kib": 4096 })).problem(5);
        assert!(["mcp.away", "mcp.timeout"].contains(&larger.code.as_str()), "{tool}: {larger:?}");
        assert!(until(PATIENCE, || hall.call(tool, "echo", json!({ "text": "x" })).code == 0), "{tool}: {}", up.log());
    }
}

#[test]
fn an_answer_without_end_ends_the_connection() {
    let Some(hall) = Hall::new() else { return };
    let port = port();
    for (way, does) in [("stdio", "endless"), ("http", "endless"), ("http", "drip"), ("stdio", "flood")] {
        let server = (way == "http").then(|| hall.serve("hostile.py", port, &[does]));
        hall.settings(&match way {
            "http" => Hall::web("hostile", port, "timeout_ms = 3000"),
            _ => hall.program("hostile", "hostile.py", &["stdio", does], "timeout_ms = 30000"),
        });
        let up = hall.up(&["mcp.hostile"]);
        let ended = hall.call("mcp.hostile", "harm", json!({})).problem(5);
        let expected = if does == "drip" { "mcp.timeout" } else { "mcp.away" };
        assert_eq!(ended.code, expected, "{way} {does}: {ended:?}");
        if way == "stdio" {
            let word = if does == "flood" { "nobody asked for" } else { "bytes" };
            assert!(until(PATIENCE, || up.log().contains(word)), "{word} is not in:\n{}", up.log());
        }
        // It is tried again.
        assert!(until(PATIENCE, || hall.functions("mcp.hostile") == ["harm"]), "{way} {does}");
        drop((up, server));
    }
}
