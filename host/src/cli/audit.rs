//! `wasmill audit`

use clap::{Args, Subcommand};
use console::style;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Context;
use super::forge::path_with;
use super::output::{printable, table};
use super::progress::Progress;
use crate::audit::{AuditReport, ChainReport, Fault, TopicSeen};
use crate::problem::{Problem, ProblemKind};
use crate::store::AuditRow;

/// Most characters of a detail in lists.
const DETAIL_SHOWN: usize = 80;

/// Verbs of `audit`.
#[derive(Debug, Subcommand)]
pub(super) enum Audit {
    /// List who tried what and what came of it, the newest first
    #[command(after_help = "Examples:
  wasmill audit list
  wasmill audit list --principal agent:courier --limit 20
  wasmill audit list --output json")]
    List(List),
    /// Say whether rows of the trail were changed, swapped or taken away
    #[command(after_help = "Holds the rows against their hashes and against the checkpoints that hosts have signed: in
the database, in this home, and on the topic. Ends with 1 and the code audit.broken where one of them does not fit.

Examples:
  wasmill audit verify
  wasmill audit verify --chain approvals
  wasmill audit verify --output json")]
    Verify(Verify),
}

/// Lists.
#[derive(Debug, Args)]
pub(super) struct List {
    /// Only what this one tried, such as agent:courier
    #[arg(long)]
    principal: Option<String>,
    /// Most rows to list
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
}

/// Verifies.
#[derive(Debug, Args)]
pub(super) struct Verify {
    /// Only this chain, as `wasmill audit verify` names it
    #[arg(long)]
    chain: Option<String>,
}

impl Audit {
    pub async fn run(self, cx: &Context) -> Result<(), Problem> {
        match self {
            Self::List(command) => command.run(cx).await,
            Self::Verify(command) => command.run(cx).await,
        }
    }
}

impl List {
    async fn run(self, cx: &Context) -> Result<(), Problem> {
        let mut query = vec![("limit", self.limit.to_string())];
        query.extend(self.principal.map(|principal| ("principal", principal)));
        let rows: Vec<AuditRow> = cx.client().await?.get(&path_with("/v1/audit", &query)?).await?;
        cx.output.show(&rows, |rows| {
            if rows.is_empty() {
                return "Nothing is in the audit trail.".to_owned();
            }
            table(["AT", "CHAIN", "ROW", "WHO", "WHAT", "DECISION", "DETAIL"], rows.iter().map(cells))
        })
    }
}

impl Verify {
    async fn run(self, cx: &Context) -> Result<(), Problem> {
        let query: Vec<(&str, String)> = self.chain.into_iter().map(|chain| ("chain", chain)).collect();
        let path = path_with("/v1/audit/verify", &query)?;
        let progress = Progress::start(cx.output, "Verifying the audit trail");
        let report: AuditReport = cx.client().await?.get(&path).await?;
        drop(progress);
        cx.output.show(&report, human)?;
        let faults = report.fault_count();
        if faults == 0 {
            return Ok(());
        }
        let message = format!("the audit trail is not what was written: {faults} faults");
        let next = "See docs/audit.md for what each of them says; keep this home's audit.jsonl.";
        Err(Problem::new(ProblemKind::Failed, "audit.broken", message, next))
    }
}

fn cells(row: &AuditRow) -> [String; 7] {
    [
        time(row.at_ms),
        printable(&row.chain),
        row.seq.to_string(),
        printable(&row.principal),
        short(&row.action, DETAIL_SHOWN),
        printable(&row.decision),
        short(&row.detail, DETAIL_SHOWN),
    ]
}

fn human(report: &AuditReport) -> String {
    let mut lines: Vec<String> = report.chains.iter().flat_map(of_chain).collect();
    if lines.is_empty() {
        lines.push("Nothing is in the audit trail.".to_owned());
    }
    if report.unreadable_lines > 0 {
        lines.push(bad(&format!("{} lines of audit.jsonl are no checkpoints", report.unreadable_lines)));
    }
    match &report.topic {
        TopicSeen::Read => {}
        TopicSeen::None => lines.push("There is no topic of the trail to compare with.".to_owned()),
        TopicSeen::Failed(reason) => lines.push(format!("The topic was not compared: {}", printable(reason))),
    }
    lines.join("\n")
}

fn of_chain(chain: &ChainReport) -> Vec<String> {
    let mark = if chain.fault_count() == 0 { style("ok    ").green() } else { style("broken").red().bold() };
    let ChainReport { rows, from, to, checkpoints, signed_to, .. } = chain;
    let mut head =
        format!("{mark}  {}: {rows} rows, {from} to {to}, {checkpoints} checkpoints", printable(&chain.chain));
    match signed_to {
        0 => head.push_str(", nothing signed"),
        signed if signed < to => head.push_str(&format!(", signed up to {signed}")),
        _ => {}
    }
    match chain.hashed_from {
        Some(first) if first > *from => {
            head.push_str(&format!("; the chain begins at row {first}: older rows have no hash"));
        }
        None if *rows > 0 => head.push_str("; no row has a hash"),
        _ => {}
    }
    let fault = |fault: &Fault| bad(&format!("row {} {}: {}", fault.seq, fault.kind.word(), printable(&fault.says)));
    let mut lines: Vec<String> = std::iter::once(head).chain(chain.faults.iter().map(fault)).collect();
    if chain.more_faults > 0 {
        lines.push(bad(&format!("and {} more", chain.more_faults)));
    }
    lines
}

fn bad(text: &str) -> String {
    format!("  {} {text}", style("✗").red())
}

fn short(text: &str, most: usize) -> String {
    let line = printable(text).replace(['\n', '\t'], " ");
    if line.chars().count() <= most { line } else { line.chars().take(most).chain(['…']).collect() }
}

fn time(ms: i64) -> String {
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000).ok();
    let at = at.and_then(|at| at.replace_millisecond(0).unwrap_or(at).format(&Rfc3339).ok());
    at.unwrap_or_else(|| ms.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::FaultKind;

    fn chain() -> ChainReport {
        ChainReport {
            chain: "h\x1b[2Jost".into(),
            rows: 9,
            from: 1,
            to: 10,
            hashed_from: Some(3),
            checkpoints: 2,
            signed_to: 8,
            faults: vec![Fault { seq: 4, kind: FaultKind::Missing, says: "row 4 is missing".into() }],
            more_faults: 0,
        }
    }

    #[test]
    fn a_person_sees_what_a_chain_is_held_by_and_each_fault() {
        let report = AuditReport { chains: vec![chain()], unreadable_lines: 1, topic: TopicSeen::None };
        let shown = console::strip_ansi_codes(&human(&report)).into_owned();
        assert!(shown.contains("9 rows, 1 to 10, 2 checkpoints, signed up to 8; the chain begins at row 3"), "{shown}");
        assert!(
            shown.contains("row 4 missing: row 4 is missing") && shown.contains("1 lines of audit.jsonl"),
            "{shown}"
        );
        assert!(!shown.contains('\x1b') && report.fault_count() == 2, "{shown}");
    }
}
