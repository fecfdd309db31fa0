//! The forge, and tools that it made, on the command line.

use serde_json::{Value, json};
use wasmill_tests::binary::Cli;

const SUM: &str = include_str!("../../forge/tools/sum.rs");
const FETCH: &str = include_str!("../../forge/tools/fetch.rs");
const MAY: &str = "[[row]]\nprincipal = \"client:cli\"\nforge = [\"rust\"]\ntools = [\"*\"]\n\
    http = [{ host = \"api.example.com\", methods = [\"GET\"] }]\n[[row]]\nprincipal = \"tool:cli.*\"\n\
    http = [{ host = \"api.example.com\", methods = [\"GET\"] }]\n";

/// A home whose forge is ready, with these sources as files.
fn ready() -> Cli {
    let cli = Cli::new();
    cli.write("home/permissions.toml", format!("privileged = [\"http\"]\n{MAY}"));
    cli.write("sum.rs", SUM);
    cli.write("fetch.rs", FETCH);
    cli.write("broken.rs", "fn main() { let x: u32 = \"text\"; }");
    cli.run(&["forge", "prepare"]).expect_code(0);
    cli
}

#[test]
fn a_source_becomes_a_tool_that_can_be_called_and_looked_at() {
    let cli = ready();
    cli.write("sum.json", r#"[{"function": "sum", "arguments": {"text": "1 and 41"}, "expected": 42}]"#);
    let built = cli.run(&["forge", "build", "sum.rs", "--description", "Adds.", "--examples", "sum.json"]).json();
    assert_eq!((&built["outcome"], &built["tool"]), (&"callable".into(), &"cli.sum".into()), "{built}");
    let answer = cli.run(&["tool", "call", "cli.sum", "sum", r#"{"text": "1 and 2 and 39"}"#]).json();
    assert_eq!(answer, json!(42));
    let tools = cli.run(&["tool", "list"]).json();
    assert_eq!(tools[0]["name"], "cli.sum", "{tools}");

    let builds = cli.run(&["forge", "list"]).json();
    let id = builds[0]["id"].as_str().unwrap();
    assert_eq!(cli.run(&["forge", "show", id, "--source"]).json(), SUM);

    let provenance = cli.run(&["plugin", "provenance", "cli.sum"]).json();
    assert_eq!(provenance["buildDefinition"]["externalParameters"]["maker"], "client:cli", "{provenance}");
    let verified = cli.run(&["plugin", "verify", "cli.sum", "--rebuild"]).json();
    assert_eq!(verified["rebuilt"]["built"], verified["digest"], "{verified}");
    assert_eq!(verified["rebuilt"]["other_tools"], json!([]));
}

#[test]
fn what_does_not_compile_comes_back_with_the_compilers_words() {
    let cli = ready();
    let ended = cli.run(&["forge", "build", "broken.rs"]).expect_code(1);
    let refused: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!((&refused["outcome"], &refused["stage"]), (&"refused".into(), &"build".into()));
    assert_eq!((&refused["diagnostics"][0]["line"], &refused["diagnostics"][0]["column"]), (&1.into(), &26.into()));
    assert!(refused.to_string().contains("mismatched types"), "{refused}");
    assert_eq!(cli.run(&["tool", "list"]).json(), json!([]));
}

#[test]
fn a_privileged_tool_waits_for_an_admin_and_then_can_be_called() {
    let cli = ready();
    let wanted = "http = [{ host = \"api.example.com\", methods = [\"GET\"] }]";
    let built = cli.run(&["forge", "build", "fetch.rs", "--permissions", wanted]).json();
    assert_eq!(built["outcome"], "waiting", "{built}");
    let call = ["tool", "call", "cli.fetch", "nothing", "{}"];
    assert_eq!(cli.run(&call).problem(5).code, "tool.waiting");
    cli.run(&["approval", "grant", "cli.fetch"]).expect_code(0);
    // It is there now, and says itself that it has no such function.
    assert_eq!(cli.run(&call).problem(4).code, "tool.function");
    cli.run(&["approval", "deny", "cli.fetch"]).expect_code(0);
    assert_eq!(cli.run(&call).problem(5).code, "tool.waiting");
}
