//! What a person watches: rates and shares, out of two readings.

use serde::Serialize;

use super::figures::{AgentLine, Figures};
use crate::agents::AgentState;

/// A host between two readings.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct View {
    /// The host.
    pub host: HostRow,
    /// Its agents, by name.
    pub agents: Vec<AgentRow>,
}

/// The host.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HostRow {
    /// Its machine's name.
    pub name: String,
    /// Version of Wasmill.
    pub version: String,
    /// Seconds since it started.
    pub up_s: u64,
    /// Agents that are at work.
    pub running: u64,
    /// Agents that can't work now.
    pub waiting: u64,
    /// Callable tools.
    pub tools: u64,
    /// Instances of agents.
    pub instances: u64,
    /// Records that all agents handled, a second.
    pub records_per_s: f64,
    /// Tool calls, a second.
    pub calls_per_s: f64,
    /// CPU time, percent of one core.
    pub cpu_percent: f64,
    /// Resident memory, bytes.
    pub resident_bytes: Option<u64>,
}

/// One agent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AgentRow {
    /// Name, without version.
    pub agent: String,
    /// What it is doing.
    #[serde(flatten)]
    pub state: AgentState,
    /// Records that it handled, a second.
    pub records_per_s: f64,
    /// Half of them were committed this long after their own time, microseconds; none where there were none.
    pub p50_micros: Option<u64>,
    /// 99 % of them were.
    pub p99_micros: Option<u64>,
    /// Records since the host started.
    pub records: u64,
    /// Failed calls since the host started.
    pub errors: u64,
    /// Further attempts since the host started.
    pub retries: u64,
    /// Dead letters since the host started.
    pub dead_letters: u64,
    /// Records that it has yet to handle; none where that is not known.
    pub lag: Option<u64>,
    /// Partitions that it holds.
    pub partitions: u64,
    /// Memory of its instances, bytes.
    pub memory_bytes: u64,
    /// CPU time of its calls, percent of one core.
    pub cpu_percent: f64,
}

/// What happened between two readings of the same host; without an earlier one, since it started.
pub fn view(before: Option<&Figures>, now: &Figures) -> View {
    // A host that was started again in between counts from nothing.
    let before = before.filter(|before| before.host.started_ms == now.host.started_ms && before.at_ms < now.at_ms);
    let from_ms = before.map_or(now.host.started_ms, |before| before.at_ms);
    let took = Took(now.at_ms.saturating_sub(from_ms).max(1) as f64 / 1_000.0);
    let agents: Vec<AgentRow> = now
        .agents
        .iter()
        .map(|line| {
            let earlier = before.and_then(|b| b.agents.iter().find(|l| l.figures.agent == line.figures.agent));
            row(earlier, line, took)
        })
        .collect();
    let calls = |figures: &Figures| figures.tools.iter().map(|tool| tool.duration.count()).sum::<u64>();
    let is_running = |row: &&AgentRow| row.state == AgentState::Running;
    let host = HostRow {
        name: now.host.name.clone(),
        version: now.host.version.clone(),
        up_s: u64::try_from(now.at_ms.saturating_sub(now.host.started_ms)).unwrap_or(0) / 1_000,
        running: agents.iter().filter(is_running).count() as u64,
        waiting: agents.iter().filter(|row| !is_running(row)).count() as u64,
        tools: now.host.components.tools,
        instances: now.agents.iter().map(|line| line.figures.instances).sum(),
        records_per_s: agents.iter().map(|row| row.records_per_s).sum(),
        calls_per_s: took.rate(before.map_or(0, calls), calls(now)),
        cpu_percent: took.percent(before.map_or(0, |b| b.host.process.cpu_micros), now.host.process.cpu_micros),
        resident_bytes: now.host.process.resident_bytes,
    };
    View { host, agents }
}

fn row(before: Option<&AgentLine>, now: &AgentLine, took: Took) -> AgentRow {
    let (was, is) = (before.map(|line| &line.figures), &now.figures);
    let latency = was.map_or_else(|| is.latency.clone(), |was| is.latency.since(&was.latency));
    AgentRow {
        agent: is.agent.clone(),
        state: now.state.clone(),
        records_per_s: took.rate(was.map_or(0, |was| was.records), is.records),
        p50_micros: latency.quantile(0.5),
        p99_micros: latency.quantile(0.99),
        records: is.records,
        errors: is.errors.total(),
        retries: is.retries,
        dead_letters: is.dead_letters,
        lag: now.total_lag(),
        partitions: is.held.len() as u64,
        memory_bytes: is.memory_bytes,
        cpu_percent: took.percent(was.map_or(0, |was| was.cpu_micros), is.cpu_micros),
    }
}

/// Seconds between two readings, more than 0.
#[derive(Clone, Copy)]
struct Took(f64);

impl Took {
    fn rate(self, before: u64, now: u64) -> f64 {
        now.saturating_sub(before) as f64 / self.0
    }

    /// Of microseconds.
    fn percent(self, before: u64, now: u64) -> f64 {
        self.rate(before, now) / 10_000.0
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::conversations::ConversationsStatus;
    use crate::meters::{
        AgentFigures, AgentMeter, AuditFigures, Failure, ForgeFigures, ModelFigures, ProcessFigures, Round,
    };
    use crate::tool_topics::ToolTopicsStatus;
    use crate::watch::{ComponentFigures, HostFigures, PartitionLag};

    pub(in crate::watch) fn agent(name: &str) -> AgentLine {
        let figures = AgentFigures { agent: name.into(), ..AgentFigures::default() };
        AgentLine { figures, version: "0.1.0".into(), reads: vec![], state: AgentState::Running, lag: Vec::new() }
    }

    pub(in crate::watch) fn figures(agents: Vec<AgentLine>) -> Figures {
        Figures {
            at_ms: 10_000,
            host: HostFigures {
                name: "h".into(),
                instance: "i".into(),
                version: "0.1.0".into(),
                started_ms: 0,
                process: ProcessFigures { resident_bytes: Some(1 << 20), cpu_micros: 500_000 },
                components: ComponentFigures::default(),
            },
            agents,
            tools: Vec::new(),
            flows: vec![],
            refused_calls: 0,
            tool_topics: Vec::new(),
            conversations: None,
            models: Vec::new(),
            forge: ForgeFigures::default(),
            audit: AuditFigures::default(),
            telemetry: None,
        }
    }

    /// The same with clients by topic and questions to models.
    pub(in crate::watch) fn busy(agents: Vec<AgentLine>) -> Figures {
        let pair = ToolTopicsStatus {
            requests: "tool.requests".into(),
            results: "tool.results".into(),
            client: "desk".into(),
            state: AgentState::Running,
            answers: 7,
            dead_letters: 2,
        };
        let conversations = ConversationsStatus {
            inbound: "conversation.inbound".into(),
            outbound: "conversation.outbound".into(),
            state: AgentState::Running,
            listeners: 3,
            messages: 4,
            events: 5,
            skipped: 6,
            slow: 1,
        };
        let model = ModelFigures {
            principal: "agent:a".into(),
            answers: 2,
            prompt_tokens: 18,
            completion_tokens: 24,
            cost_micros: 1_500_000,
        };
        Figures { tool_topics: vec![pair], conversations: Some(conversations), models: vec![model], ..figures(agents) }
    }

    /// After 100 records, and after 400 two seconds later.
    fn two_readings() -> (Figures, Figures) {
        let meter = AgentMeter::default();
        let commit = |records: usize, waited_ms: i64| {
            let times = vec![1_000_000 - waited_ms; records];
            meter.committed(&Round::begin([times.as_slice()].into_iter()), 1_000_000);
        };
        let read = || AgentLine { figures: meter.figures("upper"), ..agent("upper") };
        commit(100, 40_000);
        meter.failed(Failure::Trap);
        let before = figures(vec![read()]);
        commit(300, 3);
        meter.on_cpu(std::time::Duration::from_millis(500));
        let mut line = read();
        line.lag = vec![PartitionLag { topic: "t".into(), partition: 0, records: 7 }];
        let mut now = Figures { at_ms: 12_000, ..figures(vec![line]) };
        now.host.process.cpu_micros += 3_000_000;
        (before, now)
    }

    #[test]
    fn rates_are_of_the_time_between_and_errors_of_all_time() {
        let (before, now) = two_readings();
        let view = view(Some(&before), &now);
        let row = &view.agents[0];
        assert_eq!((row.records_per_s, row.records, row.errors, row.lag), (150.0, 400, 1, Some(7)));
        assert_eq!(row.cpu_percent, 25.0);
        assert!(row.p99_micros.unwrap() <= 5_000, "{row:?}: what was slow before does not count");
        assert_eq!((view.host.records_per_s, view.host.cpu_percent, view.host.up_s), (150.0, 150.0, 12));
        assert_eq!((view.host.running, view.host.waiting), (1, 0));
    }

    #[test]
    fn one_reading_alone_is_everything_since_the_start() {
        let (before, now) = two_readings();
        let alone = view(None, &now);
        assert!((alone.agents[0].records_per_s - 400.0 / 12.0).abs() < 0.001);
        assert!(alone.agents[0].p99_micros.unwrap() > 5_000);
        // So is the first one of a host that was started again.
        let again = Figures { host: HostFigures { started_ms: 11_000, ..now.host.clone() }, ..now };
        assert_eq!(view(Some(&before), &again).agents[0].records_per_s, 400.0);
    }

    #[test]
    fn an_agent_without_records_has_no_latency_and_unknown_lag() {
        let quiet = view(None, &figures(vec![agent("quiet")]));
        let row = &quiet.agents[0];
        assert_eq!((row.p50_micros, row.p99_micros, row.lag, row.records_per_s), (None, None, None, 0.0));
    }
}
