//! What docs/operations.md says of the metrics is what there is, and the dashboard asks for nothing else.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::page::{Form, page};
use super::view::tests::{agent, busy};
use super::{AgentLine, Figures, PartitionLag};
use crate::meters::{AgentMeter, Round, TelemetryFigures, ToolMeter};
use crate::problem::ProblemKind;

const LIST: &str = include_str!("../../../docs/operations.md");
const DASHBOARD: &str = include_str!("../../../packaging/grafana/wasmill.json");

/// Type and labels of each metric.
type Metrics = BTreeMap<String, (String, BTreeSet<String>)>;

/// Figures in which no metric is left out.
fn everything() -> Figures {
    let (meter, tool) = (AgentMeter::default(), ToolMeter::default());
    meter.committed(&Round::begin([&[1_000][..]].into_iter()), 1_004);
    tool.called(std::time::Duration::from_millis(1), Some(ProblemKind::Limit));
    let lag = vec![PartitionLag { topic: "t".into(), partition: 0, records: 1 }];
    let line = AgentLine { figures: meter.figures("upper"), lag, ..agent("upper") };
    Figures { tools: vec![tool.figures("count")], telemetry: Some(TelemetryFigures::default()), ..busy(vec![line]) }
}

fn exported() -> Metrics {
    let text = page(everything(), Form::Prometheus).unwrap();
    let typed = |line: &str| {
        let (name, kind) = line.strip_prefix("# TYPE ")?.split_once(' ')?;
        Some((name.to_owned(), kind.to_owned()))
    };
    let types: BTreeMap<String, String> = text.lines().filter_map(typed).collect();
    let mut metrics = Metrics::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (series, _) = line.rsplit_once(' ').unwrap();
        let (name, labels) = series.split_once('{').unwrap_or((series, ""));
        let part_of =
            |end: &str| name.strip_suffix(end).filter(|name| types.get(*name).is_some_and(|t| t == "histogram"));
        let name = ["_bucket", "_sum", "_count"].into_iter().find_map(part_of).unwrap_or(name);
        let kind = types.get(name).or_else(|| types.get(name.strip_suffix("_total")?));
        let (_, all) = metrics
            .entry(name.to_owned())
            .or_insert_with(|| (kind.unwrap_or_else(|| panic!("{line}")).clone(), BTreeSet::new()));
        all.extend(
            labels.split(',').filter_map(|label| Some(label.split_once('=')?.0.to_owned())).filter(|l| l != "le"),
        );
    }
    metrics
}

fn listed() -> Metrics {
    let row = |line: &str| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, metric, kind @ ("counter" | "gauge" | "histogram"), ..] = cells[..] else { return None };
        let (name, labels) = metric.trim_matches('`').split_once('{').unwrap_or((metric.trim_matches('`'), ""));
        let labels = labels.trim_end_matches('}').split(',').filter(|label| !label.is_empty()).map(str::to_owned);
        Some((name.to_owned(), (kind.to_owned(), labels.collect())))
    };
    LIST.lines().filter_map(row).collect()
}

#[test]
fn the_written_list_is_what_is_exported() {
    let (exported, listed) = (exported(), listed());
    assert!(exported.len() > 30, "{exported:#?}");
    assert_eq!(listed, exported);
}

/// The words of a query outside of its quotes, each with what follows it.
fn words(query: &str) -> Vec<(&str, &str)> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
    let mut words = Vec::new();
    let mut rest = query;
    while let Some(start) = rest.find(|c: char| is_word(c) || c == '"') {
        rest = &rest[start..];
        if let Some(quoted) = rest.strip_prefix('"') {
            rest = quoted.split_once('"').map_or("", |(_, after)| after);
            continue;
        }
        let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        words.push((&rest[..end], rest[end..].trim_start()));
        rest = &rest[end..];
    }
    words
}

/// Words of a query that are neither its language's nor a metric or a label that the metric has.
fn strange(query: &str, metrics: &Metrics) -> Vec<String> {
    let family = |name: &str| metrics.get(name).or_else(|| metrics.get(name.strip_suffix("_bucket")?));
    let known: Vec<_> = words(query).into_iter().filter_map(|(word, _)| family(word)).collect();
    // `le` and `instance` come from the format and from Prometheus.
    let is_label = |word: &str| {
        ["le", "instance"].contains(&word) || (!known.is_empty() && known.iter().all(|(_, all)| all.contains(word)))
    };
    let is_syntax = |word: &str, next: &str| {
        let function = ["sum", "max", "rate", "increase", "histogram_quantile"].contains(&word);
        let number = word.chars().all(|c| c.is_ascii_digit());
        (function && (next.starts_with('(') || next.starts_with("by ")))
            || number
            || ["by", "$__rate_interval"].contains(&word)
    };
    let strange =
        words(query).into_iter().filter(|(w, next)| family(w).is_none() && !is_label(w) && !is_syntax(w, next));
    strange.map(|(word, _)| word.to_owned()).collect()
}

#[test]
fn the_dashboard_asks_for_what_there_is() {
    let (metrics, dashboard): (_, Value) = (exported(), serde_json::from_str(DASHBOARD).unwrap());
    let panels = dashboard["panels"].as_array().unwrap();
    let queries: Vec<&str> = panels
        .iter()
        .flat_map(|panel| panel["targets"].as_array().into_iter().flatten())
        .map(|target| target["expr"].as_str().unwrap())
        .collect();
    assert!(queries.len() > 20, "{queries:?}");
    for query in queries {
        assert_eq!(strange(query, &metrics), Vec::<String>::new(), "{query}");
        assert!(words(query).iter().any(|(word, _)| word.starts_with("wasmill_") || word.starts_with("process_")));
    }
    let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_u64()).collect();
    assert_eq!(ids.len(), panels.len(), "each panel has an id of its own");
}

#[test]
fn a_query_for_something_else_is_seen() {
    let metrics = exported();
    for (query, word) in [
        ("sum by (agent) (rate(wasmill_agent_recrods_total[5m]))", "wasmill_agent_recrods_total"),
        ("sum by (tool) (rate(wasmill_agent_records_total[5m]))", "tool"),
        ("wasmill_components{status=\"refused\"}", "status"),
        ("averge(wasmill_instances)", "averge"),
    ] {
        assert!(strange(query, &metrics).contains(&word.to_owned()), "{query}");
    }
}
