//! PostgreSQL as a running host's database: what a person sees is the same as with the file in the home.

use serde_json::Value;
use wasmill_tests::binary::Cli;
use wasmill_tests::postgres::Postgres;
use wasmill_tests::up::Up;

/// What a home's host says of what waits and what was built, with times and digests taken out.
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
    assert!(!up.log().contains("ERROR"), "{}", up.log());
    let mut seen = serde_json::json!({ "waiting": waiting["waiting"], "agents": waiting["agents"], "builds": builds });
    seen["waiting"][0]["digest"].take();
    Some(seen)
}

#[test]
fn a_host_on_postgresql_behaves_as_on_sqlite() {
    let Some(postgres) = Postgres::start() else { return };
    let (Some(sqlite), Some(postgres)) = (seen(""), seen(&format!("[store]\nurl = \"{}\"\n", postgres.url()))) else {
        return;
    };
    assert_eq!(sqlite, postgres);
}
