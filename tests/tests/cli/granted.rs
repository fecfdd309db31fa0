//! A forged tool that asks for something privileged answers while an admin's approval counts, and at no other time.

use serde_json::json;
use wasmill_tests::binary::Cli;

/// The tool needs no request to be sent: asking for the permission is what makes it wait.
const WANTED: &str = "http = [{ host = \"api.example.com\", methods = [\"GET\"] }]";
const CALL: [&str; 5] = ["tool", "call", "cli.sum", "sum", r#"{"text": "20 and 22"}"#];

/// A home with the matrix that `init` writes and two rows more, in which `cli.sum` waits.
fn waiting() -> Cli {
    let cli = Cli::new();
    let path = cli.home().join("permissions.toml");
    let matrix = std::fs::read_to_string(&path).unwrap();
    let more =
        format!("\n[[row]]\nprincipal = \"client:cli\"\n{WANTED}\n[[row]]\nprincipal = \"tool:cli.sum\"\n{WANTED}\n");
    std::fs::write(&path, matrix + &more).unwrap();
    cli.write("sum.rs", include_str!("../../forge/tools/sum.rs"));
    cli.run(&["forge", "prepare"]).expect_code(0);
    let built = cli.run(&["forge", "build", "sum.rs", "--permissions", WANTED]).json();
    assert_eq!(built["outcome"], "waiting", "{built}");
    cli
}

#[track_caller]
fn answers(cli: &Cli) {
    assert_eq!(cli.run(&CALL).json(), json!(42));
}

#[track_caller]
fn waits(cli: &Cli) {
    assert_eq!(cli.run(&CALL).problem(5).code, "tool.waiting");
}

#[test]
fn it_answers_after_the_grant_and_is_refused_again_after_a_denial() {
    let cli = waiting();
    waits(&cli);
    cli.run(&["approval", "grant", "cli.sum"]).json();
    answers(&cli);
    cli.run(&["approval", "deny", "cli.sum", "--reason", "not needed"]).json();
    waits(&cli);
    cli.run(&["approval", "grant", "cli.sum"]).json();
    answers(&cli);
}

#[test]
fn it_is_refused_again_when_the_admin_is_revoked_who_granted_it() {
    let cli = waiting();
    cli.run(&["approval", "grant", "cli.sum"]).json();
    answers(&cli);
    let path = cli.home().join("trust.toml");
    let trust = std::fs::read_to_string(&path).unwrap();
    let revoked = trust.replace("roles = [\"admin\"]", "roles = [\"admin\"]\nrevoked = true");
    assert_ne!(trust, revoked);
    std::fs::write(&path, revoked).unwrap();
    waits(&cli);
}
