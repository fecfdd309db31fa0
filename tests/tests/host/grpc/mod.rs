//! gRPC's own Python client, which knows nothing but the .proto file, starts agents, talks with one and watches traces.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use wasmill_tests::binary::Cli;
use wasmill_tests::parts::{grpc_python, require};
use wasmill_tests::up::Up;

const MAY: &str = "[[row]]\nprincipal = \"client:ada\"\nhost = [\"read\", \"talk\"]\nagents = [\"relay\"]\n\
    topics.read = [\"relay.in\"]\ntopics.write = [\"relay.*\"]\n\
    [[row]]\nprincipal = \"client:cli\"\nagents = [\"relay\"]\ntopics.read = [\"relay.in\"]\ntopics.write = [\"relay.*\"]\n\
    [[row]]\nprincipal = \"client:bob\"\nhost = [\"read\"]\ntopics.read = [\"relay.in\"]\n\
    [[row]]\nprincipal = \"agent:ada.*\"\ntopics.read = [\"relay.in\"]\ntopics.write = [\"relay.*\"]\n\
    [[row]]\nprincipal = \"agent:concierge\"\ntools = [\"text-metrics\"]\n\
    topics.read = [\"conversation.inbound\", \"concierge.steps\"]\n\
    topics.write = [\"conversation.outbound\", \"concierge.steps\"]\n";

const TOPICS: [&str; 5] =
    ["conversation.inbound", "conversation.outbound", "concierge.steps", "relay.in", "relay.night"];

/// A host whose port for gRPC the system chose.
struct Served {
    cli: Cli,
    up: Up,
    python: PathBuf,
}

impl Served {
    fn start(settings: &str) -> Option<Self> {
        let python = require(grpc_python())?;
        let cli = Cli::new();
        cli.write("home/host.toml", format!("[conversations]\n[grpc]\nlisten = \"127.0.0.1:0\"\n{settings}"));
        cli.write("home/permissions.toml", format!("privileged = [\"http\"]\n{MAY}"));
        ["concierge", "text-metrics", "relay"].iter().try_for_each(|plugin| cli.install(plugin))?;
        for topic in TOPICS {
            cli.run(&["topic", "create", topic]).expect_code(0);
        }
        let up = Up::start(&cli);
        cli.status_until(|status| {
            let agents = status["agents"].as_array().unwrap();
            status["conversations"]["state"] == "running" && agents.iter().any(|agent| agent["state"] == "running")
        });
        Some(Self { cli, up, python })
    }

    fn token(&self, client: &str) -> String {
        self.cli.run(&["token", "new", client]).json()["token"].as_str().unwrap().to_owned()
    }

    fn command(&self, token: &str, ca: &str, ask: &[&str]) -> Command {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let url = self.up.greeting()["grpc"].as_str().unwrap().to_owned();
        let mut client = Command::new(&self.python);
        client.arg(root.join("tests/host/grpc/stranger.py")).arg(root.join("../host/proto/wasmill.proto"));
        client.arg(url.split_once("://").unwrap().1).args([token, ca]).args(ask);
        client.current_dir(self.cli.home()).stdin(Stdio::null()).stdout(Stdio::piped());
        client
    }

    /// What comes of a call.
    fn ask(&self, token: &str, ask: &[&str]) -> Vec<Value> {
        self.ask_with(token, "", ask)
    }

    fn ask_with(&self, token: &str, ca: &str, ask: &[&str]) -> Vec<Value> {
        let output = self.command(token, ca, ask).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        said.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The last thing that comes of a call.
    fn answer(&self, token: &str, ask: &[&str]) -> Value {
        self.ask(token, ask).pop().unwrap_or_else(|| panic!("nothing came of {ask:?}"))
    }
}

/// Somebody who watches, until dropped.
struct Watcher(Child, std::io::Lines<BufReader<std::process::ChildStdout>>);

impl Watcher {
    fn start(served: &Served, token: &str, trace: &str, names: &str) -> Self {
        let mut child = served.command(token, "", &["watch", trace, names]).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert_eq!(lines.next().unwrap().unwrap(), "\"watching\"");
        Self(child, lines)
    }

    fn spans(self) -> Vec<Value> {
        let Self(mut child, lines) = self;
        let spans = lines.map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap()["span"].clone()).collect();
        child.wait().unwrap();
        spans
    }
}

#[test]
fn a_client_starts_an_agent_below_its_own_name_and_nobody_else_stops_it() {
    let Some(served) = Served::start("") else { return };
    let (ada, bob) = (served.token("ada"), served.token("bob"));
    let start = ["start", "night", "relay", "relay.in", "{\"to\": \"relay.night\"}"];
    assert_eq!(served.answer(&ada, &start), json!({ "name": "ada.night", "is_new": true }));
    assert_eq!(served.answer(&ada, &start), json!({ "name": "ada.night" }), "it is there already");

    let other = ["start", "night", "relay", "relay.in", "{}"];
    let conflict = served.answer(&ada, &other);
    assert_eq!(
        (conflict["reason"].as_str(), conflict["code"].as_str()),
        (Some("agents.exists"), Some("INVALID_ARGUMENT"))
    );
    for (token, ask, code, reason) in [
        (&bob, &start[..], "PERMISSION_DENIED", "permission.denied"),
        (&ada, &["start", "n", "concierge", "relay.in", "{}"], "PERMISSION_DENIED", "permission.denied"),
        (&ada, &["start", "n", "relay", "relay.other", "{}"], "PERMISSION_DENIED", "permission.denied"),
        (&ada, &["start", "n.m", "relay", "relay.in", "{}"], "INVALID_ARGUMENT", "agents.name"),
        (&ada, &["stop", "ada.night"], "INVALID_ARGUMENT", "agents.name"),
    ] {
        let refused = served.answer(token, ask);
        assert_eq!((refused["code"].as_str(), refused["reason"].as_str()), (Some(code), Some(reason)), "{refused}");
    }

    served.cli.status_until(|status| {
        let agents = status["agents"].as_array().unwrap();
        agents.iter().any(|agent| {
            agent["agent"].as_str().is_some_and(|a| a.starts_with("ada.night")) && agent["state"] == "running"
        })
    });
    served.cli.run(&["record", "send", "relay.in", "by night"]).expect_code(0);
    let read = served.cli.run(&["record", "tail", "relay.night", "--count", "1"]);
    assert!(read.stdout.contains("by night"), "{read:?}");

    assert_eq!(served.answer(&bob, &["stop", "night"]), json!({}), "bob has started none");
    let [listed] = &served.answer(&bob, &["list"])["agents"].as_array().unwrap().clone()[..] else { panic!("one") };
    assert_eq!(
        (&listed["name"], &listed["maker"], listed.get("reason")),
        (&json!("ada.night"), &json!("client:ada"), None)
    );
    assert_eq!(served.answer(&ada, &["stop", "night"]), json!({ "was_there": true }));
    assert_eq!(served.answer(&bob, &["list"]), json!({}));

    // The same on the command line, whose client is another maker.
    let start = ["agent", "start", "relay", "--name", "day", "--read", "relay.in", "--set", "to=relay.night"];
    assert_eq!(served.cli.run(&start).json(), json!({ "name": "cli.day", "is_new": true }));
    assert_eq!(served.answer(&ada, &["stop", "day"]), json!({}), "it is not ada's");
    assert_eq!(served.cli.run(&["agent", "list"]).json()[0]["maker"], "client:cli");
    served.cli.run(&["agent", "stop", "cli.day"]).expect_code(0);
    let denied = served.cli.run(&["agent", "start", "concierge", "--name", "c", "--read", "relay.in"]).problem(3);
    assert_eq!(denied.code, "permission.denied");
    let audit = served.cli.run(&["audit", "list"]).stdout;
    assert!(audit.contains("start relay as night") && audit.contains("stop night"), "{audit}");
}

#[test]
fn a_conversation_and_its_trace_are_followed() {
    let Some(served) = Served::start("") else { return };
    let ada = served.token("ada");
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let watcher = Watcher::start(&served, &ada, trace, "execute_tool");
    let others = Watcher::start(&served, &ada, "", "execute_tool");
    let traceparent = format!("00-{trace}-b7ad6b7169203331-01");
    let heard = served.ask(&ada, &["talk", "trip", "How long is this?", "5", &traceparent]);
    let events: Vec<&str> = heard.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["open", "sent", "tool", "tool", "message"], "{heard:?}");
    let last: Value = serde_json::from_str(heard[4]["data"].as_str().unwrap()).unwrap();
    assert_eq!(last["session_id"], "ada/trip");
    assert!(!heard[4]["id"].as_str().unwrap().is_empty());

    for spans in [watcher.spans(), others.spans()] {
        let tool = spans.last().unwrap();
        assert_eq!(tool["name"], "execute_tool text-metrics");
        assert_eq!((&tool["trace_id"], &tool["kind"]), (&json!(trace), &json!("SPAN_KIND_INTERNAL")));
        let attributes = tool["attributes"].as_array().unwrap();
        assert!(attributes.contains(&json!({ "key": "gen_ai.tool.name", "text": "text-metrics" })), "{tool}");
        assert!(tool["parent_span_id"].as_str().is_some_and(|id| id.len() == 16));
    }
}

#[test]
fn who_may_not_is_told_so_and_what_does_not_fit_is_refused() {
    let Some(served) = Served::start("") else { return };
    let (ada, bob) = (served.token("ada"), served.token("bob"));
    let of =
        |answer: Value| (answer["code"].as_str().unwrap().to_owned(), answer["reason"].as_str().unwrap().to_owned());
    let pair = |code: &str, reason: &str| (code.to_owned(), reason.to_owned());
    assert_eq!(of(served.answer("", &["list"])), pair("UNAUTHENTICATED", "request.token"));
    assert_eq!(of(served.answer("wrong", &["list"])), pair("UNAUTHENTICATED", "request.token"));
    let denied = served.answer(&bob, &["talk", "trip", "hello", "1", ""]);
    assert!(denied["next"].as_str().unwrap().contains("host = [\"talk\"]"), "{denied}");
    assert_eq!(of(denied), pair("PERMISSION_DENIED", "permission.denied"));
    assert_eq!(of(served.answer(&ada, &["message-first", "3"])), pair("INVALID_ARGUMENT", "conversation.turn"));
    assert_eq!(of(served.answer(&ada, &["message-first", "600000"])), pair("OUT_OF_RANGE", ""));
    assert_eq!(of(served.answer(&ada, &["watch", "no trace", "x"])), pair("INVALID_ARGUMENT", "trace.id"));
    assert_eq!(of(served.answer(&ada, &["talk", "a b", "hello", "1", ""])).0, "INVALID_ARGUMENT");

    // A token that is taken away ends what its client watches.
    let mut watcher = Watcher::start(&served, &bob, "", "nothing");
    served.cli.write("home/permissions.toml", "");
    let end: Value = serde_json::from_str(&watcher.1.next().unwrap().unwrap()).unwrap();
    assert_eq!(end["code"], "PERMISSION_DENIED");
    watcher.0.wait().unwrap();
}
