//! Showing answers: to a person as text, to a program as JSON.

use std::io::{self, Write};

use clap::ValueEnum;
use comfy_table::{ContentArrangement, Table, presets};
use console::style;
use serde::Serialize;

use super::exit::Exit;
use crate::problem::{Problem, ProblemKind};

/// Code of the problem that standard output was closed by its reader: `wasmill record tail x | head`.
const CLOSED: &str = "output.closed";

/// For whom answers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For a person.
    Human,
    /// For a program: JSON on standard output, problems as JSON on standard error.
    Json,
}

/// Where answers go.
#[derive(Debug, Clone, Copy)]
pub(super) struct Output {
    format: Format,
}

impl Output {
    pub fn new(format: Format) -> Self {
        Self { format }
    }

    /// True where a person reads.
    pub fn is_human(self) -> bool {
        self.format == Format::Human
    }

    /// Shows an answer: `value` as one line of JSON, or what `human` makes of it.
    pub fn show<T: Serialize>(self, value: &T, human: impl FnOnce(&T) -> String) -> Result<(), Problem> {
        match self.format {
            Format::Human => self.line(&human(value)),
            Format::Json => {
                let json = serde_json::to_string(value);
                self.line(
                    &json.map_err(|error| Problem::new(ProblemKind::Failed, "output.json", error.to_string(), ""))?,
                )
            }
        }
    }

    /// Writes one line as it is.
    pub fn line(self, text: &str) -> Result<(), Problem> {
        let mut out = io::stdout().lock();
        writeln!(out, "{text}").and_then(|()| out.flush()).map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => Problem::new(ProblemKind::Failed, CLOSED, "nobody reads any more", ""),
            _ => Problem::new(ProblemKind::Failed, "output.io", format!("can't write the answer: {error}"), ""),
        })
    }

    /// Shows a problem on standard error and says how the process ends.
    pub fn problem(self, problem: &Problem) -> Exit {
        if problem.code == CLOSED {
            // Whoever read has seen enough; that is no failure.
            return Exit::Ok;
        }
        match self.format {
            Format::Json => eprintln!("{}", serde_json::to_string(problem).unwrap_or_else(|_| problem.message.clone())),
            Format::Human => {
                let label = style(format!("error[{}]", problem.code)).for_stderr().red().bold();
                eprintln!("{label}: {}", problem.message);
                if !problem.next.is_empty() {
                    eprintln!("  {} {}", style("next:").for_stderr().cyan(), problem.next);
                }
            }
        }
        Exit::from(problem.kind)
    }
}

/// Rows under a head, without borders, as wide as the terminal.
pub(super) fn table<const N: usize>(head: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(head);
    for row in rows {
        table.add_row(row);
    }
    // Cells are padded on both sides; the first column begins at the margin, and no line ends in spaces.
    let lines: Vec<String> =
        table.lines().map(|line| line.strip_prefix(' ').unwrap_or(&line).trim_end().to_owned()).collect();
    lines.join("\n")
}

/// Records come from anywhere: what could steer a terminal is shown, not sent.
pub(super) fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() && c != '\t' && c != '\n' { c.escape_default().to_string() } else { c.to_string() })
        .collect()
}
