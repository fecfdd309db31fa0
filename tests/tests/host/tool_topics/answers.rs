//! What becomes of requests, on both logs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use wasmill::home::{HostConfig, ToolTopicsConfig};
use wasmill::streams::kafka::{KafkaConfig, KafkaStreams};
use wasmill::streams::{Batch, Record};
use wasmill_tests::kafka::Kafka;
use wasmill_tests::scratch::{PATIENCE, Running, Scratch};
use wasmill_tests::server::until;

use super::{DESK_MAY, request};

const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// A host that answers, on topics of one partition.
pub struct Desk {
    scratch: Scratch,
    pair: ToolTopicsConfig,
    running: Running,
}

impl Desk {
    /// On the embedded log.
    async fn embedded() -> Self {
        let scratch = Scratch::new(DESK_MAY).await.unwrap();
        scratch.topics(&["tool.requests", "tool.results"]).await.unwrap();
        Self::open(scratch, "tool").await
    }

    /// On the shared broker, with topics of its own.
    async fn kafka(name: &str) -> Option<Self> {
        let kafka = Kafka::shared()?;
        let scratch = Scratch::new(DESK_MAY).await.unwrap().with_streams(streams(kafka));
        scratch.topics(&[&format!("{name}.requests"), &format!("{name}.results")]).await.unwrap();
        Some(Self::open(scratch, name).await)
    }

    /// With topics that are there.
    pub async fn open(mut scratch: Scratch, name: &str) -> Self {
        let text =
            format!("[[tool_topics]]\nclient = 'desk'\nrequests = '{name}.requests'\nresults = '{name}.results'\n");
        scratch.tool_topics = HostConfig::parse(&text).unwrap().tool_topics;
        let pair = scratch.tool_topics[0].clone();
        for plugin in ["evil", "text-metrics", "json-query"] {
            scratch.install(plugin).unwrap();
        }
        let running = scratch.run().await.unwrap();
        Self { scratch, pair, running }
    }

    pub async fn send(&self, values: Vec<Option<Vec<u8>>>) {
        let records = values.into_iter().map(|value| Record { value, ..Record::default() }).collect();
        self.scratch.streams().append(&self.pair.requests, records).await.unwrap();
    }

    pub async fn results(&self, count: usize) -> Batch {
        self.scratch.wait_for(&self.pair.results, count).await.unwrap()
    }

    pub async fn letters(&self, count: usize) -> Batch {
        self.scratch.wait_for(&format!("{}.dlq", self.pair.requests), count).await.unwrap()
    }

    /// Sends requests, and gives their answers by `request_id`.
    async fn ask(&self, requests: &[Value]) -> BTreeMap<String, Value> {
        self.send(requests.iter().map(wire).collect()).await;
        let batch = self.results(requests.len()).await;
        let answers = values(&batch).into_iter();
        answers.map(|answer| (answer["metadata"]["request_id"].as_str().unwrap().to_owned(), answer)).collect()
    }

    pub async fn stop(self) {
        self.running.stop().await.unwrap();
    }
}

/// The log of a broker.
pub fn streams(kafka: &Kafka) -> Arc<KafkaStreams> {
    Arc::new(KafkaStreams::connect(&KafkaConfig::plaintext([kafka.address()]), &|_| None).unwrap())
}

pub fn wire(request: &Value) -> Option<Vec<u8>> {
    Some(request.to_string().into_bytes())
}

pub fn values(batch: &Batch) -> Vec<Value> {
    (0..batch.len()).map(|row| serde_json::from_slice(batch.value(row).unwrap()).unwrap()).collect()
}

pub fn header(batch: &Batch, row: usize, name: &str) -> Option<String> {
    let mut all = batch.headers.iter().flat_map(|headers| headers.of(row));
    all.find(|(n, _)| *n == name.as_bytes()).map(|(_, value)| String::from_utf8(value.to_vec()).unwrap())
}

/// Tests of a desk on both logs.
macro_rules! on_both {
    ($($name:ident),*) => {
        mod embedded { $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let desk = super::Desk::embedded().await;
                super::$name(&desk).await;
                desk.stop().await;
            }
        )* }
        mod kafka { $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let Some(desk) = super::Desk::kafka(stringify!($name)).await else { return };
                super::$name(&desk).await;
                desk.stop().await;
            }
        )* }
    };
}

on_both!(
    each_is_answered_as_it_ended,
    an_answer_has_what_came_with_its_request,
    what_is_no_request_is_set_aside_and_stops_nobody,
    sessions_go_on_together_and_each_in_its_order
);

async fn each_is_answered_as_it_ended(desk: &Desk) {
    let text = json!({ "text": "one two three" });
    let empty = json!({});
    let hasty = |mut request: Value| {
        request["metadata"]["deadline_ms"] = json!(400);
        request
    };
    let cases = [
        (request("well", "a", "text-metrics/count", &text), "success", ""),
        (request("one-name", "a", "text-metrics__count", &text), "success", ""),
        (request("version", "a", "text-metrics@0.1.0/count", &text), "success", ""),
        (request("arguments", "b", "text-metrics/count", &json!({ "text": 7 })), "error", "tool.arguments"),
        (request("function", "b", "text-metrics/no-such", &empty), "error", "tool.function"),
        (request("no-name", "b", "text-metrics", &empty), "error", "tool.name"),
        (request("no-row", "c", "json-query/query", &empty), "blocked", "permission.denied"),
        (request("no-tool", "c", "xxxx-xxxxx/query", &empty), "blocked", "permission.denied"),
        (request("row-no-tool", "c", "no-such-tool/f", &empty), "error", "tool.unknown"),
        (request("pretends", "d", "evil/pretend", &empty), "error", ""),
        (request("computes", "d", "evil/loop", &empty), "timeout", "guest.limit"),
        (hasty(request("late", "e", "evil/sleep", &json!({ "ms": 9000 }))), "timeout", "tool.deadline"),
        (request("trap", "f", "evil/recursion", &empty), "error", "guest.trap"),
        (request("output", "f", "evil/huge-result", &json!({ "mib": 8 })), "error", "guest.limit"),
        (request("huge", "f", "evil/huge-result", &json!({ "mib": 2 })), "error", "record.too-large"),
    ];
    let answers = desk.ask(&cases.each_ref().map(|(request, ..)| request.clone())).await;
    for (request, status, code) in &cases {
        let answer = &answers[request["event_id"].as_str().unwrap()];
        assert_eq!(answer["status"], *status, "{answer}");
        if !code.is_empty() {
            assert_eq!(answer["payload"]["code"], *code, "{answer}");
            assert!(answer["payload"]["message"].as_str().is_some_and(|text| !text.is_empty()), "{answer}");
        }
    }
    assert_eq!(answers["well"]["payload"]["words"], 3, "{}", answers["well"]);
    let late = &answers["late"];
    assert!(late["payload"]["message"].as_str().unwrap().contains("400 ms of the request"), "{late}");
    let took = late["execution_time"].as_f64().unwrap();
    assert!(took < 5.0, "{took} s");
    // Whether there is such a tool is nobody's business who may not call it.
    let said = |id: &str| answers[id]["payload"].to_string().replace("json-query", "xxxx-xxxxx");
    assert_eq!(said("no-row"), said("no-tool"));
}

async fn an_answer_has_what_came_with_its_request(desk: &Desk) {
    let full = json!({
        "event_id": "e", "session_id": "s", "persona_id": "p", "tool_name": "evil/echo", "args": { "a": [1, null] },
        "metadata": { "tenant": "t", "more": { "b": 2 } }, "trace_context": { "traceparent": TRACE },
    });
    desk.send(vec![wire(&full)]).await;
    let batch = desk.results(1).await;
    let answer = &values(&batch)[0];
    assert_eq!((&answer["status"], &answer["payload"]), (&json!("success"), &json!({ "a": [1, null] })), "{answer}");
    for field in ["session_id", "persona_id", "tool_name", "trace_context"] {
        assert_eq!(answer[field], full[field], "{answer}");
    }
    // Without an id of its own, a request is known by its event.
    assert_eq!(answer["metadata"], json!({ "tenant": "t", "more": { "b": 2 }, "request_id": "e" }));
    let id = format!("{}-0-0", desk.pair.requests);
    assert_eq!((&answer["event_id"], batch.key(0)), (&json!(id), Some(&b"s"[..])));
    for (name, value) in [
        ("schema", "tool_result"),
        ("event_type", "tool.result"),
        ("event_id", &*id),
        ("session_id", "s"),
        ("persona_id", "p"),
        ("tenant_id", "t"),
        ("traceparent", TRACE),
        ("trace_id", "0af7651916cd43dd8448eb211c80319c"),
        ("span_id", "b7ad6b7169203331"),
    ] {
        assert_eq!(header(&batch, 0, name).as_deref(), Some(value), "{name}");
    }
}

async fn what_is_no_request_is_set_aside_and_stops_nobody(desk: &Desk) {
    let good = |id: &str| wire(&request(id, "s", "evil/echo", &json!({})));
    let mut extra = request("extra", "s", "evil/echo", &json!({}));
    extra["why"] = json!("not");
    let bad = [
        (Some(b"hello".to_vec()), "request.json"),
        (Some(b"{\"event_id\": \"\xff\"}".to_vec()), "request.json"),
        (None, "request.empty"),
        (wire(&extra), "request.fields"),
        (wire(&request(&"x".repeat(300), "s", "evil/echo", &json!({}))), "request.length"),
    ];
    let mut sent = vec![good("before")];
    sent.extend(bad.iter().map(|(value, _)| value.clone()));
    sent.push(good("after"));
    desk.send(sent).await;
    let answers = values(&desk.results(2).await);
    assert_eq!([&answers[0], &answers[1]].map(|answer| answer["metadata"]["request_id"].clone()), ["before", "after"]);
    let letters = desk.letters(bad.len()).await;
    for (row, (value, code)) in bad.iter().enumerate() {
        assert_eq!(letters.value(row), value.as_deref());
        assert_eq!(header(&letters, row, "wasmill-dlq-code").as_deref(), Some(*code));
        assert_eq!(header(&letters, row, "wasmill-dlq-agent").as_deref(), Some("client:desk"));
        assert_eq!(header(&letters, row, "wasmill-dlq-offset"), Some((row + 1).to_string()));
        assert!(header(&letters, row, "wasmill-dlq-reason").is_some_and(|reason| !reason.is_empty()));
    }
    let counted = || {
        let status = desk.running.host.tool_topics[0].status();
        (status.answers, status.dead_letters)
    };
    // They are counted after they are there.
    assert!(until(PATIENCE, || counted() == (2, 5)), "{:?}", counted());
}

async fn sessions_go_on_together_and_each_in_its_order(desk: &Desk) {
    const PAUSE_MS: u64 = 300;
    let sleeps = |sessions: usize, each: usize| -> Vec<Value> {
        let numbers = (0..each).flat_map(|n| (0..sessions).map(move |s| (n, s)));
        let nap = json!({ "ms": PAUSE_MS });
        numbers.map(|(n, s)| request(&format!("{s}-{n}"), &format!("s{s}"), "evil/sleep", &nap)).collect()
    };
    desk.ask(&sleeps(1, 1)).await;
    let began = Instant::now();
    desk.send(sleeps(8, 2).iter().map(wire).collect()).await;
    let batch = desk.results(17).await;
    let took = began.elapsed();
    assert!(took >= Duration::from_millis(2 * PAUSE_MS), "two of one session went on together: {took:?}");
    assert!(took < Duration::from_millis(8 * PAUSE_MS), "sessions waited for each other: {took:?}");
    let ids: Vec<String> =
        values(&batch).iter().map(|v| v["metadata"]["request_id"].as_str().unwrap().to_owned()).collect();
    let place = |id: String| ids[1..].iter().position(|other| *other == id).unwrap();
    for session in 0..8 {
        assert!(place(format!("{session}-0")) < place(format!("{session}-1")), "{ids:?}");
    }
}
