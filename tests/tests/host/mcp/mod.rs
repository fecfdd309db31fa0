//! MCP, by the official client: over HTTP with a token, and over standard input and output.

mod client;
mod door;
mod inspector;

use serde_json::{Value, json};
use wasmill_tests::binary::{Cli, wasmill};
use wasmill_tests::parts::{self, require};
use wasmill_tests::up::Up;

pub use client::Talk;

const SUM: &str = include_str!("../../../forge/tools/sum.rs");
const FETCH: &str = include_str!("../../../forge/tools/fetch.rs");
/// What `client:desk` may do; `client:other` may do nothing.
const MAY: &str = "[[row]]\nprincipal = \"client:desk\"\nforge = [\"rust\"]\ntools = [\"text-metrics\", \"desk.*\"]\n\
    topics.read = [\"news\"]\nhttp = [{ host = \"api.example.com\", methods = [\"GET\"] }]\n\
    [[row]]\nprincipal = \"tool:desk.*\"\nhttp = [{ host = \"api.example.com\", methods = [\"GET\"] }]\n\
    [[row]]\nprincipal = \"client:hasty\"\ntools = [\"text-metrics\"]\nlimits = { tool_calls_per_minute = 1 }\n";
/// What `fetch` needs, which is privileged.
const WANTED: &str = "http = [{ host = \"api.example.com\", methods = [\"GET\"] }]";
const COUNT: &str = "text-metrics__count";

/// A host that serves MCP on a port that the system chose.
struct Mill {
    cli: Cli,
    up: Up,
    url: String,
}

impl Mill {
    fn start(more: &str) -> Option<Self> {
        let cli = Cli::new();
        cli.write("home/host.toml", format!("[mcp]\nlisten = \"127.0.0.1:0\"\n{more}"));
        cli.write("home/permissions.toml", format!("privileged = [\"http\"]\n{MAY}"));
        cli.install("text-metrics")?;
        for topic in ["news", "secret"] {
            cli.run(&["topic", "create", topic]).expect_code(0);
        }
        let up = Up::start(&cli);
        let url = up.greeting()["mcp"].as_str().unwrap().to_owned();
        Some(Self { cli, up, url })
    }

    fn with_forge() -> Option<Self> {
        let mill = Self::start("")?;
        mill.cli.run(&["forge", "prepare"]).expect_code(0);
        Some(mill)
    }

    fn token(&self, client: &str) -> String {
        self.cli.run(&["token", "new", client]).json()["token"].as_str().unwrap().to_owned()
    }

    /// The command line as words, for somebody else to run.
    fn command(&self, words: &[&str]) -> Vec<String> {
        let home = self.cli.home().display().to_string();
        let program = wasmill().display().to_string();
        [&[program.as_str(), "--home", &home], words].concat().iter().map(|word| (*word).to_owned()).collect()
    }
}

/// Both ways of negotiating: up to 2025-11-25 with sessions, and 2026-07-28 without.
const MODES: [&str; 2] = ["legacy", "auto"];

#[test]
fn a_client_lists_and_calls_what_its_token_permits() {
    let (Some(python), Some(mill)) = (require(parts::mcp_python()), Mill::start("")) else { return };
    mill.cli.run_with_input(&["record", "send", "news"], b"first\nsecond\n").expect_code(0);
    let (desk, other) = (mill.token("desk"), mill.token("other"));
    for mode in MODES {
        let mut talk = Talk::start(&python, mode, &json!({ "url": mill.url, "token": desk }));
        let tools = talk.step(json!({ "do": "list" }));
        let names: Vec<&String> = tools.as_object().unwrap().keys().collect();
        assert!(names.iter().any(|name| *name == "forge_build"), "{mode}: {names:?}");
        let function = names.iter().find(|name| name.starts_with("text-metrics__")).unwrap();
        assert_eq!(function.as_str(), COUNT, "{names:?}");
        assert_eq!(tools[COUNT]["type"], "object");

        let called = talk.step(json!({ "do": "call", "tool": COUNT, "arguments": { "text": "two words" } }));
        assert_eq!((&called["error"], &called["value"]["words"]), (&false.into(), &2.into()), "{mode}: {called}");
        let wrong = talk.step(json!({ "do": "call", "tool": COUNT, "arguments": { "text": 7 } }));
        assert_eq!(wrong["error"], true);
        assert!(wrong["text"].as_str().unwrap().contains("(tool.arguments)"), "{wrong}");
        let unknown = talk.step(json!({ "do": "call", "tool": "desk_none__nothing", "arguments": {} }));
        assert!(unknown["text"].as_str().unwrap().contains("(tool.unknown)"), "{unknown}");

        assert_eq!(talk.step(json!({ "do": "resources" })), json!(["topic://news"]));
        let news = talk.step(json!({ "do": "read", "uri": "topic://news" }));
        assert_eq!((&news["records"][1]["value"], &news["records"][1]["offset"]), (&"second".into(), &1.into()));
        assert!(talk.fails(json!({ "do": "read", "uri": "topic://secret" })).contains("may not read topic secret"));

        let mut talk = Talk::start(&python, mode, &json!({ "url": mill.url, "token": other }));
        assert_eq!(talk.step(json!({ "do": "list" })), json!({}));
        let denied = talk.step(json!({ "do": "call", "tool": COUNT, "arguments": { "text": "two words" } }));
        let said = denied["text"].as_str().unwrap();
        assert!(said.contains("(permission.denied)") && said.contains("client:other"), "{mode}: {said}");
        let source = json!({ "name": "sum", "language": "rust", "source": SUM });
        let denied = talk.step(json!({ "do": "call", "tool": "forge_build", "arguments": source }));
        assert!(denied["text"].as_str().unwrap().contains("(permission.denied)"), "{denied}");
        let builds = talk.step(json!({ "do": "call", "tool": "forge_status", "arguments": {} }));
        assert_eq!(builds["value"]["builds"], json!([]));
    }
}

#[test]
fn a_client_that_calls_too_often_is_told_when_to_come_back() {
    let (Some(python), Some(mill)) = (require(parts::mcp_python()), Mill::start("")) else { return };
    let mut talk = Talk::start(&python, "auto", &json!({ "url": mill.url, "token": mill.token("hasty") }));
    let mut call = || talk.step(json!({ "do": "call", "tool": COUNT, "arguments": { "text": "two words" } }));
    assert_eq!(call()["error"], false);
    let told = call();
    let said = told["text"].as_str().unwrap();
    assert!(said.contains("(limit.rate)") && said.contains("Retry after: "), "{said}");
}

#[test]
fn where_not_all_records_fit_the_newest_are_shown_and_the_rest_is_counted() {
    let (Some(python), Some(mill)) = (require(parts::mcp_python()), Mill::start("")) else { return };
    let lines: String = (0..10).map(|i| format!("{i}{}\n", "x".repeat(60_000))).collect();
    mill.cli.run_with_input(&["record", "send", "news"], lines.as_bytes()).expect_code(0);
    let mut talk = Talk::start(&python, "auto", &json!({ "url": mill.url, "token": mill.token("desk") }));
    let news = talk.step(json!({ "do": "read", "uri": "topic://news" }));
    let offsets: Vec<u64> =
        news["records"].as_array().unwrap().iter().map(|record| record["offset"].as_u64().unwrap()).collect();
    assert_eq!((offsets, &news["left_out"]), (vec![6, 7, 8, 9], &6.into()));
}

#[test]
fn a_client_has_tools_made_and_approved_and_calls_them() {
    let (Some(python), Some(mill)) = (require(parts::mcp_python()), Mill::with_forge()) else { return };
    let token = mill.token("desk");
    for mode in MODES {
        // One name for each: what is there already would not be asked about again.
        let [sum, fetch] = ["sum", "fetch"].map(|name| format!("{name}-{mode}"));
        let approve = mill.command(&["approval", "grant", &format!("desk.{fetch}")]);
        let mut talk = Talk::start(&python, mode, &json!({ "url": mill.url, "token": token, "on_ask": approve }));
        let source = json!({ "name": sum, "language": "rust", "source": SUM });
        let built = talk.step(json!({ "do": "call", "tool": "forge_build", "arguments": source }));
        assert_eq!(built["value"]["status"], "callable", "{mode}: {built}");
        let function = built["value"]["call"][0].as_str().unwrap();
        assert_eq!(function, format!("desk_{sum}__sum"));
        let called = talk.step(json!({ "do": "call", "tool": function, "arguments": { "text": "1 and 41" } }));
        assert_eq!((&called["error"], &called["text"]), (&false.into(), &"42".into()), "{called}");

        let broken = json!({ "name": "broken", "language": "rust", "source": "fn main() { let x: u32 = \"text\"; }" });
        let refused = talk.step(json!({ "do": "call", "tool": "forge_build", "arguments": broken }));
        assert!(
            refused["error"] == true && refused["text"].as_str().unwrap().contains("mismatched types"),
            "{refused}"
        );

        let source = json!({ "name": fetch, "language": "rust", "source": FETCH, "permissions": WANTED });
        let built = talk.step(json!({ "do": "call", "tool": "forge_build", "arguments": source }));
        assert_eq!(built["value"]["status"], "callable", "{mode}: {built}");
        let asked = built["asked"].as_array().unwrap();
        assert!(asked.len() == 1 && asked[0].as_str().unwrap().contains(&format!("desk.{fetch}@")), "{built}");
        assert!(!built["value"]["call"].as_array().unwrap().is_empty(), "{built}");
        let builds =
            talk.step(json!({ "do": "call", "tool": "forge_status", "arguments": { "name": format!("desk.{sum}") } }));
        assert_eq!(builds["value"]["builds"][0]["outcome"], "callable", "{builds}");
    }
}

#[test]
fn a_yes_of_the_client_approves_nothing() {
    let (Some(python), Some(mill)) = (require(parts::mcp_python()), Mill::with_forge()) else { return };
    let token = mill.token("desk");
    for mode in MODES {
        let name = format!("fetch-{mode}");
        let mut talk = Talk::start(&python, mode, &json!({ "url": mill.url, "token": token, "on_ask": ["true"] }));
        let source = json!({ "name": name, "language": "rust", "source": FETCH, "permissions": WANTED });
        let built = talk.step(json!({ "do": "call", "tool": "forge_build", "arguments": source }));
        assert_eq!(
            (&built["value"]["status"], &built["value"]["call"]),
            (&"waiting".into(), &json!([])),
            "{mode}: {built}"
        );
        assert_eq!(built["asked"].as_array().unwrap().len(), 1);
    }
}

#[test]
fn a_client_is_told_when_its_tools_change() {
    let (Some(python), Some(mill)) = (require(parts::mcp_python()), Mill::start("")) else { return };
    let token = mill.token("desk");
    for mode in MODES {
        mill.cli.install("text-metrics").unwrap();
        let mut talk = Talk::start(&python, mode, &json!({ "url": mill.url, "token": token }));
        assert!(talk.step(json!({ "do": "list" })).as_object().unwrap().contains_key(COUNT));
        let remove = mill.command(&["plugin", "remove", "text-metrics@0.1.0"]);
        assert_eq!(talk.step(json!({ "do": "change", "command": remove })), true, "{mode}");
        assert!(!talk.step(json!({ "do": "list" })).as_object().unwrap().contains_key(COUNT));
    }
}

#[test]
fn a_client_that_starts_its_server_itself_is_served_with_and_without_a_host() {
    let (Some(python), Some(mill)) = (require(parts::mcp_python()), Mill::start("")) else { return };
    let serve = |mode, client| {
        let command = mill.command(&["mcp", "--client", client]);
        let mut talk = Talk::start(&python, mode, &json!({ "command": command }));
        let called = talk.step(json!({ "do": "call", "tool": COUNT, "arguments": { "text": "two words" } }));
        (called["error"] == false, called["value"]["words"].clone())
    };
    for mode in MODES {
        assert_eq!(serve(mode, "desk"), (true, 2.into()), "{mode}");
        assert_eq!(serve(mode, "other"), (false, Value::Null), "{mode}");
    }
    let Mill { cli, up, url } = mill;
    drop(up);
    let mill = Mill { up: Up::start(&Cli::new()), cli, url };
    let command = mill.command(&["mcp", "--client", "desk"]);
    let mut talk = Talk::start(&python, "auto", &json!({ "command": command }));
    let called = talk.step(json!({ "do": "call", "tool": COUNT, "arguments": { "text": "two words" } }));
    assert_eq!(called["value"]["words"], 2, "{called}");
}
