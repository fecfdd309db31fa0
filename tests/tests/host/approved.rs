//! An approval counts as long as it stands: a running host follows what becomes of it.

use serde_json::Value;
use wasmill_tests::binary::Cli;
use wasmill_tests::up::Up;

use super::started::{MAY, TOPICS, maker};

/// A home with an agent that may read once an admin has signed that, on a host that runs.
fn at_work() -> Option<(Cli, Up)> {
    let cli = Cli::new();
    cli.write("home/permissions.toml", permissions("upper"));
    cli.install("upper")?;
    for topic in ["lower", "upper", "other"] {
        cli.run(&["topic", "create", topic]).expect_code(0);
    }
    let up = Up::start(&cli);
    cli.status_until(waits);
    cli.run(&["approval", "grant", "upper"]).expect_code(0);
    cli.status_until(|status| status["agents"][0]["state"] == "running" && status["waiting"][0].is_null());
    Some((cli, up))
}

fn permissions(writes: &str) -> String {
    format!(
        "privileged = [\"topics.read\", \"topics.write\"]\n[[row]]\nprincipal = \"agent:upper\"\n\
         topics.read = [\"lower\"]\ntopics.write = [{writes:?}]\n"
    )
}

/// The agent is not at work and waits for an admin.
fn waits(status: &Value) -> bool {
    status["waiting"][0]["component"] == "upper@0.1.0" && status["agents"][0].is_null()
}

#[test]
fn an_agent_whose_approval_is_denied_afterwards_stops() {
    let Some((cli, _up)) = at_work() else { return };
    cli.run(&["approval", "deny", "upper", "--reason", "not any more"]).expect_code(0);
    cli.status_until(|status| status["agents"][0].is_null());
    cli.run(&["record", "send", "lower", "hello"]).expect_code(0);
    cli.run(&["approval", "grant", "upper"]).expect_code(0);
    cli.status_until(|status| status["agents"][0]["records"] == 1);
}

#[test]
fn an_agent_whose_admin_is_revoked_stops() {
    let Some((cli, _up)) = at_work() else { return };
    let trust = std::fs::read_to_string(cli.home().join("trust.toml")).unwrap();
    let revoked = trust.replace("roles = [\"admin\"]", "roles = [\"admin\"]\nrevoked = true");
    assert_ne!(trust, revoked);
    cli.write("home/trust.toml", revoked);
    cli.status_until(waits);
}

#[test]
fn an_agent_whose_permissions_change_waits_again() {
    let Some((cli, _up)) = at_work() else { return };
    // Its manifest wants `upper`, and the admin has signed that; a wider row alone gives it nothing more.
    cli.write("home/permissions.toml", permissions("up*"));
    cli.run(&["record", "send", "lower", "hello"]).expect_code(0);
    cli.status_until(|status| status["agents"][0]["records"] == 1);
    // One that takes something away changes what was signed.
    cli.write("home/permissions.toml", permissions("other"));
    cli.status_until(waits);
}

/// An admin has signed what the maker may do, and not what it starts.
#[test]
fn what_an_approved_agent_starts_holds_nothing_privileged() {
    let cli = Cli::new();
    cli.write("home/permissions.toml", MAY.replacen("privileged = []", "privileged = [\"topics.write\"]", 1));
    let (Some(()), Some(())) = (cli.install_with("evil-agent", maker), cli.install("relay")) else { return };
    for topic in TOPICS {
        cli.run(&["topic", "create", topic]).expect_code(0);
    }
    let _up = Up::start(&cli);
    cli.run(&["approval", "grant", "evil-agent"]).expect_code(0);
    cli.status_until(|status| status["agents"][0]["state"] == "running");
    let start = r#"{ "attack": "start", "name": "night", "to": "relay.out" }"#;
    cli.run(&["record", "send", "evil.attacks", start]).expect_code(0);
    let said = |status: &Value| {
        let refused = status["refused"].as_array().unwrap().iter().find(|r| r["component"] == "evil-agent.night");
        refused.map(|refused| refused["reason"].as_str().unwrap().to_owned())
    };
    let status = cli.status_until(|status| said(status).is_some());
    assert!(said(&status).unwrap().contains("something privileged (topics.write)"), "{status:#}");
    assert!(!status["agents"].to_string().contains("night"), "{status:#}");
}
