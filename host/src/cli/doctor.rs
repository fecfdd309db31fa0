//! `wasmill doctor`

use clap::Args;
use console::style;
use serde::Serialize;

use super::Context;
use super::progress::Progress;
use crate::doctor::{Finding, Level, examine};
use crate::problem::{Problem, ProblemKind};

/// Says what is missing on this machine, and how to get it.
#[derive(Debug, Args)]
#[command(after_help = "Looks and changes nothing. Ends with 1 where something fails that a host needs; warnings are
about what only some need, as making tools from source.

Examples:
  wasmill doctor
  wasmill doctor --output json")]
pub(super) struct Doctor;

#[derive(Serialize)]
struct Report {
    healthy: bool,
    findings: Vec<Finding>,
}

impl Doctor {
    pub async fn run(self, cx: &Context) -> Result<(), Problem> {
        let progress = Progress::start(cx.output, "Looking at this machine");
        let findings = examine(&cx.root).await;
        drop(progress);
        let failed = findings.iter().filter(|finding| finding.level == Level::Fail).count();
        cx.output.show(&Report { healthy: failed == 0, findings }, human)?;
        if failed == 0 {
            return Ok(());
        }
        let message = format!("{failed} of the things that a host needs fail");
        Err(Problem::new(ProblemKind::Failed, "doctor.failed", message, "See the lines marked `fail`."))
    }
}

fn human(report: &Report) -> String {
    let width = report.findings.iter().map(|finding| finding.check.len()).max().unwrap_or(0);
    let line = |finding: &Finding| {
        let mark = match finding.level {
            Level::Ok => style("ok  ").green(),
            Level::Warn => style("warn").yellow().bold(),
            Level::Fail => style("fail").red().bold(),
        };
        let next = if finding.next.is_empty() { String::new() } else { format!(" → {}", finding.next) };
        format!("{mark}  {:width$}  {}{next}", finding.check, finding.says)
    };
    report.findings.iter().map(line).collect::<Vec<_>>().join("\n")
}
