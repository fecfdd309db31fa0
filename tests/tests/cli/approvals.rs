//! `wasmill approval`: a component that asks for something privileged, from waiting to granted, denied or void.

use serde_json::Value;
use wasmill_tests::binary::Cli;

use crate::plugins::component;

const MATRIX: &str = r#"privileged = ["http"]
[[row]]
principal = "tool:*"
http = [{ host = "api.example.com", methods = ["GET"] }]
clock = true
"#;

/// A home in which `web@1.0.0` waits.
fn waiting() -> Cli {
    let cli = Cli::new();
    std::fs::write(cli.home().join("permissions.toml"), MATRIX).unwrap();
    install(&cli, "1.0.0", "");
    cli
}

fn install(cli: &Cli, version: &str, more: &str) {
    cli.write("web.wasm", component(""));
    let manifest = format!(
        "name = 'web'\nversion = '{version}'\nkind = 'tool'\n[permissions]\n\
         http = [{{ host = 'api.example.com', methods = ['GET'] }}]\n{more}\n"
    );
    cli.write("wasmill.toml", manifest);
    cli.run(&["plugin", "sign", "web.wasm"]).json();
    cli.run(&["plugin", "install", "web.wasm"]).json();
}

fn state(cli: &Cli, component: &str) -> Value {
    let cases = cli.run(&["approval", "list"]).json();
    let case = cases.as_array().unwrap().iter().find(|case| case["component"] == component);
    case.map(|case| case["state"].clone()).unwrap_or_default()
}

#[test]
fn what_waits_is_listed_shown_and_granted() {
    let cli = waiting();
    assert_eq!(state(&cli, "web@1.0.0"), "waiting");
    let shown = cli.run(&["approval", "show", "web"]).json();
    assert_eq!(shown["permissions"]["http"][0]["host"], "api.example.com");
    assert_eq!((&shown["privileged"], &shown["signer"]["name"]), (&serde_json::json!(["http"]), &"publisher".into()));

    let granted = cli.run(&["approval", "grant", "web"]).json();
    assert_eq!((&granted["state"], &granted["signers"][0]["name"]), (&"granted".into(), &"admin".into()));
    assert_eq!(state(&cli, "web@1.0.0"), "granted");
    let explained = cli.run(&["permission", "explain", "tool:web", "http", "GET api.example.com"]).json();
    assert_eq!(explained["answer"]["allowed"], true);
}

#[test]
fn another_version_waits_for_its_own_approval() {
    let cli = waiting();
    cli.run(&["approval", "grant", "web@1.0.0"]).json();
    install(&cli, "1.1.0", "clock = true");
    assert_eq!((state(&cli, "web@1.0.0"), state(&cli, "web@1.1.0")), ("granted".into(), "waiting".into()));
}

#[test]
fn only_a_key_that_is_trusted_as_admin_approves() {
    let cli = waiting();
    let problem = cli.run(&["approval", "grant", "web", "--key", "publisher"]).problem(3);
    assert_eq!(problem.code, "signature.wrong-role");
    cli.run(&["key", "new", "stranger", "--role", "admin", "--no-trust"]).json();
    assert_eq!(cli.run(&["approval", "grant", "web", "--key", "stranger"]).problem(3).code, "signature.unknown-key");
    assert_eq!(state(&cli, "web@1.0.0"), "waiting");
}

#[test]
fn a_refusal_is_remembered_with_its_reason() {
    let cli = waiting();
    cli.run(&["approval", "grant", "web"]).json();
    let denied = cli.run(&["approval", "deny", "web", "--reason", "too curious"]).json();
    assert_eq!((&denied["state"], &denied["reason"]), (&"denied".into(), &"too curious".into()));
    assert_eq!(state(&cli, "web@1.0.0"), "denied");
}

#[test]
fn an_approval_that_is_over_counts_for_nothing() {
    let cli = waiting();
    let problem = cli.run(&["approval", "grant", "web", "--expires", "2020-01-01T00:00:00Z"]).problem(3);
    assert!(problem.message.contains("2020-01-01"), "{problem:?}");
    assert_eq!(state(&cli, "web@1.0.0"), "waiting");
}

#[test]
fn a_revoked_admin_has_approved_nothing() {
    let cli = waiting();
    cli.run(&["approval", "grant", "web"]).json();
    let path = cli.home().join("trust.toml");
    let trust = std::fs::read_to_string(&path).unwrap();
    let revoked = trust.replace("roles = [\"admin\"]", "roles = [\"admin\"]\nrevoked = true");
    assert_ne!(trust, revoked);
    std::fs::write(&path, revoked).unwrap();
    assert_eq!(state(&cli, "web@1.0.0"), "waiting");
}

#[test]
fn what_needs_no_approval_is_not_known_here() {
    let cli = waiting();
    for arguments in
        [&["approval", "show", "nobody"][..], &["approval", "grant", "nobody"], &["approval", "deny", "nobody"]]
    {
        assert_eq!(cli.run(arguments).problem(4).code, "approval.unknown");
    }
}
