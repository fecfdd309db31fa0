//! From the start of the host's process to its first record, with a hundred components installed.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use wasmill_tests::binary::Cli;
use wasmill_tests::scratch::{PATIENCE, component};
use wasmill_tests::up::Up;

use super::rig::Rig;
use crate::{Options, Row, median};

/// Components; each has its own code.
const COMPONENTS: usize = 100;
/// As many of them are agents, the others tools.
const AGENTS: usize = 20;
/// Starts that are measured.
const ROUNDS: usize = 5;

/// On the embedded log and on Kafka.
pub async fn measure(_: Options) -> Result<Vec<Row>> {
    let row = |log: &str, millis| {
        let name = format!("start with {COMPONENTS} components to the first record, {log}");
        Row::at_most(name, millis, "ms", 500.0)
    };
    let mut rows = vec![row("embedded log", first_record(None)?)];
    if let Some(rig) = Rig::start()? {
        rows.push(row("Kafka", first_record(Some(rig.address()))?));
    }
    Ok(rows)
}

/// Median of some starts, milliseconds.
fn first_record(brokers: Option<String>) -> Result<f64> {
    let cli = Cli::new();
    if let Some(brokers) = brokers {
        std::fs::write(cli.home().join("host.toml"), format!("[streams]\nbrokers = [\"{brokers}\"]\n"))?;
    }
    cli.allow("[[row]]\nprincipal = \"agent:*\"\ntopics.read = [\"start.in\"]\n");
    install(&cli)?;
    cli.run(&["topic", "create", "start.in"]).expect_code(0);
    // The first start compiles.
    send(&cli);
    let up = Up::start(&cli);
    cli.status_until(|status| {
        let agents = status["agents"].as_array().map_or(&[][..], Vec::as_slice);
        agents.len() == AGENTS && agents.iter().all(|agent| agent["records"] == 1)
    });
    drop(up);
    let mut millis = Vec::new();
    for _ in 0..ROUNDS {
        send(&cli);
        let began = Instant::now();
        let up = Up::spawn(&cli);
        wait(&cli.home().join("host.sock"), began)?;
        millis.push(began.elapsed().as_secs_f64() * 1e3);
        drop(up);
    }
    eprintln!("  starts: {millis:.0?} ms");
    Ok(median(millis))
}

fn send(cli: &Cli) {
    cli.run_with_input(&["record", "send", "start.in"], b"a record\n").expect_code(0);
}

/// Agents and tools, no two of the same bytes: each has its own compiled code.
fn install(cli: &Cli) -> Result<()> {
    let (agent, tool) = (component("relay")?, component("text-metrics")?);
    for i in 0..COMPONENTS {
        let (bytes, kind, rest) = if i < AGENTS {
            let rest = "[agent]\nreads = [\"start.in\"]\n[permissions.topics]\nread = [\"start.in\"]\n";
            (&agent, "agent", rest)
        } else {
            (&tool, "tool", "")
        };
        let (name, file) = (format!("start-{i}"), format!("start-{i}.wasm"));
        cli.write("wasmill.toml", format!("name = \"{name}\"\nversion = \"0.1.0\"\nkind = \"{kind}\"\n{rest}"));
        // A custom section: its id, its size, the length of its name, its name.
        let name = name.as_bytes();
        let section = [&[0, u8::try_from(name.len() + 1)?, u8::try_from(name.len())?], name].concat();
        cli.write(&file, [bytes.as_slice(), &section].concat());
        cli.run(&["plugin", "sign", &file]).expect_code(0);
        cli.run(&["plugin", "install", &file]).expect_code(0);
    }
    Ok(())
}

/// Waits until an agent has committed a record.
fn wait(socket: &Path, began: Instant) -> Result<()> {
    loop {
        ensure!(began.elapsed() < PATIENCE, "no record was committed");
        let agents = ask(socket).unwrap_or(Value::Null);
        let is_done = |agent: &Value| agent["records"].as_u64().is_some_and(|records| records > 0);
        if agents.as_array().is_some_and(|agents| agents.iter().any(is_done)) {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// What the agents of a host do, by its own interface.
fn ask(socket: &Path) -> Result<Value> {
    let mut stream = UnixStream::connect(socket)?;
    stream.write_all(b"GET /v1/agents HTTP/1.1\r\nHost: wasmill\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (_, body) = answer.split_once("\r\n\r\n").context("no answer")?;
    Ok(serde_json::from_str(body)?)
}
