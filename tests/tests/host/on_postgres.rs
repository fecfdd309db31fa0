//! PostgreSQL as a running host's database: what a person sees is the same as with the file in the home.

use serde_json::{Value, json};
use wasmill_tests::binary::Cli;
use wasmill_tests::postgres::Postgres;
use wasmill_tests::up::Up;

/// What a home's host says of what waits and what was built, before and after an admin grants it.
fn seen(store: &str) -> Option<Value> {
    let cli = Cli::new();
    cli.write("home/host.toml", store);
    // Columns that upper asks for become privileged, so that it waits.
    let permissions = "privileged = [\"topics.read\"]\n[[row]]\nprincipal = \"agent:upper\"\n\
                       topics.read = [\"lower\"]\ntopics.write = [\"upper\"]\n";
    cli.write("home/permissions.toml", permissions);
    cli.install("upper")?;
    for topic in ["lower", "upper"] {
        cli.run(&["topic", "create", topic]).expect_code(0);
    }
    let up = Up::start(&cli);
    let waiting = cli.status_until(|status| status["waiting"][0]["component"] == "upper@0.1.0");
    let builds = cli.run(&["forge", "list"]).json();
    drop(up);
    // Another host on the same database finds it again.
    let up = Up::start(&cli);
    let again = cli.status_until(|status| status["waiting"][0]["component"] == "upper@0.1.0");
    assert_eq!(waiting["waiting"], again["waiting"]);
    let before = states(&cli);
    cli.run(&["approval", "grant", "upper"]).expect_code(0);
    let granted = cli.status_until(|status| status["agents"][0]["state"] == "running");
    let after = states(&cli);
    cli.run(&["record", "send", "lower", "hello"]).expect_code(0);
    cli.status_until(|status| status["agents"][0]["records"] == 1);
    assert!(!up.log().contains("ERROR"), "{}", up.log());
    let seen = json!({ "waiting": waiting["waiting"], "builds": builds, "before": before, "after": after });
    assert_eq!(granted["waiting"], json!([]));
    Some(seen)
}

/// Components with the states of their approvals.
fn states(cli: &Cli) -> Vec<Value> {
    let cases = cli.run(&["approval", "list"]).json();
    let state = |case: &Value| json!({ "component": case["component"], "state": case["state"] });
    cases.as_array().unwrap().iter().map(state).collect()
}

#[test]
fn a_host_on_postgresql_behaves_as_on_sqlite() {
    let Some(postgres) = Postgres::start() else { return };
    let (Some(sqlite), Some(postgres)) = (seen(""), seen(&format!("[store]\nurl = \"{}\"\n", postgres.url()))) else {
        return;
    };
    assert_eq!(sqlite, postgres);
    assert_eq!(sqlite["before"], json!([{ "component": "upper@0.1.0", "state": "waiting" }]));
    assert_eq!(sqlite["after"], json!([{ "component": "upper@0.1.0", "state": "granted" }]));
}
