//! What people see of a version that failed, and how one of them has it back.

use std::io::{BufRead, BufReader};

use serde_json::{Value, json};
use wasmill_tests::scratch::PATIENCE;
use wasmill_tests::server::until;

use crate::gateway::Open;

const MAY: &str = "[[row]]\nprincipal = \"client:ops\"\nhost = [\"read\", \"operate\"]\ntools = [\"*\"]\nforge = [\"javascript\"]\n\
    [[row]]\nprincipal = \"client:looker\"\nhost = [\"read\"]\n";

fn build(open: &Open, token: &str, body: &str) {
    let source = format!("export const f = {{ call({{ n }}) {{ {body} }} }};");
    let request = json!({ "name": "f", "language": "javascript", "source": source });
    let (code, _, said) = open.ask("POST /v1/builds", token, &request.to_string());
    assert!(code == 200 && said.contains("\"callable\""), "{said}");
}

#[test]
fn a_version_that_failed_is_shown_told_and_restored() {
    let Some(open) = Open::with(MAY, &["javascript"]) else { return };
    let (ops, looker) = (open.token("ops"), open.token("looker"));
    build(&open, &ops, "return n;");
    build(&open, &ops, "throw new TypeError('\\u001b[2J broken');");
    let mut events = BufReader::new(open.connect("GET /v1/events", &looker, "")).lines().map(Result::unwrap);
    assert!(events.any(|line| line == "event: figures"));
    let call = || open.ask("POST /v1/tools/ops.f/calls", &ops, r#"{"function": "f", "arguments": {"n": 7}}"#);
    for _ in 0..5 {
        assert_eq!(call().0, 500);
    }
    assert!(events.any(|line| line == "event: rollback"));
    let told: Value = serde_json::from_str(events.next().unwrap().strip_prefix("data: ").unwrap()).unwrap();
    assert_eq!(
        (&told["tool"], &told["version"], &told["instead"]),
        (&"ops.f".into(), &"0.1.1".into(), &"0.1.0".into())
    );
    assert!(until(PATIENCE, || call().2.contains("\"result\":7")), "{}", open.up.log());

    let text = |command: &[&str]| open.cli.run(command).expect_code(0).stdout;
    assert!(text(&["tool", "list", "--output", "human"]).contains("0.1.0 (0.1.1 fails)"));
    assert!(
        text(&["tool", "show", "ops.f", "--output", "human"]).contains("0.1.1 was rolled back: 5 of the last 5 calls")
    );
    let (code, _, listed) = open.ask("GET /v1/rollbacks", &looker, "");
    assert!(code == 200 && listed.contains("\"0.1.1\""), "{listed}");
    assert_eq!(open.status("DELETE /v1/rollbacks/ops.f@0.1.1", &looker, ""), 403);
    assert_eq!(open.status("DELETE /v1/rollbacks/ops.f@0.1.0", &ops, ""), 404);

    assert_eq!(open.cli.run(&["tool", "restore", "ops.f"]).problem(4).code, "rollback.unknown");
    let restored = text(&["tool", "restore", "ops.f@0.1.1", "--output", "human"]);
    assert_eq!(restored.trim(), "Restored ops.f@0.1.1");
    for _ in 0..6 {
        assert_eq!(call().0, 500, "an admin wants it so");
    }
    assert_eq!(open.cli.run(&["tool", "restore", "ops.f@0.1.1"]).problem(4).code, "rollback.unknown");
    let trail = open.cli.run(&["audit", "list"]).json().to_string();
    assert!(trail.contains("roll back ops.f@0.1.1") && trail.contains("restore ops.f@0.1.1"), "{trail}");
}
