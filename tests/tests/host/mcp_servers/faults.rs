//! Servers that die, hang and come back.

use serde_json::json;
use wasmill_tests::scratch::PATIENCE;
use wasmill_tests::server::until;
use wasmill_tests::up::Up;

use super::hall::{Hall, port};

#[test]
fn a_server_that_dies_is_connected_again_when_it_is_back() {
    let Some(hall) = Hall::new() else { return };
    let port = port();
    let mut server = hall.serve("other.py", port, &[]);
    hall.settings(&(Hall::web("web", port, "") + &hall.program("local", "other.py", &["stdio"], "")));
    let _up = hall.up(&["mcp.web", "mcp.local"]);
    let echo = |tool| hall.call(tool, "echo", json!({ "text": "x" }));
    let works_again = |tool| until(PATIENCE, || echo(tool).code == 0);

    server.kill();
    let away = echo("mcp.web").problem(5);
    assert!(away.code == "mcp.away" && away.next.contains("Try again"), "{away:?}");
    // The other one doesn't care.
    echo("mcp.local").expect_code(0);
    let _server = hall.serve("other.py", port, &[]);
    assert!(works_again("mcp.web"));

    // One that is a program is started again.
    let born = || hall.call("mcp.local", "born", json!({})).json();
    let before = born();
    assert_eq!(hall.call("mcp.local", "end", json!({})).problem(5).code, "mcp.away");
    assert!(works_again("mcp.local"));
    assert_ne!(born(), before);
}

#[test]
fn a_server_that_is_not_there_keeps_no_host_from_starting_or_stopping() {
    let Some(hall) = Hall::new() else { return };
    let port = port();
    hall.settings(&(Hall::web("web", port, "") + &hall.program("hostile", "hostile.py", &["stdio", "silent"], "")));
    let up = Up::start(&hall.cli);
    let away = |tool: &str| {
        let mut last = None;
        let is_away = until(PATIENCE, || {
            let problem = hall.call(tool, "harm", json!({})).problem(5);
            let is_away = problem.code == "tool.refused" && problem.message.contains("was not loaded");
            last = Some(problem);
            is_away
        });
        assert!(is_away, "{last:?}");
    };
    away("mcp.web");
    away("mcp.hostile");
    let refused = hall.cli.run(&["status"]).json()["refused"].to_string();
    assert!(refused.contains("mcp.web") && refused.contains("mcp.away"), "{refused}");
    // The harness waits 20 s for a host to stop, and then it is killed: nothing would be sealed.
    drop(up);
    let _server = hall.serve("other.py", port, &[]);
    let up = hall.up(&["mcp.web"]);
    assert!(up.log().contains("stopping"), "{}", up.log());
}

#[test]
fn a_secret_that_is_missing_is_named_and_may_come_later() {
    let Some(hall) = Hall::new() else { return };
    let settings = hall.program("local", "other.py", &["stdio"], "").replace("{secret:OTHER}", "{secret:LATE}");
    hall.settings(&settings);
    let up = Up::start(&hall.cli);
    let named = || hall.cli.run(&["status"]).json()["refused"].to_string().contains("there is no secret `LATE`");
    assert!(until(PATIENCE, named), "{}", up.log());
    hall.cli.run_with_input(&["secret", "set", "LATE"], b"late-but-there").expect_code(0);
    hall.has(&up, &["mcp.local"]);
    assert_eq!(hall.call("mcp.local", "secret", json!({})).json()["said"], "[secret]");
}

#[test]
fn a_call_has_its_time_and_its_callers_deadline() {
    let Some(hall) = Hall::new() else { return };
    let port = port();
    let _server = hall.serve("other.py", port, &[]);
    let hostile = hall.program("hostile", "hostile.py", &["stdio", "hang"], "timeout_ms = 300");
    hall.settings(&(Hall::web("web", port, "") + &hostile));
    hall.cli.allow("[[row]]\nprincipal = \"tool:mcp.web\"\nlimits = { deadline_ms = 300 }\n");
    let _up = hall.up(&["mcp.web", "mcp.hostile"]);
    let late = hall.call("mcp.hostile", "harm", json!({})).problem(5);
    assert!(
        late.code == "mcp.timeout" && late.message.contains("300 ms") && late.next.contains("timeout_ms"),
        "{late:?}"
    );
    let late = hall.call("mcp.web", "pause", json!({ "seconds": 60 })).problem(6);
    assert!(late.code == "guest.limit" && late.message.contains("deadline_ms = 300"), "{late:?}");
}
