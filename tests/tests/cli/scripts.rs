//! Tools that are JavaScript, on the command line.

use serde_json::json;
use wasmill_tests::binary::Cli;

const SUM: &str = include_str!("../../forge/tools/sum.js");
const MAY: &str = "[[row]]\nprincipal = \"client:cli\"\nforge = [\"rust\", \"javascript\"]\ntools = [\"*\"]\n";

/// A home with the engine. `None` (said loudly) where the engine is not built.
fn ready() -> Option<Cli> {
    let cli = Cli::new();
    cli.write("home/permissions.toml", MAY);
    cli.write("sum.js", SUM);
    cli.install("javascript")?;
    Some(cli)
}

#[test]
fn a_script_becomes_a_tool_where_there_is_no_sandbox_and_no_compiler() {
    let Some(cli) = ready() else { return };
    let nothing = [("PATH", "/nonexistent"), ("WASMILL_KITS", "/nonexistent"), ("HOME", "/nonexistent")];
    cli.write("sum.rs", "fn main() {}");
    let needs = cli.run_with(&["forge", "build", "sum.rs"], &nothing).problem(5).code;
    assert!(needs.starts_with("sandbox.") || needs.starts_with("toolchain."), "Rust needs both: {needs}");
    let built = cli.run_with(&["forge", "build", "sum.js", "--description", "Adds."], &nothing).json();
    assert_eq!((&built["outcome"], &built["tool"]), (&"callable".into(), &"cli.sum".into()), "{built}");
    let answer = cli.run(&["tool", "call", "cli.sum", "sum", r#"{"text": "1 and 2 and 39"}"#]).json();
    assert_eq!(answer, json!(42));
    let builds = cli.run(&["forge", "list"]).json();
    assert_eq!(cli.run(&["forge", "show", builds[0]["id"].as_str().unwrap(), "--source"]).json(), SUM);
}

#[test]
fn without_an_engine_it_is_said_what_to_install() {
    let cli = Cli::new();
    cli.write("home/permissions.toml", MAY);
    cli.write("sum.js", SUM);
    let problem = cli.run(&["forge", "build", "sum.js"]).problem(5);
    assert_eq!(problem.code, "forge.engine");
    assert!(problem.next.contains("plugins/javascript"), "{}", problem.next);
}

#[test]
fn a_publisher_signs_a_script_as_every_tool() {
    let Some(cli) = ready() else { return };
    let plugins = cli.run(&["plugin", "list"]).json();
    let manifest = |engine: &str| {
        format!("name = \"adder\"\nversion = \"1.0.0\"\nkind = \"tool\"\n\n[script]\nengine = \"{engine}\"\n")
    };
    cli.write("wasmill.toml", manifest(plugins[0]["digest"].as_str().unwrap()));
    cli.run(&["plugin", "sign", "sum.js"]).expect_code(0);
    cli.run(&["plugin", "install", "sum.js"]).expect_code(0);
    assert_eq!(cli.run(&["tool", "call", "adder", "sum", r#"{"text": "20 22"}"#]).json(), json!(42));
    cli.write("wasmill.toml", manifest(&"0".repeat(64)).replace("1.0.0", "1.0.1"));
    cli.run(&["plugin", "sign", "sum.js"]).expect_code(0);
    cli.run(&["plugin", "install", "sum.js"]).expect_code(0);
    // The one whose engine is here stays the newest that can be called.
    assert_eq!(cli.run(&["tool", "call", "adder", "sum", r#"{"text": "20 22"}"#]).json(), json!(42));
    assert_eq!(cli.run(&["tool", "call", "adder@1.0.1", "sum", "{}"]).problem(5).code, "tool.refused");
    cli.write("sum.js", [0xff, 0xfe]);
    assert_eq!(cli.run(&["plugin", "sign", "sum.js"]).problem(2).code, "component.invalid");
}
