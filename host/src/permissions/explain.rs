//! One principal explained: what it may do, by which row, and what holds it back.

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{ContentArrangement, Table};
use serde::{Deserialize, Serialize};
use wasmill_registry::Permissions;

use super::column::Column;
use super::decision::RowRef;
use super::grant::Grant;
use super::limit_name::UNLIMITED;
use super::limits::LimitOrigin;
use super::matrix::Matrix;
use super::principal::{Origin, Principal};
use super::risk::Risk;
use super::veto::VetoStatus;

/// What `wasmill permission explain` shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Explanation {
    /// Who.
    pub principal: Principal,
    /// Where it comes from.
    pub origin: Origin,
    /// Revision of the matrix.
    pub revision: String,
    /// Rows that are for it.
    pub rows: Vec<RowRef>,
    /// The highest risk class of what it may do.
    pub risk: Risk,
    /// True where it waits for an admin.
    pub awaits_approval: bool,
    /// The policy that may deny any of this, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub veto: Option<VetoStatus>,
    /// Columns in which the rows allow, or the component asks for, anything.
    pub columns: Vec<ColumnExplanation>,
    /// All limits.
    pub limits: Vec<LimitExplanation>,
}

/// One column of an explanation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ColumnExplanation {
    /// Which.
    pub column: Column,
    /// Its risk class.
    pub risk: Risk,
    /// Also needs an approval.
    pub privileged: bool,
    /// What all layers allow together.
    pub allowed: Vec<String>,
    /// What the rows say, each entry with the line it stands on.
    pub rows: Vec<String>,
    /// What the manifest asks for; none for a client.
    pub wanted: Option<Vec<String>>,
}

/// One limit of an explanation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct LimitExplanation {
    /// Key, with its unit.
    pub limit: String,
    /// Value; millionths for an amount of money; none: unlimited.
    pub value: Option<u64>,
    /// Who set it.
    pub origin: LimitOrigin,
    /// All of it as a sentence.
    pub text: String,
}

impl Matrix {
    /// Explains a grant that was compiled from this matrix; `wanted` is what the component's manifest asks for.
    pub fn explain(&self, grant: &Grant, wanted: Option<&Permissions>) -> Explanation {
        let rows: Vec<_> = self.rows_for(grant.principal()).collect();
        let column = |column: Column| {
            let said = rows.iter().flat_map(|row| {
                let line = row.line;
                column.cell(&row.permissions).into_iter().map(move |entry| format!("{entry} (line {line})"))
            });
            ColumnExplanation {
                column,
                risk: self.risks().of(column),
                privileged: self.privileged().contains(column),
                allowed: column.cell(grant.effective()),
                rows: said.collect(),
                wanted: wanted.map(|wanted| column.cell(wanted)),
            }
        };
        let says_something =
            |c: &ColumnExplanation| !c.rows.is_empty() || c.wanted.as_ref().is_some_and(|w| !w.is_empty());
        let limits = grant.limits().iter().map(|limit| LimitExplanation {
            limit: limit.name.key().to_owned(),
            value: Some(limit.value).filter(|value| *value != UNLIMITED),
            origin: limit.origin.clone(),
            text: limit.to_string(),
        });
        Explanation {
            principal: grant.principal().clone(),
            origin: grant.origin(),
            revision: self.revision().to_string(),
            rows: rows.iter().map(|r| RowRef { principal: r.principal.text().into(), line: r.line }).collect(),
            risk: grant.risk(),
            awaits_approval: grant.awaits_approval(),
            veto: self.veto().map(|veto| veto.status()),
            columns: Column::ALL.into_iter().map(column).filter(says_something).collect(),
            limits: limits.collect(),
        }
    }
}

impl Explanation {
    /// As text for a terminal of so many characters.
    pub fn render(&self, width: u16) -> String {
        let mut text = self.headline();
        if !self.columns.is_empty() {
            let mut table = Table::new();
            table.load_style(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
            let component = self.columns.iter().any(|column| column.wanted.is_some());
            let head =
                ["column", "risk", "may", "rows say"].into_iter().chain(component.then_some("manifest asks for"));
            table.set_header(head);
            for column in &self.columns {
                let name = format!("{}{}", column.column, if column.privileged { " *" } else { "" });
                let cells =
                    [name, column.risk.to_string(), or_dash(&column.allowed), or_dash(&column.rows)].into_iter();
                table.add_row(cells.chain(column.wanted.as_deref().map(or_dash)));
            }
            text.push_str(&format!("{table}\n"));
        }
        text.push_str("limits\n");
        for limit in &self.limits {
            text.push_str(&format!("  {}\n", limit.text));
        }
        text
    }

    fn headline(&self) -> String {
        let mut text = match &self.origin {
            Origin::Published => format!("{}, matrix revision {}\n", self.principal, self.revision),
            Origin::Forged { maker } => {
                format!("{}, made for {maker} and never above it, matrix revision {}\n", self.principal, self.revision)
            }
        };
        match self.rows.as_slice() {
            [] => text.push_str("no row of permissions.toml is for it, so it may do nothing\n"),
            rows => {
                let named: Vec<String> = rows.iter().map(|r| format!("{:?} (line {})", r.principal, r.line)).collect();
                text.push_str(&format!("rows for it: {}\n", named.join(", ")));
            }
        }
        text.push_str(&format!("risk class: {}\n", self.risk));
        if self.awaits_approval {
            text.push_str("it touches a privileged column (*) and waits for an admin: `wasmill approval list`\n");
        }
        match self.veto.as_ref().map(|veto| (&veto.revision, &veto.broken)) {
            None => {}
            Some((revision, None)) => {
                text.push_str(&format!(
                    "the veto policy (revision {revision}) may deny any of this: ask about one action\n"
                ));
            }
            Some((_, Some(broken))) => {
                text.push_str(&format!("nothing is allowed now: the veto policy can't be asked ({broken})\n"));
            }
        }
        text
    }
}

fn or_dash(entries: &[String]) -> String {
    if entries.is_empty() { "-".into() } else { entries.join("\n") }
}
