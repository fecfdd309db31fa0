//! `wasmill plugin shadow`

use clap::Args;

use super::super::Context;
use super::super::output::{printable, table};
use super::super::progress::Progress;
use crate::capabilities::{AskedOutside, Came};
use crate::gateway::ShadowRequest;
use crate::problem::Problem;
use crate::shadow::{Compared, Given, LAST_MAX, ShadowReport, Side};

/// Characters of one cell.
const CELL_MAX: usize = 160;

/// Compares a version with the one before it.
#[derive(Debug, Args)]
pub(crate) struct ShadowRun {
    /// NAME@VERSION, or NAME for the newest version; it may wait for an admin
    reference: wasmill_registry::Reference,
    /// The last so many calls of a tool, or records of an agent's topics
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=i64::from(LAST_MAX)))]
    last: u32,
}

impl ShadowRun {
    pub async fn run(self, cx: &Context) -> Result<(), Problem> {
        let progress = Progress::start(cx.output, format!("Running {} in the shadow", self.reference));
        let (path, request) = (format!("/v1/plugins/{}/shadow", self.reference), ShadowRequest { last: self.last });
        let report: ShadowReport = cx.client().await?.post(&path, &request).await?;
        drop(progress);
        cx.output.show(&report, human)
    }
}

fn human(report: &ShadowReport) -> String {
    let ShadowReport { component, current, same, different, micros, .. } = report;
    let mut lines = Vec::new();
    if !report.differences.is_empty() {
        let version = |name: &str| name.rsplit_once('@').map_or(name, |(_, version)| version).to_owned();
        let head = ["GIVEN", "IN VERSION", "CAME OUT", "ASKED", "TOOK"];
        let rows = report.differences.iter().flat_map(|compared| {
            let Compared { given, current: one, candidate: other } = compared;
            [row(given, version(current), one), row("", version(component), other)]
        });
        lines.extend([table(head, rows), String::new()]);
    }
    let given = match report.given {
        Given::Calls => "the last calls that journals have kept",
        Given::Examples => "examples of its maker",
        Given::Records => "the last records of its topics, one at a time, with state that began empty",
    };
    lines.push(format!("{component} beside {current}, given {given}:"));
    let millis = |micros: u64| micros as f64 / 1000.0;
    lines.push(format!(
        "the same {same} times, different {different} times; {:.1} ms, before {:.1} ms",
        millis(micros.candidate),
        millis(micros.current)
    ));
    if *different as usize > report.differences.len() {
        lines.push(format!("The first {} differences are shown.", report.differences.len()));
    }
    if let Some(cut) = &report.cut {
        lines.push(format!("Not all was given: {cut}."));
    }
    lines.join("\n")
}

fn row(given: &str, version: String, side: &Side) -> [String; 5] {
    let asked: Vec<String> = side.asked.iter().map(asked).collect();
    let took = format!("{:.1} ms", side.micros as f64 / 1000.0);
    [short(given), version, short(&side.output.to_string()), short(&asked.join("; ")), took]
}

fn asked(asked: &AskedOutside) -> String {
    let came = match asked.came {
        Came::Denied => "denied",
        Came::Refused => "not in a shadow run",
        Came::Journal => "answered by the journal",
    };
    format!("{} ({came})", asked.what)
}

fn short(text: &str) -> String {
    let line = printable(text).replace(['\n', '\t'], " ");
    if line.chars().count() <= CELL_MAX { line } else { line.chars().take(CELL_MAX).chain(['…']).collect() }
}
