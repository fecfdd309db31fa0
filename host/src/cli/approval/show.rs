//! `wasmill approval show`

use clap::Args;
use console::style;

use super::super::Context;
use super::super::progress::Progress;
use super::standing;
use crate::approvals::{Case, CaseDetail, CaseState};
use crate::forge::Findings;
use crate::permissions::Column;
use crate::problem::Problem;

/// Shows one case.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// NAME, or NAME@VERSION
    reference: wasmill_registry::Reference,
}

impl Show {
    pub async fn run(self, cx: &Context) -> Result<(), Problem> {
        let progress = Progress::start(cx.output, "Verifying components");
        let path = format!("/v1/approvals/{}", self.reference);
        let detail: CaseDetail = cx.client().await?.get(&path).await?;
        drop(progress);
        cx.output.show(&detail, render)
    }
}

fn render(detail: &CaseDetail) -> String {
    let case = &detail.case;
    let mut text = format!("{} {}\n", style(&case.component).bold(), standing(&case.state));
    if !case.description.is_empty() {
        text.push_str(&format!("{}\n", case.description));
    }
    let from = match &case.maker {
        Some(maker) => format!("made for {maker}, signed by {} ({})", case.signer.name, case.signer.role),
        None => format!("published, signed by {} ({})", case.signer.name, case.signer.role),
    };
    text.push_str(&format!("{from}\n  component {}\n  manifest  {}\n", case.digest, case.manifest_digest));
    text.push_str(&permissions(case));
    if !detail.imports.is_empty() {
        text.push_str(&format!("it imports\n  {}\n", detail.imports.join("\n  ")));
    }
    if let Some(source) = &detail.source {
        text.push_str(&format!("its source, {} lines\n", source.lines().count()));
        let lines = source.lines().enumerate();
        lines.for_each(|(number, line)| text.push_str(&format!("{:>5} │ {}\n", number + 1, plain(line))));
    }
    if let Some(provenance) = &detail.provenance {
        let examined = Findings::read(&provenance["runDetails"]["metadata"]["examined"]);
        let lines: String =
            examined.iter().flat_map(Findings::lines).map(|line| format!("  {}\n", plain(&line))).collect();
        if !lines.is_empty() {
            text.push_str(&format!("how it was tried\n{lines}"));
        }
        let pretty = serde_json::to_string_pretty(provenance).unwrap_or_default();
        text.push_str(&format!("how it was made\n  {}\n", plain(&pretty).replace('\n', "\n  ")));
    }
    if !matches!(case.state, CaseState::Granted { .. }) {
        text.push_str(&format!("approve exactly this with: wasmill approval grant {}\n", case.component));
    }
    text.trim_end().to_owned()
}

fn permissions(case: &Case) -> String {
    let mut text = format!("it would have (risk class {}, matrix revision {})\n", case.risk, case.revision);
    for column in Column::ALL {
        let cell = column.cell(&case.permissions);
        if !cell.is_empty() {
            let mark = if case.privileged.iter().any(|word| word == column.word()) { "*" } else { " " };
            text.push_str(&format!("  {mark} {:<14} {}\n", column.word(), cell.join(", ")));
        }
    }
    text.push_str("  * needs the approval\n");
    text
}

/// Text that an agent wrote, without the control characters that could make a terminal show something else.
fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() && c != '\n' && c != '\t' { char::REPLACEMENT_CHARACTER } else { c })
        .collect()
}
