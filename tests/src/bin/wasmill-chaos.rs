//! The long chaos run: `cargo xtask chaos` builds what it needs and calls it.

use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use wasmill_tests::chaos::{self, Options, Report};

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("failed: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<bool> {
    let (mut minutes, mut seed, mut json, mut net) = (30.0, None, false, true);
    for argument in std::env::args().skip(1) {
        match argument.split_once('=') {
            Some(("--minutes", value)) => minutes = value.parse::<f64>().context("--minutes")?,
            Some(("--seed", value)) => seed = Some(value.parse().context("--seed")?),
            Some(("--output", value)) => json = value == "json",
            None if argument == "--without-network" => net = false,
            _ => bail!("`{argument}` means nothing here"),
        }
    }
    let seed = seed.unwrap_or_else(|| SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |t| t.as_millis() as u64));
    eprintln!("seed {seed}");
    let length = Duration::try_from_secs_f64(minutes * 60.0).context("--minutes")?;
    let options = Options { length, session: Duration::from_secs(6), ..Options::short(seed, net) };
    let report = chaos::run(&options)?;
    if json {
        println!("{}", serde_json::to_string(&report)?)
    } else {
        print(&report)
    }
    Ok(report.is_clean())
}

fn print(report: &Report) {
    println!("seed          {}", report.seed);
    println!("seconds       {}", report.seconds);
    println!("inputs        {}", report.inputs);
    println!(
        "  of them     {} lost, {} doubled, {} out of order by brokers or producers",
        report.inputs_lost, report.inputs_doubled, report.inputs_out_of_order
    );
    println!("lost          {}", report.lost);
    println!("duplicates    {}", report.duplicates);
    println!("out of order  {}", report.out_of_order);
    println!("wrong counts  {}", report.wrong_counts);
    println!("unasked       {}", report.unasked);
    println!("drained       {}", report.drained);
    println!("rebalances    {}", report.rebalances);
    println!("fenced        {}", report.fenced);
    for (fault, times) in &report.faults {
        println!("{fault:<13} {times}");
    }
    for line in report.examples.iter().chain(&report.errors) {
        println!("! {line}");
    }
}
