//! Reading everything that a host counts.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use super::Host;
use crate::agents::{AgentState, group_of};
use crate::catalog::Agent;
use crate::conversations::Conversations;
use crate::meters::ProcessFigures;
use crate::store::now_ms;
use crate::tool_topics::ToolTopics;
use crate::watch::{AgentLine, ComponentFigures, Figures, HostFigures, Wanted};

/// How often figures are told.
const TELL_EVERY: Duration = Duration::from_secs(2);

impl Host {
    /// What it has done since it started, and what it holds now. May ask the log for lag, and then waits two seconds for
    /// it at most.
    pub async fn figures(&self) -> Figures {
        let snapshot = self.catalog.snapshot();
        let meters = &self.catalog.services().meters;
        let states = self.supervisor.status();
        let mut lines: Vec<AgentLine> = Vec::with_capacity(snapshot.agents.len());
        let mut wanted = Vec::with_capacity(snapshot.agents.len());
        for (name, agent) in &snapshot.agents {
            let status = states.iter().find(|status| *status.agent == *agent.identity.component);
            let starting = || AgentState::Waiting { reason: "it is not started".into() };
            let line = AgentLine {
                figures: meters.agents.get(name).figures(name),
                version: agent.manifest.version.to_string(),
                reads: agent.section.reads.clone(),
                state: status.map_or_else(starting, |status| status.state.clone()),
                lag: Vec::new(),
            };
            wanted.push(wish(agent, &line));
            lines.push(line);
        }
        let lags = self.lags.read(&self.streams, &wanted).await;
        for (line, lag) in lines.iter_mut().zip(lags) {
            line.lag = lag;
        }
        let components = ComponentFigures {
            tools: snapshot.tools.values().map(|versions| versions.len() as u64).sum(),
            agents: snapshot.agents.len() as u64,
            waiting: snapshot.waiting.len() as u64,
            refused: snapshot.refused.len() as u64,
            compiled: self.catalog.compiled_count() as u64,
        };
        Figures {
            at_ms: now_ms(),
            host: HostFigures {
                name: self.name.clone(),
                instance: self.instance.clone(),
                version: env!("CARGO_PKG_VERSION").into(),
                started_ms: self.started_ms,
                process: ProcessFigures::now(),
                components,
            },
            agents: lines,
            tools: meters.tools.all().iter().map(|(name, meter)| meter.figures(name)).collect(),
            flows: meters.flows.figures(),
            refused_calls: meters.refused_calls(),
            tool_topics: self.tool_topics.iter().map(ToolTopics::status).collect(),
            conversations: self.conversations.as_ref().map(Conversations::status),
            models: meters.models.all().iter().map(|(who, meter)| meter.figures(who)).collect(),
            forge: meters.forge.figures(),
            audit: meters.audit.figures(),
            telemetry: self.telemetry().figures(),
        }
    }

    /// Figures as JSON, every two seconds from now on: one reading for all who listen.
    pub fn told_figures(&self) -> watch::Receiver<Arc<str>> {
        self.told_figures.subscribe()
    }

    /// Reads figures while anybody listens.
    pub(super) async fn tell_figures(&self, mut stop: watch::Receiver<bool>) {
        let mut ticks = interval(TELL_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                _ = ticks.tick() => {}
            }
            if self.told_figures.receiver_count() == 0 {
                continue;
            }
            // They are made of names and numbers, which always have a JSON form.
            if let Ok(json) = serde_json::to_string(&self.figures().await) {
                self.told_figures.send_replace(json.into());
            }
        }
    }

    /// Forgets the counters of what is not installed any more.
    pub(super) fn forget_removed(&self) {
        let snapshot = self.catalog.snapshot();
        let meters = &self.catalog.services().meters;
        meters.agents.keep(|name| snapshot.agents.contains_key(name));
        meters.tools.keep(|name| snapshot.tools.contains_key(name));
        meters.flows.keep(|principal| match principal.split_once(':') {
            Some(("agent", name)) => snapshot.agents.contains_key(name),
            Some(("tool", name)) => snapshot.tools.contains_key(name),
            _ => true,
        });
        meters.models.keep(|who| match who.split_once(':') {
            Some(("agent", name)) => snapshot.agents.contains_key(name),
            Some(("tool", name)) => snapshot.tools.contains_key(name),
            _ => false,
        });
    }
}

fn wish(agent: &Agent, line: &AgentLine) -> Wanted {
    Wanted {
        group: group_of(agent.identity.principal.name()),
        topics: agent.section.reads.clone(),
        held: line.figures.held.clone(),
        is_running: line.state == AgentState::Running,
    }
}
