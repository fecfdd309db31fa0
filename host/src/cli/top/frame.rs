//! What is on the screen: lines of text out of a view. Knows nothing of terminals.

use clap::ValueEnum;
use console::{Alignment, pad_str, style};

use super::Shown;
use crate::agents::AgentState;
use crate::cli::output::printable;
use crate::problem::Problem;
use crate::watch::{AgentRow, HostRow, View};

/// Columns: head, and what it is sorted by.
const HEADS: [(&str, Option<Order>); 13] = [
    ("AGENT", Some(Order::Agent)),
    ("REC/S", Some(Order::Rate)),
    ("P50", None),
    ("P99", Some(Order::P99)),
    ("RECORDS", None),
    ("ERRORS", Some(Order::Errors)),
    ("RETRIES", None),
    ("DLQ", None),
    ("LAG", Some(Order::Lag)),
    ("PARTS", None),
    ("MEMORY", Some(Order::Memory)),
    ("CPU%", Some(Order::Cpu)),
    ("STATE", None),
];
/// Lines above the agents.
const HEAD_LINES: usize = 3;
/// Lines below them.
const FOOT_LINES: usize = 1;
/// Widest name of an agent, in characters.
const NAME_WIDTH_MAX: usize = 32;

/// What agents are sorted by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Order {
    /// Name
    #[default]
    Agent,
    /// Records a second
    Rate,
    /// Latency of 99 %
    P99,
    /// Failed calls
    Errors,
    /// Records that are not handled yet
    Lag,
    /// Memory
    Memory,
    /// CPU time
    Cpu,
}

impl Order {
    /// The next one.
    pub fn next(self) -> Self {
        let all = Self::value_variants();
        let at = all.iter().position(|order| *order == self).unwrap_or(0);
        all[(at + 1) % all.len()]
    }

    /// Largest first; what is not known comes last.
    fn key(self, row: &AgentRow) -> f64 {
        let known = |value: Option<u64>| value.map_or(-1.0, |value| value as f64);
        match self {
            Self::Agent => 0.0,
            Self::Rate => row.records_per_s,
            Self::P99 => known(row.p99_micros),
            Self::Errors => row.errors as f64,
            Self::Lag => known(row.lag),
            Self::Memory => row.memory_bytes as f64,
            Self::Cpu => row.cpu_percent,
        }
    }
}

/// Lines for a screen of so many columns and lines; none of them is wider, and there are no more.
pub(super) fn frame(view: &View, shown: &Shown, trouble: Option<&Problem>, size: (usize, usize)) -> Vec<String> {
    let (width, height) = size;
    let mut rows: Vec<&AgentRow> = view.agents.iter().collect();
    // Names decide between equals: nothing jumps.
    rows.sort_by(|a, b| shown.order.key(b).total_cmp(&shown.order.key(a)).then_with(|| a.agent.cmp(&b.agent)));
    if shown.is_reversed {
        rows.reverse();
    }
    let room = height.saturating_sub(HEAD_LINES + FOOT_LINES).max(1);
    let first = shown.first.min(rows.len().saturating_sub(1));
    let visible: Vec<&AgentRow> = rows.iter().skip(first).take(room).copied().collect();
    let mut lines = vec![host_line(&view.host), second_line(&view.host, trouble)];
    lines.extend(table(&visible, shown.order));
    if rows.is_empty() {
        lines.push("No agents. Install one with `wasmill plugin install FOLDER`.".into());
    }
    if height != usize::MAX {
        lines.truncate(height.saturating_sub(FOOT_LINES));
        lines.push(foot(shown, rows.len(), first, visible.len()));
    }
    lines.iter().map(|line| console::truncate_str(line, width, "…").into_owned()).collect()
}

fn host_line(host: &HostRow) -> String {
    let title = style(format!("wasmill {} on {}", printable(&host.version), printable(&host.name))).bold();
    let memory = host.resident_bytes.map_or_else(|| "-".into(), bytes);
    let (up, cpu) = (duration(host.up_s), host.cpu_percent);
    format!("{title}  up {up}  cpu {cpu:.0}%  memory {memory}  instances {}  tools {}", host.instances, host.tools)
}

fn second_line(host: &HostRow, trouble: Option<&Problem>) -> String {
    if let Some(problem) = trouble {
        return style(format!("{} {}", problem.message, problem.next)).red().bold().to_string();
    }
    let waiting = format!("{} waiting", host.waiting);
    let waiting = if host.waiting > 0 { style(waiting).yellow().to_string() } else { waiting };
    format!(
        "agents {} running, {waiting}  {} records/s  {} tool calls/s",
        host.running,
        rate(host.records_per_s),
        rate(host.calls_per_s)
    )
}

fn table(rows: &[&AgentRow], order: Order) -> Vec<String> {
    let cells: Vec<[String; HEADS.len()]> = rows.iter().map(|row| cells(row)).collect();
    let widest = |column: usize| {
        let longest = cells.iter().map(|row| console::measure_text_width(&row[column])).max().unwrap_or(0);
        longest.max(HEADS[column].0.len())
    };
    let widths: Vec<usize> = (0..HEADS.len()).map(widest).collect();
    let line = |texts: &[String]| {
        let pad = |(column, text): (usize, &String)| match column {
            0 => pad_str(text, widths[0], Alignment::Left, None).into_owned(),
            // Nothing comes behind the last one.
            _ if column + 1 == HEADS.len() => text.clone(),
            _ => pad_str(text, widths[column], Alignment::Right, None).into_owned(),
        };
        texts.iter().enumerate().map(pad).collect::<Vec<_>>().join("  ")
    };
    let head = HEADS.map(|(head, sorted)| {
        let head = style(head).bold();
        if sorted == Some(order) { head.underlined().to_string() } else { head.to_string() }
    });
    std::iter::once(line(&head)).chain(cells.iter().map(|row| line(row))).collect()
}

fn cells(row: &AgentRow) -> [String; HEADS.len()] {
    let unknown = || "-".to_owned();
    let state = match &row.state {
        AgentState::Running => style("running".to_owned()).green(),
        AgentState::Waiting { reason } => style(format!("waits: {}", one_line(reason))).yellow(),
    };
    let alarm = |count: u64| if count > 0 { style(count).red().to_string() } else { count.to_string() };
    [
        console::truncate_str(&printable(&row.agent), NAME_WIDTH_MAX, "…").into_owned(),
        rate(row.records_per_s),
        row.p50_micros.map_or_else(unknown, latency),
        row.p99_micros.map_or_else(unknown, latency),
        row.records.to_string(),
        alarm(row.errors),
        row.retries.to_string(),
        alarm(row.dead_letters),
        row.lag.map_or_else(unknown, |lag| lag.to_string()),
        row.partitions.to_string(),
        bytes(row.memory_bytes),
        format!("{:.1}", row.cpu_percent),
        state.to_string(),
    ]
}

fn foot(shown: &Shown, all: usize, first: usize, visible: usize) -> String {
    let paused = if shown.is_paused { style("paused  ").yellow().bold().to_string() } else { String::new() };
    let part = if visible < all { format!("  {}-{} of {all}", first + 1, first + visible) } else { String::new() };
    format!("{paused}q quit  s sort  r reverse  p pause  ↑↓ scroll{part}")
}

fn one_line(text: &str) -> String {
    printable(text).replace(['\n', '\t'], " ")
}

/// `0`, `3.5`, `1250`.
fn rate(per_s: f64) -> String {
    if per_s < 10.0 && per_s > 0.0 { format!("{per_s:.1}") } else { format!("{per_s:.0}") }
}

/// `250µs`, `3.2ms`, `1.5s`.
fn latency(micros: u64) -> String {
    match micros {
        ..1_000 => format!("{micros}µs"),
        1_000..1_000_000 => format!("{:.1}ms", micros as f64 / 1e3),
        _ => format!("{:.1}s", micros as f64 / 1e6),
    }
}

/// `512 B`, `1.2 MiB`.
fn bytes(count: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if count < 1_024 {
        return format!("{count} B");
    }
    let mut value = count as f64 / 1_024.0;
    let mut unit = UNITS[0];
    for next in &UNITS[1..] {
        if value < 1_024.0 {
            break;
        }
        (value, unit) = (value / 1_024.0, next);
    }
    format!("{value:.1} {unit}")
}

/// `42s`, `3m 5s`, `2h 4m`, `5d 3h`.
fn duration(seconds: u64) -> String {
    match seconds {
        ..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m {}s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{}h {}m", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{}d {}h", seconds / 86_400, seconds % 86_400 / 3_600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(agent: &str, records_per_s: f64, lag: Option<u64>) -> AgentRow {
        AgentRow {
            agent: agent.into(),
            state: AgentState::Running,
            records_per_s,
            p50_micros: Some(900),
            p99_micros: Some(3_200),
            records: 10,
            errors: 0,
            retries: 0,
            dead_letters: 2,
            lag,
            partitions: 4,
            memory_bytes: 3 << 19,
            cpu_percent: 12.34,
        }
    }

    fn view(agents: Vec<AgentRow>) -> View {
        let host = HostRow {
            name: "one".into(),
            version: "0.1.0".into(),
            up_s: 3_700,
            running: 2,
            waiting: 0,
            tools: 3,
            instances: 5,
            records_per_s: 42.0,
            calls_per_s: 0.5,
            cpu_percent: 150.0,
            resident_bytes: Some(200 << 20),
        };
        View { host, agents }
    }

    fn plain(view: &View, shown: &Shown, size: (usize, usize)) -> Vec<String> {
        let lines = frame(view, shown, None, size);
        lines.iter().map(|line| console::strip_ansi_codes(line).into_owned()).collect()
    }

    fn order(lines: &[String]) -> Vec<&str> {
        lines[HEAD_LINES..].iter().filter_map(|line| line.split_whitespace().next()).collect()
    }

    #[test]
    fn every_figure_stands_under_its_head() {
        let lines = plain(&view(vec![row("upper", 1_250.4, Some(7))]), &Shown::default(), (200, usize::MAX));
        assert!(lines[0].contains("wasmill 0.1.0 on one  up 1h 1m  cpu 150%  memory 200.0 MiB"), "{}", lines[0]);
        let words: Vec<&str> = lines[3].split_whitespace().collect();
        let wanted =
            ["upper", "1250", "900µs", "3.2ms", "10", "0", "0", "2", "7", "4", "1.5", "MiB", "12.3", "running"];
        assert_eq!(words, wanted);
        let (head, line) = (&lines[2], &lines[3]);
        let end = |text: &str, word: &str| text.split(word).next().unwrap().chars().count() + word.chars().count();
        assert_eq!(end(head, "LAG"), end(line, "7"), "{lines:#?}");
    }

    #[test]
    fn agents_are_sorted_by_the_column_and_unknown_ones_come_last() {
        let all = view(vec![row("b", 1.0, Some(5)), row("a", 9.0, None), row("c", 1.0, Some(50))]);
        let sorted = |order: Order, is_reversed| {
            let shown = Shown { order, is_reversed, ..Shown::default() };
            let lines = plain(&all, &shown, (200, usize::MAX));
            super::tests::order(&lines).join("")
        };
        assert_eq!(sorted(Order::Agent, false), "abc");
        assert_eq!(sorted(Order::Rate, false), "abc");
        assert_eq!(sorted(Order::Lag, false), "cba");
        assert_eq!(sorted(Order::Lag, true), "abc");
        let all_orders = (0..Order::value_variants().len()).fold(Order::Agent, |order, _| order.next());
        assert_eq!(all_orders, Order::Agent, "the key goes round");
    }

    #[test]
    fn nothing_is_wider_or_longer_than_the_screen() {
        let mut waiting = row("waiting", 0.0, None);
        waiting.state = AgentState::Waiting { reason: "a topic\nis\x1b[2J missing ".repeat(20) };
        let many = (0..50).map(|n| row(&format!("agent-{n:02}"), 0.0, None)).chain([waiting]).collect();
        let all = view(many);
        for size in [(100, 20), (20, 5), (1, 1), (300, 60)] {
            let shown = Shown { first: 48, ..Shown::default() };
            let lines = frame(&all, &shown, None, size);
            assert!(lines.len() <= size.1.max(1), "{size:?}: {}", lines.len());
            assert!(lines.iter().all(|line| console::measure_text_width(line) <= size.0), "{size:?}");
            assert!(lines.iter().all(|line| !line.contains("\x1b[2J")), "{size:?}");
        }
        let lines = plain(&all, &Shown { first: 10, ..Shown::default() }, (200, 14));
        assert_eq!(super::tests::order(&lines)[0], "agent-10");
        assert!(lines[13].contains("11-20 of 51"), "{}", lines[13]);
    }

    #[test]
    fn what_is_wrong_with_the_host_is_said_where_its_figures_were() {
        let problem = Problem::new(crate::problem::ProblemKind::Unavailable, "host.gone", "it is gone", "Wait.");
        let lines = frame(&view(vec![]), &Shown::default(), Some(&problem), (80, 10));
        assert!(lines[1].contains("it is gone Wait."), "{lines:?}");
        assert!(lines.iter().any(|line| line.contains("No agents")), "{lines:?}");
    }

    #[test]
    fn sizes_and_times_are_short() {
        assert_eq!([bytes(0), bytes(1_023), bytes(1_024), bytes(5 << 30)], ["0 B", "1023 B", "1.0 KiB", "5.0 GiB"]);
        assert_eq!([latency(5), latency(1_500), latency(2_500_000)], ["5µs", "1.5ms", "2.5s"]);
        assert_eq!([duration(5), duration(65), duration(7_300), duration(90_000)], ["5s", "1m 5s", "2h 1m", "1d 1h"]);
        assert_eq!([rate(0.0), rate(3.51), rate(1_234.5)], ["0", "3.5", "1234"]);
    }
}
