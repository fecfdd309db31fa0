//! The whole matrix as a grid: a row per row, a column per column, privileged ones marked.

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{ContentArrangement, Table};
use serde::{Deserialize, Serialize};

use super::column::{Column, Columns};
use super::limit_name::LimitName;
use super::matrix::Matrix;
use super::risk::Risks;

/// What `wasmill permission matrix` shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Grid {
    /// Revision of the matrix.
    pub revision: String,
    /// All columns.
    pub columns: [Column; Column::ALL.len()],
    /// The risk class of each.
    pub risks: Risks,
    /// Those that also need an approval.
    pub privileged: Columns,
    /// Rows in the order of the file.
    pub rows: Vec<GridRow>,
}

/// One row of the grid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct GridRow {
    /// Principal pattern.
    pub principal: String,
    /// Line in the file.
    pub line: u32,
    /// What each column holds, one text per entry.
    pub cells: Vec<Vec<String>>,
    /// Limits that the row sets, as `memory_mib = 64`.
    pub limits: Vec<String>,
}

impl Matrix {
    /// The whole matrix as a grid.
    pub fn grid(&self) -> Grid {
        let row = |row: &super::Row| GridRow {
            principal: row.principal.text().to_string(),
            line: row.line,
            cells: Column::ALL.iter().map(|column| column.cell(&row.permissions)).collect(),
            limits: LimitName::ALL
                .iter()
                .filter_map(|n| Some(format!("{n} = {}", n.shown(n.of(&row.limits)?))))
                .collect(),
        };
        Grid {
            revision: self.revision().to_string(),
            columns: Column::ALL,
            risks: *self.risks(),
            privileged: self.privileged(),
            rows: self.rows().iter().map(row).collect(),
        }
    }
}

impl Grid {
    /// As a table for a terminal of so many characters. Columns that no row uses are left out; privileged ones end in `*`.
    pub fn render(&self, width: u16) -> String {
        let used = |index: &usize| self.rows.iter().any(|row| !row.cells[*index].is_empty());
        let shown: Vec<usize> = (0..self.columns.len()).filter(used).collect();
        let limits = self.rows.iter().any(|row| !row.limits.is_empty());
        let mut table = Table::new();
        table.load_style(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
        let title = |index: &usize| {
            let column = self.columns[*index];
            let mark = if self.privileged.contains(column) { " *" } else { "" };
            format!("{column}{mark}\n{}", self.risks.of(column))
        };
        let head = ["line".to_string(), "principal".to_string()].into_iter().chain(shown.iter().map(title));
        table.set_header(head.chain(limits.then(|| "limits".to_string())));
        for row in &self.rows {
            let cells = [row.line.to_string(), row.principal.clone()].into_iter();
            let cells = cells.chain(shown.iter().map(|index| row.cells[*index].join("\n")));
            table.add_row(cells.chain(limits.then(|| row.limits.join("\n"))));
        }
        let mut text = format!("{table}\n");
        if !self.privileged.is_empty() {
            text.push_str(
                "* privileged: a component that may use it also needs an approval (`wasmill approval list`)\n",
            );
        }
        text.push_str(&format!("revision {}, rows: {}; what no row names is denied\n", self.revision, self.rows.len()));
        text
    }
}
