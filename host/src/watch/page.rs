//! Figures as the text that Prometheus reads. docs/operations.md lists every name.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeCounterValue, EncodeGaugeValue, EncodeLabelSet, MetricEncoder, NoLabelSet,
    prometheus_text, text,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};

use super::figures::Figures;
use crate::agents::AgentState;
use crate::meters::{BOUNDS_MICROS, Distribution};

/// The two forms of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// OpenMetrics 1.0.
    OpenMetrics,
    /// Prometheus 0.0.4, which everything reads.
    Prometheus,
}

impl Form {
    /// The one that whoever sends this `Accept` reads.
    pub fn of_accept(accept: &str) -> Self {
        if accept.contains("application/openmetrics-text") { Self::OpenMetrics } else { Self::Prometheus }
    }

    /// `Content-Type` of the form.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
        }
    }
}

/// The text.
///
/// # Errors
/// Never for what is in [`Figures`]: only where a name or a label could not be written.
pub fn page(figures: Figures, form: Form) -> Result<String, std::fmt::Error> {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Page(figures)));
    let mut written = String::new();
    match form {
        Form::OpenMetrics => text::encode(&mut written, &registry)?,
        Form::Prometheus => prometheus_text::encode(&mut written, &registry)?,
    }
    Ok(written)
}

#[derive(Debug)]
struct Page(Figures);

type Written = Result<(), std::fmt::Error>;

impl Collector for Page {
    fn encode(&self, encoder: DescriptorEncoder) -> Written {
        let mut sheet = Sheet(encoder);
        self.agents(&mut sheet)?;
        self.tools(&mut sheet)?;
        self.tool_topics(&mut sheet)?;
        self.conversations(&mut sheet)?;
        self.models(&mut sheet)?;
        self.forge(&mut sheet)?;
        self.audit(&mut sheet)?;
        self.telemetry(&mut sheet)?;
        self.host(&mut sheet)
    }
}

impl Page {
    fn agents(&self, sheet: &mut Sheet<'_>) -> Written {
        let agents = || self.0.agents.iter().map(|line| (line, &line.figures, ("agent", line.figures.agent.as_str())));
        macro_rules! counters {
            ($($name:literal, $help:literal, $field:ident;)*) => {
                $(sheet.counters($name, $help, None, agents().map(|(_, f, agent)| ([agent], f.$field)))?;)*
            };
        }
        counters! {
            "wasmill_agent_records", "Records and due timers that were handled and committed", records;
            "wasmill_agent_sent_records", "Records that were sent and committed", sent;
            "wasmill_agent_dead_letters", "Records that went to a dead-letter topic", dead_letters;
            "wasmill_agent_retries", "Further attempts at single records", retries;
            "wasmill_agent_restarts", "How often the worker could not go on and began anew", restarts;
        }
        let errors = agents().flat_map(|(_, f, agent)| {
            let kinds = [("own", f.errors.own), ("trap", f.errors.trap), ("limit", f.errors.limit)];
            kinds.map(|(kind, count)| ([agent, ("kind", kind)], count))
        });
        sheet.counters("wasmill_agent_errors", "Calls of the agent that failed", None, errors)?;
        let rounds = agents().flat_map(|(_, f, agent)| {
            let ends =
                [("committed", f.rounds.committed), ("refused", f.rounds.refused), ("dropped", f.rounds.dropped)];
            ends.map(|(end, count)| ([agent, ("outcome", end)], count))
        });
        sheet.counters("wasmill_agent_rounds", "Rounds of work, one transaction each", None, rounds)?;
        let cpu = agents().map(|(_, f, agent)| ([agent], seconds(f.cpu_micros)));
        let help = "CPU time of the agent's calls, with what the host and tools do inside them";
        sheet.counters("wasmill_agent_cpu", help, Some(Unit::Seconds), cpu)?;
        let latency = agents().map(|(_, f, agent)| ([agent], &f.latency));
        sheet.histograms("wasmill_agent_latency", "From a record's own time to its commit", latency)?;
        let round = agents().map(|(_, f, agent)| ([agent], &f.round));
        sheet.histograms("wasmill_agent_round_duration", "From the records of a poll to their commit", round)?;
        let memory = agents().map(|(_, f, agent)| ([agent], f.memory_bytes));
        sheet.gauges("wasmill_agent_memory", "Linear memory of the agent's instances", Some(Unit::Bytes), memory)?;
        let instances = agents().map(|(_, f, agent)| ([agent], f.instances));
        sheet.gauges("wasmill_agent_instances", "Instances that are alive", None, instances)?;
        let held = agents().map(|(_, f, agent)| ([agent], f.held.len() as u64));
        sheet.gauges("wasmill_agent_partitions", "Partitions that are held on this host", None, held)?;
        let running = agents().map(|(line, _, agent)| ([agent], u64::from(line.state == AgentState::Running)));
        sheet.gauges("wasmill_agent_running", "1 where the agent is at work, 0 where it waits", None, running)?;
        let lag = agents().flat_map(|(line, _, agent)| {
            let of = |lag: &'_ super::PartitionLag| (lag.topic.clone(), lag.partition.to_string(), lag.records);
            let agent = agent.1.to_owned();
            line.lag.iter().map(of).map(move |(topic, partition, records)| {
                ([("agent", agent.clone()), ("topic", topic), ("partition", partition)], records)
            })
        });
        sheet.gauges("wasmill_agent_lag_records", "Committed records that are not handled yet", None, lag)
    }

    fn tools(&self, sheet: &mut Sheet<'_>) -> Written {
        let tools = || self.0.tools.iter().map(|figures| (figures, ("tool", figures.tool.as_str())));
        let calls = tools().map(|(f, tool)| ([tool], f.duration.count()));
        sheet.counters("wasmill_tool_calls", "Calls that reached the tool", None, calls)?;
        let errors = tools()
            .flat_map(|(f, tool)| f.errors.iter().map(move |(kind, count)| ([tool, ("kind", kind.as_str())], *count)));
        sheet.counters("wasmill_tool_errors", "Calls that failed", None, errors)?;
        let duration = tools().map(|(f, tool)| ([tool], &f.duration));
        sheet.histograms("wasmill_tool_duration", "Time of a call", duration)?;
        let help = "Calls that reached no tool: denied, too deep, or of a tool that can't be called";
        sheet.counters("wasmill_tool_refused_calls", help, None, one(self.0.refused_calls))
    }

    fn audit(&self, sheet: &mut Sheet<'_>) -> Written {
        let audit = &self.0.audit;
        let failed = [("checkpoint", audit.failed_checkpoints), ("topic", audit.failed_topic)];
        let failed = failed.into_iter().map(|(work, count)| ([("work", work)], count));
        sheet.counters("wasmill_audit_failures", "Attempts to sign or send the audit trail that failed", None, failed)
    }

    fn telemetry(&self, sheet: &mut Sheet<'_>) -> Written {
        let spans = self.0.telemetry.into_iter().flat_map(|f| {
            [("sent", f.sent), ("failed", f.failed), ("dropped", f.dropped)]
                .map(|(outcome, count)| ([("outcome", outcome)], count))
        });
        sheet.counters("wasmill_telemetry_spans", "Spans of traces, by what became of them", None, spans)
    }

    fn tool_topics(&self, sheet: &mut Sheet<'_>) -> Written {
        let pairs = || self.0.tool_topics.iter().map(|pair| (pair, [("topic", pair.requests.as_str())]));
        let answers = pairs().map(|(pair, topic)| (topic, pair.answers));
        sheet.counters("wasmill_tool_topic_answers", "Requests that were answered by topic", None, answers)?;
        let letters = pairs().map(|(pair, topic)| (topic, pair.dead_letters));
        sheet.counters("wasmill_tool_topic_dead_letters", "Records that were set aside", None, letters)?;
        let running = pairs().map(|(pair, topic)| (topic, u64::from(pair.state == AgentState::Running)));
        sheet.gauges("wasmill_tool_topic_running", "1 where requests are answered, 0 where they wait", None, running)
    }

    fn conversations(&self, sheet: &mut Sheet<'_>) -> Written {
        let all = || self.0.conversations.iter().map(|all| (all, [("topic", all.outbound.as_str())]));
        let messages = all().map(|(all, topic)| (topic, all.messages));
        sheet.counters("wasmill_conversation_messages", "Messages that clients sent to agents", None, messages)?;
        let events = all().map(|(all, topic)| (topic, all.events));
        sheet.counters("wasmill_conversation_events", "Events that came from agents", None, events)?;
        let skipped = all().map(|(all, topic)| (topic, all.skipped));
        sheet.counters("wasmill_conversation_skipped", "Records that were no event of a session", None, skipped)?;
        let slow = all().map(|(all, topic)| (topic, all.slow));
        sheet.counters("wasmill_conversation_slow", "Listeners that did not keep up and were let go", None, slow)?;
        let listeners = all().map(|(all, topic)| (topic, all.listeners));
        sheet.gauges("wasmill_conversation_listeners", "Clients that listen now", None, listeners)?;
        let running = all().map(|(all, topic)| (topic, u64::from(all.state == AgentState::Running)));
        sheet.gauges("wasmill_conversation_running", "1 where clients can talk, 0 where they wait", None, running)
    }

    fn models(&self, sheet: &mut Sheet<'_>) -> Written {
        let models = || self.0.models.iter().map(|figures| (figures, ("principal", figures.principal.as_str())));
        let answers = models().map(|(f, who)| ([who], f.answers));
        sheet.counters("wasmill_model_answers", "Questions to language models that were answered", None, answers)?;
        let tokens = models().flat_map(|(f, who)| {
            let kinds = [("prompt", f.prompt_tokens), ("completion", f.completion_tokens)];
            kinds.map(|(kind, count)| ([who, ("kind", kind)], count))
        });
        sheet.counters("wasmill_model_tokens", "Tokens of questions and answers", None, tokens)?;
        let cost = models().map(|(f, who)| ([who], f.cost_micros as f64 / 1e6));
        sheet.counters("wasmill_model_cost", "What answers cost, in the currency of host.toml", None, cost)
    }

    fn forge(&self, sheet: &mut Sheet<'_>) -> Written {
        let forge = &self.0.forge;
        let outcomes = [
            ("callable", forge.callable),
            ("waiting", forge.waiting),
            ("refused", forge.refused),
            ("failed", forge.failed),
        ];
        let builds = outcomes.into_iter().map(|(outcome, count)| ([("outcome", outcome)], count));
        sheet.counters("wasmill_forge_builds", "Requests to the forge", None, builds)?;
        sheet.histograms("wasmill_forge_build_duration", "Time of a request to the forge", one(&forge.duration))
    }

    fn host(&self, sheet: &mut Sheet<'_>) -> Written {
        let host = &self.0.host;
        let about = [("version", host.version.as_str()), ("host", &host.name), ("instance_id", &host.instance)];
        sheet.gauges("wasmill_build_info", "The host; always 1", None, std::iter::once((about, 1u64)))?;
        let kinds = [
            ("tool", host.components.tools),
            ("agent", host.components.agents),
            ("waiting", host.components.waiting),
            ("refused", host.components.refused),
        ];
        let components = kinds.into_iter().map(|(state, count)| ([("state", state)], count));
        sheet.gauges("wasmill_components", "Installed components, by what becomes of them", None, components)?;
        let help = "Components whose machine code is in memory";
        sheet.gauges("wasmill_compiled_components", help, None, one(host.components.compiled))?;
        let instances = self.0.agents.iter().map(|line| line.figures.instances).sum::<u64>();
        sheet.gauges("wasmill_instances", "Instances of agents that are alive", None, one(instances))?;
        // These names are Prometheus's own for every process.
        let cpu = one(seconds(host.process.cpu_micros));
        sheet.counters("process_cpu", "CPU time of the whole process", Some(Unit::Seconds), cpu)?;
        let resident = host.process.resident_bytes.into_iter().map(|bytes| (NONE, bytes));
        sheet.gauges("process_resident_memory", "Resident memory", Some(Unit::Bytes), resident)?;
        let started = one(host.started_ms as f64 / 1_000.0);
        sheet.gauges("process_start_time", "When the host started, since the epoch", Some(Unit::Seconds), started)
    }
}

/// No labels.
const NONE: [(&str, &str); 0] = [];

fn one<T>(value: T) -> impl Iterator<Item = ([(&'static str, &'static str); 0], T)> {
    std::iter::once((NONE, value))
}

fn seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}

/// Where metrics are written on. One without values is left out.
struct Sheet<'a>(DescriptorEncoder<'a>);

impl Sheet<'_> {
    fn counters<L: EncodeLabelSet, V: EncodeCounterValue>(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<Unit>,
        rows: impl Iterator<Item = (L, V)>,
    ) -> Written {
        self.family((name, help, unit), MetricType::Counter, rows, |mut metric, value| {
            metric.encode_counter::<NoLabelSet, V, u64>(&value, None)
        })
    }

    fn gauges<L: EncodeLabelSet, V: EncodeGaugeValue>(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<Unit>,
        rows: impl Iterator<Item = (L, V)>,
    ) -> Written {
        self.family((name, help, unit), MetricType::Gauge, rows, |mut metric, value| metric.encode_gauge(&value))
    }

    fn histograms<'d, L: EncodeLabelSet>(
        &mut self,
        name: &str,
        help: &str,
        rows: impl Iterator<Item = (L, &'d Distribution)>,
    ) -> Written {
        let bounds = || BOUNDS_MICROS.iter().map(|bound| seconds(*bound)).chain([f64::INFINITY]);
        self.family((name, help, Some(Unit::Seconds)), MetricType::Histogram, rows, |mut metric, seen| {
            let buckets: Vec<(f64, u64)> = bounds().zip(seen.counts.iter().copied()).collect();
            metric.encode_histogram::<NoLabelSet>(seconds(seen.sum_micros), seen.count(), &buckets, None)
        })
    }

    /// One metric with all its labels.
    fn family<L: EncodeLabelSet, V>(
        &mut self,
        (name, help, unit): (&str, &str, Option<Unit>),
        kind: MetricType,
        rows: impl Iterator<Item = (L, V)>,
        write: impl Fn(MetricEncoder<'_>, V) -> Written,
    ) -> Written {
        let mut rows = rows.peekable();
        if rows.peek().is_none() {
            return Ok(());
        }
        let mut metric = self.0.encode_descriptor(name, help, unit.as_ref(), kind)?;
        for (labels, value) in rows {
            write(metric.encode_family(&labels)?, value)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::view::tests::{agent, busy};
    use super::*;
    use crate::meters::{AgentMeter, Round};
    use crate::watch::PartitionLag;

    fn shown(form: Form) -> String {
        let meter = AgentMeter::default();
        meter.committed(&Round::begin([&[1_000, 900][..]].into_iter()), 1_004);
        let mut line = agent("upper");
        line.figures = meter.figures("upper");
        line.lag = vec![PartitionLag { topic: "a \"b\"".into(), partition: 3, records: 9 }];
        let all = busy(vec![line]);
        page(all, form).unwrap()
    }

    #[test]
    fn both_forms_name_the_same_series() {
        let (open, plain) = (shown(Form::OpenMetrics), shown(Form::Prometheus));
        for line in [
            "wasmill_agent_records_total{agent=\"upper\"} 2",
            "wasmill_agent_latency_seconds_sum{agent=\"upper\"} 0.108",
            "wasmill_agent_lag_records{agent=\"upper\",topic=\"a \\\"b\\\"\",partition=\"3\"} 9",
            "wasmill_agent_cpu_seconds_total{agent=\"upper\"} 0.0",
            "wasmill_model_answers_total{principal=\"agent:a\"} 2",
            "wasmill_model_tokens_total{principal=\"agent:a\",kind=\"completion\"} 24",
            "wasmill_model_cost_total{principal=\"agent:a\"} 1.5",
            "process_resident_memory_bytes 1048576",
            "wasmill_tool_topic_answers_total{topic=\"tool.requests\"} 7",
            "wasmill_tool_topic_dead_letters_total{topic=\"tool.requests\"} 2",
            "wasmill_conversation_messages_total{topic=\"conversation.outbound\"} 4",
            "wasmill_conversation_listeners{topic=\"conversation.outbound\"} 3",
            "wasmill_conversation_slow_total{topic=\"conversation.outbound\"} 1",
            "wasmill_tool_topic_running{topic=\"tool.requests\"} 1",
        ] {
            assert!(open.contains(line), "{line} is not in\n{open}");
            assert!(plain.contains(line), "{line} is not in\n{plain}");
        }
        for page in [&open, &plain] {
            // Labels stand in another order in each form.
            let buckets: Vec<&str> =
                page.lines().filter(|line| line.starts_with("wasmill_agent_latency_seconds_bucket{")).collect();
            let has = |le: &str, count: &str| buckets.iter().any(|b| b.contains(le) && b.ends_with(count));
            assert!(has("le=\"0.0025\"", " 0") && has("le=\"0.005\"", " 1") && has("le=\"+Inf\"", " 2"), "{page}");
        }
        assert!(open.ends_with("# EOF\n") && !plain.contains("# EOF"));
    }

    #[test]
    fn who_asks_for_openmetrics_gets_it() {
        let prometheus = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
        assert_eq!(Form::of_accept(prometheus), Form::OpenMetrics);
        assert_eq!(Form::of_accept("*/*"), Form::Prometheus);
    }
}
