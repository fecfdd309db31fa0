//! The figures that this project states, measured in one run: `cargo xtask bench`.
//!
//! Each row says what it reached and what it should reach. Rates are set against something named that does the same
//! work in the same run; nothing here is a test, and a missed figure is printed as one.

mod boundary;
mod density;
mod forge;
mod gateway;
#[path = "../../../plugins/bench-kit/src/lib.rs"]
mod kit;
mod permission;
mod row;
mod scripts;
mod speed;
mod tool_call;

use std::io::Write;

use anyhow::{Context, Result, bail, ensure};

use crate::row::Row;
use crate::speed::{embedded, growth, latency, matrix, start, telemetry};

/// What was asked for.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Seconds that a rate is measured for, after warming up.
    seconds: f64,
    /// The only figures that are wanted; empty: all.
    only: &'static [String],
    /// The only size and number of partitions, as `200x1`; none: all.
    shape: Option<&'static str>,
}

impl Options {
    fn from_arguments(arguments: &[String]) -> Result<Self> {
        // `cargo bench` adds `--bench`, which means nothing here.
        let value = |name: &str| arguments.iter().find_map(|argument| argument.strip_prefix(name));
        let seconds = value("--seconds=").unwrap_or("30").parse()?;
        ensure!((1.0..=3_600.0).contains(&seconds), "--seconds is between 1 and 3600");
        let only: Vec<String> =
            value("--only=").map_or_else(Vec::new, |names| names.split(',').map(str::to_owned).collect());
        let known = || MEASURES.iter().flat_map(|(names, _)| names.iter().copied());
        for name in &only {
            let all = known().collect::<Vec<_>>().join(", ");
            ensure!(known().any(|known| known == name), "there is no figure `{name}`; there are {all}");
        }
        let shape = value("--shape=").map(str::to_owned);
        let shapes = speed::shapes();
        if let Some(shape) = shape.as_ref().filter(|shape| !shapes.contains(shape)) {
            bail!("there is no shape `{shape}`; there are {}", shapes.join(", "));
        }
        // They live as long as the program.
        Ok(Self { seconds, only: only.leak(), shape: shape.map(|shape| &*shape.leak()) })
    }

    /// Whether a figure is wanted.
    pub fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == name)
    }
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let options = Options::from_arguments(&arguments)?;
    let mut rows = Vec::new();
    for (names, measure) in MEASURES {
        let wanted: Vec<&str> = names.iter().copied().filter(|name| options.wants(name)).collect();
        if wanted.is_empty() {
            continue;
        }
        eprintln!("measuring: {}", wanted.join(", "));
        // A runtime of its own: what one measure leaves behind must not slow the next.
        let runtime = tokio::runtime::Runtime::new()?;
        rows.extend(runtime.block_on(measure(options)).with_context(|| wanted.join(", "))?);
    }
    let mut out = std::io::stdout().lock();
    if arguments.iter().any(|argument| argument == "--json") {
        writeln!(out, "{}", serde_json::to_string_pretty(&rows)?)?;
        return Ok(());
    }
    let width = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
    writeln!(out, "{:<width$} {:>14} {:<10} {:>12}", "figure", "value", "unit", "reach")?;
    for row in rows {
        let met = if row.met { "" } else { "  missed" };
        writeln!(out, "{:<width$} {:>14.3} {:<10} {:>12}{met}", row.name, row.value, row.unit, row.reach)?;
    }
    Ok(())
}

type Rows = Result<Vec<Row>>;
type Measured = std::pin::Pin<Box<dyn Future<Output = Rows>>>;

/// One or a few figures that belong together.
type Measure = fn(Options) -> Measured;

const MEASURES: &[(&[&str], Measure)] = &[
    (&["permission"], |_| Box::pin(permission::measure())),
    (&["boundary"], |_| Box::pin(boundary::measure())),
    (&["tool-call"], |_| Box::pin(tool_call::measure())),
    (&["density"], |_| Box::pin(density::measure())),
    (&["start"], |options| Box::pin(start::measure(options))),
    (&["growth"], |options| Box::pin(growth::measure(options))),
    (&["latency"], |options| Box::pin(latency::measure(options))),
    (&["embedded"], |options| Box::pin(embedded::measure(options))),
    (&["telemetry"], |options| Box::pin(telemetry::measure(options))),
    (&matrix::PARTS, |options| Box::pin(matrix::measure(options))),
    (&["gateway"], |options| Box::pin(gateway::measure(options))),
    (&["scripts"], |_| Box::pin(scripts::measure())),
    (&["forge"], |_| Box::pin(forge::measure())),
];

/// The middle one of many measurements.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
