//! `wasmill plugin test`

use std::path::PathBuf;

use clap::Args;
use console::style;

use super::super::Context;
use super::super::progress::Progress;
use crate::problem::{Problem, ProblemKind};
use crate::trial::{Difference, Outcome, Report, find, run};

/// Tries a plugin with its cases. Needs no home.
#[derive(Debug, Args)]
pub(crate) struct Test {
    /// The plugin's folder, with wasmill.toml and cases/
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// The component [default: the newest in target/, here or in a folder above]
    #[arg(long, value_name = "FILE")]
    component: Option<PathBuf>,
}

impl Test {
    pub async fn run(self, cx: &Context) -> Result<(), Problem> {
        let found = find(&self.folder, self.component.as_deref())?;
        let progress = Progress::start(cx.output, format!("Trying {}", found.manifest.name));
        let report = run(&found).await?;
        drop(progress);
        cx.output.show(&report, shown)?;
        let all = report.cases.len();
        if report.failed > 0 {
            let message = format!("{} of {all} cases did not end as expected", report.failed);
            return Err(Problem::new(ProblemKind::Failed, "cases.failed", message, ""));
        }
        Ok(())
    }
}

fn shown(report: &Report) -> String {
    let mut lines: Vec<String> = report.cases.iter().flat_map(case).collect();
    lines.push(format!("{}: {} passed, {} failed", report.component, report.passed, report.failed));
    lines.join("\n")
}

fn case(outcome: &Outcome) -> Vec<String> {
    let Outcome { file, name, passed, micros, difference } = outcome;
    let mark = if *passed { style("pass").green() } else { style("FAIL").red().bold() };
    let millis = *micros as f64 / 1000.0;
    let mut lines = vec![format!("{mark}  {file}: {name}  {}", style(format!("{millis:.1} ms")).dim())];
    if let Some(difference) = difference {
        lines.extend(diff(difference));
    }
    lines
}

/// Lines of what was expected and what came, those alike in front and behind only once.
fn diff(difference: &Difference) -> Vec<String> {
    let text = |value| serde_json::to_string_pretty(value).unwrap_or_default();
    let (expected, got) = (text(&difference.expected), text(&difference.got));
    let (expected, got): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), got.lines().collect());
    let shorter = expected.len().min(got.len());
    let front = (0..shorter).take_while(|&i| expected[i] == got[i]).count();
    let alike_behind = |i: &usize| expected[expected.len() - 1 - i] == got[got.len() - 1 - i];
    let behind = (0..shorter - front).take_while(alike_behind).count();
    let mut lines: Vec<String> = expected[..front].iter().map(|line| format!("        {line}")).collect();
    let expected_only = &expected[front..expected.len() - behind];
    lines.extend(expected_only.iter().map(|line| style(format!("      - {line}")).red().to_string()));
    let got_only = &got[front..got.len() - behind];
    lines.extend(got_only.iter().map(|line| style(format!("      + {line}")).green().to_string()));
    lines.extend(expected[expected.len() - behind..].iter().map(|line| format!("        {line}")));
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_diff_shows_what_is_alike_once() {
        let difference = Difference { expected: json!({ "a": 1, "b": 2 }), got: json!({ "a": 1, "b": 3 }) };
        let lines: Vec<String> =
            diff(&difference).iter().map(|line| console::strip_ansi_codes(line).into_owned()).collect();
        assert_eq!(
            lines,
            ["        {", "          \"a\": 1,", "      -   \"b\": 2", "      +   \"b\": 3", "        }"]
        );
    }
}
