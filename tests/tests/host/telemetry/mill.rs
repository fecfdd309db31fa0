//! A host that sends its traces to a receiver.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};
use wasmill_tests::binary::Cli;
use wasmill_tests::up::Up;

/// A host at work.
pub struct Mill {
    pub cli: Cli,
    pub up: Up,
    console: String,
    metrics: String,
    token: String,
}

impl Mill {
    /// Starts the host of a home whose host.toml begins with `settings`. Whoever asks its gateway is `client:desk`.
    pub fn start(cli: Cli, endpoint: &str, telemetry: &str, settings: &str) -> Self {
        let ports = "[gateway]\nlisten = \"127.0.0.1:0\"\n[metrics]\nlisten = \"127.0.0.1:0\"\n";
        let text = format!("{settings}\n{ports}[telemetry]\nendpoint = \"{endpoint}\"\n{telemetry}\n");
        cli.write("home/host.toml", text);
        let up = Up::start(&cli);
        let greeting = up.greeting();
        let address = |name: &str, end: &str| {
            let url = greeting[name].as_str().unwrap();
            url.strip_prefix("http://").unwrap().strip_suffix(end).unwrap().to_owned()
        };
        let (console, metrics) = (address("console", "/"), address("metrics", "/metrics"));
        let token = cli.run(&["token", "new", "desk"]).json()["token"].as_str().unwrap().to_owned();
        Self { cli, up, console, metrics, token }
    }

    /// Sends records by HTTP, in a request of this trace where one is given.
    pub fn send(&self, topic: &str, records: &[Value], traceparent: Option<&str>) {
        let body = json!({ "records": records }).to_string();
        self.post(&format!("/v1/topics/{topic}/records"), &body, traceparent);
    }

    /// Asks the gateway.
    pub fn post(&self, path: &str, body: &str, traceparent: Option<&str>) {
        let trace = traceparent.map(|trace| format!("traceparent: {trace}\r\n")).unwrap_or_default();
        let mut stream = TcpStream::connect(&self.console).unwrap();
        write!(
            stream,
            "POST {path} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
             {trace}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.token,
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    /// What Prometheus reads.
    pub fn page(&self) -> String {
        let mut stream = TcpStream::connect(&self.metrics).unwrap();
        write!(stream, "GET /metrics HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split_once("\r\n\r\n").unwrap().1.to_owned()
    }

    /// The value of one series; 0 where there is none.
    pub fn value(&self, series: &str) -> f64 {
        let page = self.page();
        let line = page.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.map_or(0.0, |value| value.parse().unwrap())
    }

    /// How many spans had this outcome.
    pub fn spans(&self, outcome: &str) -> f64 {
        self.value(&format!("wasmill_telemetry_spans_total{{outcome=\"{outcome}\"}}"))
    }

    /// The records of a topic.
    pub fn records(&self, topic: &str) -> Vec<Value> {
        self.cli.run(&["record", "tail", topic, "--no-follow"]).json_lines()
    }
}

/// A home with `upper`, which turns what comes to `lower` into capitals on `upper`, and a client that may send.
pub fn upper_home() -> Option<Cli> {
    let cli = Cli::new();
    let desk = "[[row]]\nprincipal = \"client:desk\"\ntopics.write = [\"lower\"]\ntools = [\"text-metrics\"]\n";
    cli.write("home/permissions.toml", format!("{}{desk}", crate::feed::UPPER_MAY));
    cli.install("upper")?;
    cli.install("text-metrics")?;
    for topic in ["lower", "upper"] {
        cli.run(&["topic", "create", topic]).expect_code(0);
    }
    Some(cli)
}
