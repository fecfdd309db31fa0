//! One trace, from a client's request through Kafka, an agent, the forge and the tool that it makes.

use serde_json::json;
use wasmill_tests::binary::Cli;
use wasmill_tests::kafka::Kafka;
use wasmill_tests::otlp::{Receiver, Seen};
use wasmill_tests::replay::{Recorded, Replay};
use wasmill_tests::scratch::PATIENCE;
use wasmill_tests::server::until;

use super::mill::Mill;
use crate::logsmith::{LOGSMITH_MAY, shop};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CLIENT: &str = "b7ad6b7169203331";

fn traceparent() -> String {
    format!("00-{TRACE}-{CLIENT}-01")
}

/// Checks a span and what it is below.
#[track_caller]
fn below(span: &Seen, parent: &str, kind: &str, attributes: &[(&str, &str)]) {
    assert_eq!((span.parent.as_str(), span.kind.as_str()), (parent, kind), "{span:#?}");
    for (key, value) in attributes {
        assert_eq!(span.get(key), *value, "{key} of {span:#?}");
    }
    assert!(!span.failed, "{span:#?}");
}

#[test]
fn gateway_kafka_agent_tool_and_forge_are_one_trace() {
    let Some(kafka) = Kafka::start() else { return };
    let Some(receiver) = Receiver::start() else { return };
    let cli = Cli::new();
    let desk = "[[row]]\nprincipal = \"client:desk\"\ntopics.write = [\"logs.raw\"]\n";
    cli.write("home/permissions.toml", format!("{LOGSMITH_MAY}{desk}"));
    let streams = format!("[streams]\nbrokers = [\"{}\"]\n", kafka.address());
    cli.write("home/host.toml", &streams);
    let Some(()) = cli.install("logsmith") else { return };
    cli.run(&["forge", "prepare"]).expect_code(0);
    for topic in ["logs.raw", "logs.parsed"] {
        cli.run(&["topic", "create", topic]).expect_code(0);
    }
    // Nothing that begins here is recorded: what is, is because the client's request says so.
    let mill = Mill::start(cli, &receiver.url(), "sample_ratio = 0\nservice_name = \"mill-1\"", &streams);
    let lines = |numbers| shop(numbers).iter().map(|line| json!({ "key": "shop", "value": line })).collect::<Vec<_>>();
    mill.send("logs.raw", &lines(0..2_500), Some(&traceparent()));

    let request = receiver.wait_for(TRACE, "POST ");
    let route = "/v1/topics/{topic}/records";
    assert_eq!(request.name, format!("POST {route}"));
    let http = [("http.request.method", "POST"), ("http.route", route), ("http.response.status_code", "200")];
    below(&request, CLIENT, "SPAN_KIND_SERVER", &http);
    assert_eq!((request.resource["service.name"].as_str(), request.scope.as_str()), ("mill-1", "wasmill"));

    let send = receiver.wait_for(TRACE, "send logs.raw");
    let kafka_topic = |operation| {
        let type_ = ("messaging.operation.type", operation);
        [("messaging.system", "kafka"), ("messaging.destination.name", "logs.raw"), type_]
    };
    below(&send, &request.id, "SPAN_KIND_PRODUCER", &kafka_topic("send"));
    let header = json!([["traceparent", format!("00-{TRACE}-{}-01", send.id)]]);
    assert_eq!(mill.records("logs.raw")[0]["headers"], header);

    // A stage has the same name as the whole.
    let whole = || receiver.spans().into_iter().find(|span| !span.get("wasmill.forge.maker").is_empty());
    assert!(until(PATIENCE, || whole().is_some()), "the build has not come");
    let build = whole().unwrap();
    assert_eq!(build.name, "forge build");
    let batch = |id: &str| receiver.spans().into_iter().find(|span| span.id == id);
    assert!(until(PATIENCE, || batch(&build.parent).is_some()), "the batch that asked the forge has not come");
    let agent = batch(&build.parent).unwrap();
    assert_eq!(agent.name, "process logs.raw");
    below(&agent, &send.id, "SPAN_KIND_CONSUMER", &kafka_topic("process"));
    assert!(agent.get("wasmill.agent").starts_with("logsmith@"), "{agent:?}");
    below(&build, &agent.id, "SPAN_KIND_INTERNAL", &[("wasmill.forge.maker", "agent:logsmith")]);
    let mut stages = 0;
    for stage in ["queue", "refuse", "build", "inspect", "examine", "sign", "register"] {
        let of_build = |span: &Seen| span.get("wasmill.forge.stage") == stage && span.parent == build.id;
        let spans = receiver.spans();
        let span = spans.iter().find(|span| of_build(span)).unwrap_or_else(|| panic!("no {stage} in {spans:#?}"));
        below(span, &build.id, "SPAN_KIND_INTERNAL", &[]);
        assert!(span.nanos > 0 && span.nanos <= build.nanos, "{span:?}");
        stages += span.nanos;
    }
    assert!(stages <= build.nanos, "the stages come one after the other");

    // The tool is there now; what comes in the same trace is parsed by it.
    mill.send("logs.raw", &lines(2_500..2_510), Some(&traceparent()));
    let tool = receiver.wait_for(TRACE, "execute_tool logsmith.");
    assert!(until(PATIENCE, || batch(&tool.parent).is_some()), "the batch that called the tool has not come");
    let agent = batch(&tool.parent).unwrap();
    assert_eq!(agent.name, "process logs.raw");
    below(&tool, &agent.id, "SPAN_KIND_INTERNAL", &[("gen_ai.operation.name", "execute_tool")]);

    let commits = || receiver.spans().into_iter().find(|s| s.name == "commit" && s.parent == agent.id);
    assert!(until(PATIENCE, || commits().is_some()), "the batch's transaction has not come");
    let commit = commits().unwrap();
    below(&commit, &agent.id, "SPAN_KIND_CLIENT", &[("messaging.operation.type", "settle")]);

    // What the agent sent goes on with the trace.
    let goes_on = || {
        let traces = mill.records("logs.parsed");
        let header = |record: &serde_json::Value| record["headers"].to_string();
        traces.iter().any(|record| header(record).contains(&format!("00-{TRACE}-{}-01", agent.id)))
    };
    assert!(until(PATIENCE, goes_on), "no record of `logs.parsed` has the trace");
    assert!(receiver.spans().iter().all(|span| span.trace == TRACE), "nothing else is recorded");

    // What was done is counted too: no figure of it is still 0.
    let tool = tool.get("gen_ai.tool.name").split('@').next().unwrap().to_owned();
    for series in [
        "wasmill_agent_records_total{agent=\"logsmith\"}",
        "wasmill_agent_sent_records_total{agent=\"logsmith\"}",
        "wasmill_agent_rounds_total{agent=\"logsmith\",outcome=\"committed\"}",
        "wasmill_agent_latency_seconds_sum{agent=\"logsmith\"}",
        "wasmill_agent_round_duration_seconds_sum{agent=\"logsmith\"}",
        "wasmill_agent_cpu_seconds_total{agent=\"logsmith\"}",
        "wasmill_agent_memory_bytes{agent=\"logsmith\"}",
        "wasmill_agent_instances{agent=\"logsmith\"}",
        "wasmill_agent_partitions{agent=\"logsmith\"}",
        "wasmill_agent_running{agent=\"logsmith\"}",
        &format!("wasmill_tool_calls_total{{tool=\"{tool}\"}}"),
        &format!("wasmill_tool_duration_seconds_sum{{tool=\"{tool}\"}}"),
        "wasmill_forge_builds_total{outcome=\"callable\"}",
        "wasmill_forge_build_duration_seconds_sum",
        "wasmill_telemetry_spans_total{outcome=\"sent\"}",
        "wasmill_components{state=\"tool\"}",
        "wasmill_components{state=\"agent\"}",
        "wasmill_compiled_components",
        "wasmill_instances",
        "process_cpu_seconds_total",
        "process_resident_memory_bytes",
        "process_start_time_seconds",
    ] {
        assert!(mill.value(series) > 0.0, "{series} in\n{}", mill.page());
    }
}

#[test]
fn what_a_run_asks_is_below_its_turn_and_log_lines_say_which_it_is() {
    let Some(receiver) = Receiver::start() else { return };
    let model = Replay::start(Recorded::Answer("yes".into())).unwrap();
    let cli = Cli::new();
    let may = "[[row]]\nprincipal = \"agent:stepper\"\ntopics.read = [\"steps\"]\ntopics.write = [\"steps.done\"]\n\
        tools = [\"text-metrics\", \"nothing\"]\nmodel = [\"m\"]\nstate = true\nhttp = [{ host = \"*\", methods = [\"*\"] }]\n\
        [[row]]\nprincipal = \"client:desk\"\ntopics.write = [\"steps\"]\n";
    cli.write("home/permissions.toml", may);
    for plugin in ["stepper", "text-metrics"] {
        let Some(()) = cli.install(plugin) else { return };
    }
    for topic in ["steps", "steps.done"] {
        cli.run(&["topic", "create", topic]).expect_code(0);
    }
    let service = model.url();
    let settings = format!("[model]\nurl = \"{service}\"\nmodel = \"m\"\n");
    let mill = Mill::start(cli, &receiver.url(), "sample_ratio = 1", &settings);
    let steps = json!([
        { "call": ["text-metrics", "count", { "text": "two words" }] }, { "ask": "Is it?" }, { "get": service },
    ]);
    mill.send("steps", &[json!({ "value": steps.to_string() })], Some(&traceparent()));
    let turn = receiver.wait_for(TRACE, "process steps");
    let (run, send) = (turn.get("wasmill.run").to_owned(), receiver.wait_for(TRACE, "send steps"));
    below(&turn, &send.id, "SPAN_KIND_CONSUMER", &[("messaging.system", "wasmill_log")]);
    let tool = receiver.wait_for(TRACE, "execute_tool text-metrics");
    below(&tool, &turn.id, "SPAN_KIND_INTERNAL", &[("wasmill.tool.function", "count")]);
    let asked = [("gen_ai.operation.name", "chat"), ("gen_ai.request.model", "m")];
    below(&receiver.wait_for(TRACE, "chat m"), &turn.id, "SPAN_KIND_CLIENT", &asked);
    let host = service.strip_prefix("http://").unwrap().strip_suffix("/v1").unwrap();
    let got = [("http.request.method", "GET"), ("server.address", host), ("http.response.status_code", "200")];
    below(&receiver.wait_for(TRACE, "GET"), &turn.id, "SPAN_KIND_CLIENT", &got);
    below(&receiver.wait_for(TRACE, "commit"), &turn.id, "SPAN_KIND_CLIENT", &[]);
    let seen = format!("{:?}", receiver.spans());
    assert!(!seen.contains("two words") && !seen.contains("Is it?"), "what is asked is not for a receiver");

    // A call that is denied is a span that failed, and the line about it says where it belongs.
    let other = "1af7651916cd43dd8448eb211c80319c";
    let steps = json!([{ "call": ["json-query", "query", {}] }]).to_string();
    mill.send("steps", &[json!({ "value": steps })], Some(&format!("00-{other}-{CLIENT}-01")));
    let denied = receiver.wait_for(other, "execute_tool json-query");
    assert!(denied.failed && denied.get("error.type") == "permission.denied", "{denied:#?}");
    let log = mill.up.log();
    let line = log.lines().find(|line| line.contains("\"target\":\"permission\"")).expect("a line about the denial");
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!((&line["trace_id"], &line["span_id"]), (&other.into(), &denied.id.into()), "{line}");
    assert_eq!((&line["agent"], &line["tool"]), (&"stepper@0.1.0".into(), &"json-query".into()), "{line}");
    assert!(line["run"].as_str().is_some_and(|text| text.len() == run.len()), "{line}");
}
