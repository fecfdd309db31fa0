//! `cargo xtask bench`: the stated figures, on a release build.

use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::machine::Machine;
use crate::setup::kafka_version;
use crate::{guest, setup, shell};

/// Measures the figures that docs/performance.md states.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// One or several, with commas between, of permission, boundary, tool-call, density, start, growth, latency, embedded,
    /// copy, json, state, tools, gateway, scripts, forge; all of them where it isn't given.
    #[arg(long)]
    only: Option<String>,
    /// How long each rate is measured, seconds, after warming up.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=3600))]
    seconds: u32,
    /// Only this size of records, in bytes, and number of partitions: 200x1, 200x8, 2048x1 or 2048x8.
    #[arg(long)]
    shape: Option<String>,
    /// `human` for a table, `json` for an array of {"name", "value", "unit", "reach", "met"}.
    #[arg(long, default_value = "human", value_parser = ["human", "json"])]
    output: String,
}

/// Builds plugins, the Kafka Streams program and benchmarks, then measures. A missed figure is printed as one and is no
/// failure.
///
/// # Errors
/// When something can't be built or measured.
pub fn command(machine: &Machine, args: &Args) -> Result<ExitCode> {
    setup::ensure(machine, setup::Purpose::Test)?;
    guest::build_plugins(machine)?;
    let wants = |name: &str| args.only.as_deref().is_none_or(|only| only.split(',').any(|only| only == name));
    if wants("json") || wants("state") {
        build_kafka_streams(machine)?;
    }
    let mut bench = Command::new("cargo");
    bench.current_dir(&machine.root).args([
        "bench",
        "--quiet",
        "--package",
        "wasmill-tests",
        "--bench",
        "figures",
        "--",
    ]);
    bench.arg(format!("--seconds={}", args.seconds));
    if args.output == "json" {
        bench.arg("--json");
    }
    if let Some(only) = &args.only {
        bench.arg(format!("--only={only}"));
    }
    if let Some(shape) = &args.shape {
        bench.arg(format!("--shape={shape}"));
    }
    // Not by `shell::run`: its table is this chore's answer.
    let status = bench.status()?;
    anyhow::ensure!(status.success(), "the benchmarks ended with {status}");
    Ok(ExitCode::SUCCESS)
}

/// Compiles the Kafka Streams program, for the version of the broker, and gets its libraries: into target/kafka-streams.
fn build_kafka_streams(machine: &Machine) -> Result<()> {
    let libs = machine.root.join("target/kafka-streams/libs");
    let version = kafka_version(machine)?;
    if libs.exists() && !libs.join(format!("kafka-streams-{version}.jar")).is_file() {
        std::fs::remove_dir_all(&libs)?;
    }
    let mut maven = Command::new("mvn");
    maven.args(["--quiet", "--batch-mode", "compile", "dependency:copy-dependencies"]);
    maven.arg(format!("-Dkafka.version={version}"));
    shell::run(maven.current_dir(machine.root.join("tests/benches/kafka-streams")))
}
