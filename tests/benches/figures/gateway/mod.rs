//! Many clients of one host's gateway at once, on this machine's own address.

mod client;

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures::future::{join_all, try_join_all};
use serde_json::Value;
use wasmill_tests::binary::Cli;
use wasmill_tests::up::Up;

use crate::{Options, Row, median};
use client::Client;

/// Tool calls at the same time.
const CALLS: usize = 1000;
/// Calls of each of them, one after the other.
const CALLS_EACH: usize = 5;
/// Conversations at the same time.
const TALKS: usize = 500;
/// Clients that listen and hear nothing.
const IDLE: usize = 10_000;
/// Clients that never end their request, and clients that listen and take nothing.
const BROKEN: usize = 200;
/// How long those who only listen are left alone.
const QUIET: Duration = Duration::from_secs(20);
/// Calls of which the median is set beside another.
const PROBES: usize = 300;

const CALL: &str = r#"{"function":"count","arguments":{"text":"one two three"}}"#;
const MAY: &str = "[[row]]\nprincipal = \"client:load\"\nhost = [\"talk\", \"read\"]\ntools = [\"text-metrics\"]\n\
    [[row]]\nprincipal = \"agent:concierge\"\ntools = [\"text-metrics\"]\n\
    topics.read = [\"conversation.inbound\", \"concierge.steps\"]\n\
    topics.write = [\"conversation.outbound\", \"concierge.steps\"]\n";

/// A host, and how to reach it.
struct Target {
    cli: Cli,
    _up: Up,
    address: String,
    token: String,
    process: u64,
}

/// All of them, one after the other, on one host with the embedded log.
pub async fn measure(_: Options) -> Result<Vec<Row>> {
    let target = Target::start()?;
    let mut rows = vec![calls(&target).await?];
    rows.extend(talks(&target).await?);
    let alone = target.probe().await?;
    rows.push(broken(&target, alone).await?);
    rows.extend(idle(&target, alone).await?);
    Ok(rows)
}

impl Target {
    fn start() -> Result<Self> {
        let cli = Cli::new();
        let settings = "[gateway]\nlisten = \"127.0.0.1:0\"\nconnections = 12000\n[conversations]\n";
        cli.write("home/host.toml", settings);
        cli.allow(MAY);
        for plugin in ["text-metrics", "concierge"] {
            cli.install(plugin).with_context(|| format!("{plugin} is not built"))?;
        }
        for topic in ["conversation.inbound", "conversation.outbound", "concierge.steps"] {
            cli.run(&["topic", "create", topic, "--partitions", "4"]).expect_code(0);
        }
        let up = Up::start(&cli);
        cli.status_until(|status| {
            status["conversations"]["state"] == "running" && status["agents"][0]["state"] == "running"
        });
        let console = up.greeting()["console"].as_str().unwrap_or_default().to_owned();
        let address = console.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let token = cli.run(&["token", "new", "load"]).json()["token"].as_str().unwrap_or_default().to_owned();
        ensure!(!address.is_empty() && !token.is_empty(), "the host says not where it is");
        let process = up.id().into();
        Ok(Self { cli, _up: up, address, token, process })
    }

    async fn client(&self) -> Result<Client> {
        Client::connect(&self.address, &self.token).await
    }

    /// Median of calls one after the other, seconds.
    async fn probe(&self) -> Result<f64> {
        let mut client = self.client().await?;
        let mut took = Vec::with_capacity(PROBES);
        for _ in 0..PROBES {
            let began = Instant::now();
            client.post("/v1/tools/text-metrics/calls", CALL).await?;
            took.push(began.elapsed().as_secs_f64());
        }
        Ok(median(took))
    }

    /// Resident memory of the host, KiB.
    fn memory(&self) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }
}

async fn calls(target: &Target) -> Result<Row> {
    let clients = try_join_all((0..CALLS).map(|_| target.client())).await?;
    let each = clients.into_iter().map(|mut client| {
        tokio::spawn(async move {
            let mut took = Vec::with_capacity(CALLS_EACH);
            for _ in 0..CALLS_EACH {
                let began = Instant::now();
                let answer = client.post("/v1/tools/text-metrics/calls", CALL).await?;
                ensure!(answer["result"]["words"] == 3, "{answer}");
                took.push(began.elapsed().as_secs_f64() * 1e3);
            }
            anyhow::Ok(took)
        })
    });
    let mut took = Vec::new();
    for each in join_all(each).await {
        took.extend(each??);
    }
    took.sort_by(f64::total_cmp);
    eprintln!("  {} calls: median {:.0} ms, most {:.0} ms", took.len(), took[took.len() / 2], took[took.len() - 1]);
    let p95 = took.get(took.len() * 95 / 100).copied().unwrap_or(f64::NAN);
    Ok(Row::at_most(format!("{CALLS} tool calls at once, p95"), p95, "ms", 200.0))
}

async fn talks(target: &Target) -> Result<Vec<Row>> {
    let pairs = try_join_all((0..TALKS).map(|n| async move {
        let path = format!("/v1/conversations/talk-{n}");
        anyhow::Ok((target.client().await?.listen(&format!("{path}/events")).await?, target.client().await?, path))
    }));
    let each = pairs.await?.into_iter().map(|(mut ears, mut mouth, path)| {
        tokio::spawn(async move {
            let began = Instant::now();
            mouth.post(&format!("{path}/messages"), r#"{"message":"one two three"}"#).await?;
            let answered = tokio::time::timeout(Duration::from_secs(60), ears.hear("message")).await;
            anyhow::Ok(matches!(answered, Ok(Ok(()))).then(|| began.elapsed().as_secs_f64()))
        })
    });
    let mut took = Vec::new();
    for each in join_all(each).await {
        took.extend(each??);
    }
    let lost = (TALKS - took.len()) as f64;
    let average = took.iter().sum::<f64>() / took.len() as f64;
    Ok(vec![
        Row::at_most(format!("{TALKS} conversations at once, average until the answer"), average, "s", 2.0),
        Row::at_most(format!("answers lost of {TALKS}"), lost, "", 0.0),
    ])
}

/// Clients that hurt only themselves.
async fn broken(target: &Target, alone: f64) -> Result<Row> {
    let halves = try_join_all((0..BROKEN).map(|_| async { target.client().await?.begin().await })).await?;
    let deaf = try_join_all((0..BROKEN).map(|n| async move {
        target.client().await?.listen(&format!("/v1/conversations/deaf-{}/events", n % 4)).await
    }));
    let deaf = deaf.await?;
    let event = |n: usize| {
        let text = "x".repeat(100_000);
        serde_json::json!({ "event_id": "e", "session_id": format!("load/deaf-{n}"), "role": "assistant", "message": text })
    };
    for n in 0..4 {
        let session = format!("load/deaf-{n}");
        let lines: String = (0..60).map(|_| format!("{}\n", event(n))).collect();
        let send = ["record", "send", "conversation.outbound", "--key", &session];
        target.cli.run_with_input(&send, lines.as_bytes()).expect_code(0);
    }
    let beside = target.probe().await?;
    let status: Value = target.cli.run(&["status"]).json();
    eprintln!("  slow clients that were let go: {}", status["conversations"]["slow"]);
    drop((halves, deaf));
    let name = format!("tool call beside {BROKEN} half-open and {BROKEN} slow clients, to one alone");
    Ok(Row::at_most(name, beside / alone, "×", 1.5))
}

async fn idle(target: &Target, alone: f64) -> Result<Vec<Row>> {
    let before = target.memory()?;
    let mut ears = Vec::with_capacity(IDLE);
    for first in (0..IDLE).step_by(250) {
        let some = (first..first + 250)
            .map(|n| async move { target.client().await?.listen(&format!("/v1/conversations/idle-{n}/events")).await });
        ears.extend(try_join_all(some).await?);
    }
    let each = (target.memory()? - before) / IDLE as f64;
    let beside = target.probe().await?;
    tokio::time::sleep(QUIET).await;
    let held = ears.iter_mut().map(|ears| usize::from(ears.is_open())).sum::<usize>();
    let listeners = target.cli.run(&["status"]).json()["conversations"]["listeners"].as_u64().unwrap_or_default();
    eprintln!("  the host counts {listeners} listeners");
    Ok(vec![
        Row::at_least("idle SSE clients held", held as f64, "", IDLE as f64),
        Row::shown("memory of the host for each", each, "KiB"),
        Row::at_most("tool call beside them, to one alone", beside / alone, "×", 1.5),
    ])
}
