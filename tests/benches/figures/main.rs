//! The figures that this project states, measured in one run: `cargo xtask bench`.
//!
//! Each row says what it reached and what it should reach. Rates are set against something named that does the same
//! work in the same run; nothing here is a test, and a missed figure is printed as one.

mod boundary;
mod copy;
mod density;
mod forge;
mod kafka;
mod permission;
mod tool_call;

use std::io::Write;

use anyhow::{Context, Result};
use serde::Serialize;

/// One figure.
#[derive(Debug, Serialize)]
struct Row {
    name: &'static str,
    value: f64,
    unit: &'static str,
    reach: String,
    met: bool,
}

impl Row {
    /// A figure that should be at most `limit`.
    fn at_most(name: &'static str, value: f64, unit: &'static str, limit: f64) -> Self {
        Self { name, value, unit, reach: format!("<= {limit}"), met: value <= limit }
    }

    /// A figure that should be at least `limit`.
    fn at_least(name: &'static str, value: f64, unit: &'static str, limit: f64) -> Self {
        Self { name, value, unit, reach: format!(">= {limit}"), met: value >= limit }
    }
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let json = arguments.iter().any(|a| a == "--json");
    // `cargo bench` adds `--bench`, which means nothing here.
    let only = arguments.iter().find_map(|a| a.strip_prefix("--only="));
    let mut rows = Vec::new();
    for (name, measure) in MEASURES {
        if only.is_some_and(|only| only != *name) {
            continue;
        }
        eprintln!("measuring: {name}");
        // A runtime of its own: what one measure leaves behind must not slow the next.
        let runtime = tokio::runtime::Runtime::new()?;
        rows.extend(runtime.block_on(measure()).with_context(|| (*name).to_owned())?);
    }
    let mut out = std::io::stdout().lock();
    if json {
        writeln!(out, "{}", serde_json::to_string_pretty(&rows)?)?;
        return Ok(());
    }
    writeln!(out, "{:<58} {:>14} {:<10} {:>12}", "figure", "value", "unit", "reach")?;
    for row in rows {
        let met = if row.met { "" } else { "  missed" };
        writeln!(out, "{:<58} {:>14.3} {:<10} {:>12}{met}", row.name, row.value, row.unit, row.reach)?;
    }
    Ok(())
}

type Rows = Result<Vec<Row>>;
type Measured = std::pin::Pin<Box<dyn Future<Output = Rows>>>;

/// One or a few figures that belong together.
type Measure = fn() -> Measured;

const MEASURES: &[(&str, Measure)] = &[
    ("permission", || Box::pin(permission::measure())),
    ("boundary", || Box::pin(boundary::measure())),
    ("tool-call", || Box::pin(tool_call::measure())),
    ("density", || Box::pin(density::measure())),
    ("embedded", || Box::pin(copy::measure())),
    ("kafka", || Box::pin(kafka::measure())),
    ("forge", || Box::pin(forge::measure())),
];

/// The middle one of many measurements.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
