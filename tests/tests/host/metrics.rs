//! What Prometheus reads: figures are those of the work that was done, and a stranger's parser understands the text.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use wasmill_tests::binary::Cli;
use wasmill_tests::parts::{self, require};
use wasmill_tests::replay::{Recorded, Replay};
use wasmill_tests::scratch::PATIENCE;
use wasmill_tests::server::until;
use wasmill_tests::up::Up;

use super::failures::MAY;

/// The agent that fails where a record says so, and a person who calls a tool.
fn may() -> String {
    format!("{MAY}[[row]]\nprincipal = \"client:cli\"\ntools = [\"text-metrics\"]\n")
}

/// A host that shows its metrics on a port that the system chose.
struct Shown {
    cli: Cli,
    up: Up,
    address: String,
}

impl Shown {
    fn start(cli: Cli) -> Self {
        Self::start_with(cli, "")
    }

    /// The same with more settings.
    fn start_with(cli: Cli, more: &str) -> Self {
        let settings = "[metrics]\nlisten = \"127.0.0.1:0\"\n[[tool_topics]]\nclient = \"desk\"\n";
        cli.write("home/host.toml", format!("{settings}{more}"));
        let up = Up::start(&cli);
        let url = up.greeting()["metrics"].as_str().unwrap().to_owned();
        let address = url.strip_prefix("http://").unwrap().strip_suffix("/metrics").unwrap().to_owned();
        Self { cli, up, address }
    }

    /// Head and body of an answer.
    fn ask(&self, request: &str, accept: &str) -> (String, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(stream, "{request} HTTP/1.1\r\nHost: h\r\nAccept: {accept}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(!head.to_lowercase().contains("chunked"), "{head}");
        (head.to_owned(), body.to_owned())
    }

    fn page(&self) -> String {
        self.ask("GET /metrics", "*/*").1
    }

    /// The value of one series, as it stands in the text.
    fn value(&self, series: &str) -> Option<f64> {
        let page = self.page();
        let line = page.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.map(|value| value.parse().unwrap())
    }

    /// Waits until a series has a value.
    #[track_caller]
    fn expect(&self, series: &str, wanted: f64) {
        let reached = until(PATIENCE, || self.value(series) == Some(wanted));
        assert!(reached, "{series} is not {wanted} in\n{}", self.page());
    }
}

/// A home with the agent that fails where a record says so, and a tool. `None` where they are not built.
fn home() -> Option<Cli> {
    let cli = Cli::new();
    cli.write("home/permissions.toml", may());
    cli.install("evil-agent")?;
    cli.install("text-metrics")?;
    for topic in ["evil.attacks", "evil.results"] {
        cli.run(&["topic", "create", topic]).expect_code(0);
    }
    Some(cli)
}

#[test]
fn figures_are_those_of_the_work_that_was_done() {
    let Some(cli) = home() else { return };
    // All in one batch: it fails as a whole, and then each of its rows is tried alone.
    let count = r#"{"attack":"state-count"}"#;
    let lines =
        [count, "no JSON", count, r#"{"attack":"send-and-trap"}"#, count, r#"{"attack":"send-and-fail"}"#, count];
    cli.run_with_input(&["record", "send", "evil.attacks"], lines.join("\n").as_bytes()).expect_code(0);
    let host = Shown::start(cli);
    let agent = |name: &str| format!("wasmill_agent_{name}{{agent=\"evil-agent\"}}");
    host.expect(&agent("records_total"), 7.0);
    host.expect(&agent("sent_records_total"), 4.0);
    host.expect(&agent("dead_letters_total"), 3.0);
    let errors = |kind: &str| format!("wasmill_agent_errors_total{{agent=\"evil-agent\",kind=\"{kind}\"}}");
    assert_eq!(host.value(&errors("own")), Some(3.0), "the batch, and two rows");
    assert_eq!((host.value(&errors("trap")), host.value(&errors("limit"))), (Some(1.0), Some(0.0)));
    assert_eq!(host.value(&agent("latency_seconds_count")), Some(7.0));
    assert_eq!(host.value("wasmill_agent_rounds_total{agent=\"evil-agent\",outcome=\"committed\"}"), Some(1.0));
    assert_eq!(host.value(&agent("round_duration_seconds_count")), Some(1.0));
    assert_eq!((host.value(&agent("running")), host.value(&agent("partitions"))), (Some(1.0), Some(1.0)));
    assert_eq!((host.value(&agent("instances")), host.value("wasmill_instances")), (Some(1.0), Some(1.0)));
    for series in [agent("cpu_seconds_total"), agent("memory_bytes"), "process_resident_memory_bytes".into()] {
        assert!(host.value(&series).unwrap() > 0.0, "{series}");
    }
    let lag = "wasmill_agent_lag_records{agent=\"evil-agent\",topic=\"evil.attacks\",partition=\"0\"}";
    host.expect(lag, 0.0);

    // Two good calls, one that does not fit the schema, one of nothing, one that nobody allows.
    for text in ["one", "one two"] {
        let arguments = format!("{{\"text\": \"{text}\"}}");
        host.cli.run(&["tool", "call", "text-metrics", "count", &arguments]).expect_code(0);
    }
    assert_ne!(host.cli.run(&["tool", "call", "text-metrics", "count", "{}"]).code, 0);
    assert_ne!(host.cli.run(&["tool", "call", "nothing", "at-all", "{}"]).code, 0);
    assert_eq!(host.value("wasmill_tool_calls_total{tool=\"text-metrics\"}"), Some(3.0));
    assert_eq!(host.value("wasmill_tool_errors_total{tool=\"text-metrics\",kind=\"invalid\"}"), Some(1.0));
    assert_eq!(host.value("wasmill_tool_duration_seconds_count{tool=\"text-metrics\"}"), Some(3.0));
    assert_eq!(host.value("wasmill_tool_refused_calls_total"), Some(1.0));
    assert!(!host.page().contains("nothing"), "only installed names are labels");

    // An agent that may not read any more stands still, and its lag grows.
    host.cli.write("home/permissions.toml", may().replace("topics.read = [\"evil.attacks\"]\n", ""));
    host.expect(&agent("running"), 0.0);
    host.cli.run_with_input(&["record", "send", "evil.attacks"], [count; 5].join("\n").as_bytes()).expect_code(0);
    host.expect(lag, 5.0);
    host.expect(&agent("partitions"), 0.0);
    assert_eq!(host.value(&agent("records_total")), Some(7.0), "counters outlive a worker");
}

#[test]
fn the_port_shows_metrics_and_health_and_nothing_else() {
    let cli = Cli::new();
    let host = Shown::start(cli);
    assert_eq!(host.ask("GET /healthz", "*/*").1, "ok\n");
    for request in ["GET /", "GET /v1/status", "GET /v1/figures", "POST /v1/topics", "GET /metrics/.."] {
        assert!(host.ask(request, "*/*").0.starts_with("HTTP/1.1 404"), "{request}");
    }
    assert!(host.ask("POST /metrics", "*/*").0.starts_with("HTTP/1.1 405"));
    let (head, page) = host.ask("GET /metrics", "application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.1");
    assert!(head.contains("application/openmetrics-text; version=1.0.0") && page.ends_with("# EOF\n"), "{head}");
    // Who connects and says nothing, or half of it, holds up neither others nor the end.
    let mut silent: Vec<TcpStream> = (0..8).map(|_| TcpStream::connect(&host.address).unwrap()).collect();
    write!(silent[0], "GET /metrics HTTP/1.1\r\n").unwrap();
    assert_eq!(host.ask("GET /healthz", "*/*").1, "ok\n");
    let Shown { cli, up, .. } = host;
    drop(up);
    assert!(!cli.home().join("host.sock").exists(), "it had to be killed");
    drop(silent);
}

#[test]
fn only_so_many_connections_are_open_and_the_next_one_waits_for_its_place() {
    let host = Shown::start(Cli::new());
    let silent: Vec<TcpStream> = (0..32).map(|_| TcpStream::connect(&host.address).unwrap()).collect();
    let mut next = TcpStream::connect(&host.address).unwrap();
    write!(next, "GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").unwrap();
    next.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    let mut answer = [0; 12];
    assert!(next.read(&mut answer).is_err(), "it was answered beside all the others");
    drop(silent);
    next.set_read_timeout(Some(PATIENCE)).unwrap();
    next.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
}

#[test]
fn a_port_that_is_taken_is_named_and_the_host_does_not_start() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let cli = Cli::new();
    cli.write("home/host.toml", format!("[metrics]\nlisten = \"{address}\"\n"));
    let ended = cli.run(&["up"]).expect_code(1);
    assert!(ended.stderr.contains("metrics.listen") && ended.stderr.contains(&address), "{ended:?}");
}

/// Reads each text with the parser of its form, and gives all samples.
const PYTHON: &str = r#"
import json, sys
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client import parser as prometheus
parsers = {"openmetrics": openmetrics, "prometheus": prometheus}
families = list(parsers[sys.argv[1]].text_string_to_metric_families(sys.stdin.read()))
print(json.dumps({
    "types": {family.name: [family.type, family.unit] for family in families},
    "samples": [[s.name, s.labels, s.value] for family in families for s in family.samples],
}))
"#;

#[test]
fn a_strangers_parser_reads_both_forms() {
    let Some(python) = require(parts::prometheus_python()) else { return };
    let Some(cli) = home() else { return };
    let model = Replay::start(Recorded::Answer("I am nobody.".into())).unwrap();
    let prices = "prices = { allowed = { input = \"1000\", output = \"2000\" } }";
    let settings = format!("[model]\nurl = \"{}\"\nmodel = \"allowed\"\n{prices}\n", model.url());
    cli.allow("[[row]]\nprincipal = \"agent:evil-agent\"\nmodel = [\"allowed\"]\n");
    cli.run(&["record", "send", "evil.attacks", r#"{"attack":"model","model":"allowed"}"#]).expect_code(0);
    let host = Shown::start_with(cli, &settings);
    host.expect("wasmill_agent_records_total{agent=\"evil-agent\"}", 1.0);
    assert_eq!(host.value("wasmill_model_cost_total{principal=\"agent:evil-agent\"}"), Some(0.033));
    host.expect("wasmill_agent_lag_records{agent=\"evil-agent\",topic=\"evil.attacks\",partition=\"0\"}", 0.0);
    host.cli.run(&["tool", "call", "text-metrics", "count", "{\"text\": \"one\"}"]).expect_code(0);
    let parse = |form: &str, accept: &str| -> Value {
        let mut command = Command::new(&python);
        command.args(["-c", PYTHON, form]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut running = command.spawn().unwrap();
        let page = host.ask("GET /metrics", accept).1;
        running.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
        let output = running.wait_with_output().unwrap();
        assert!(output.status.success(), "{}\n{page}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let open = parse("openmetrics", "application/openmetrics-text; version=1.0.0");
    let plain = parse("prometheus", "*/*");
    for parsed in [&open, &plain] {
        let samples = parsed["samples"].as_array().unwrap();
        let find = |name: &str| samples.iter().find(|sample| sample[0] == name).unwrap_or_else(|| panic!("{name}"));
        assert_eq!(find("wasmill_agent_records_total")[2], 1.0);
        assert_eq!(find("wasmill_agent_records_total")[1]["agent"], "evil-agent");
        assert_eq!(find("wasmill_tool_calls_total")[2], 1.0);
        assert!(samples.iter().any(|s| s[0] == "wasmill_agent_latency_seconds_bucket" && s[1]["le"] == "+Inf"));
    }
    let types = &open["types"];
    assert_eq!(types["wasmill_agent_records"], serde_json::json!(["counter", ""]));
    assert_eq!(types["wasmill_agent_latency_seconds"], serde_json::json!(["histogram", "seconds"]));
    assert_eq!(types["wasmill_agent_memory_bytes"], serde_json::json!(["gauge", "bytes"]));
    // Every name that is shown is in the manual, and the other way round.
    let manual = std::fs::read_to_string(parts::root().join("docs/operations.md")).unwrap();
    let shown: std::collections::BTreeSet<String> =
        plain["types"].as_object().unwrap().keys().map(|name| name.trim_end_matches("_total").to_owned()).collect();
    let named: std::collections::BTreeSet<String> = manual
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split(['`', '{']).next())
        .filter(|name| name.starts_with("wasmill_") || name.starts_with("process_"))
        .map(|name| name.trim_end_matches("_total").to_owned())
        .collect();
    // What nobody has done yet is not shown, nor what this host is not told to do.
    let quiet = ["wasmill_tool_errors", "wasmill_conversation_", "wasmill_telemetry_"];
    let loud = named.into_iter().filter(|name| !quiet.iter().any(|quiet| name.starts_with(quiet)));
    assert_eq!(loud.collect::<std::collections::BTreeSet<_>>(), shown);
}
