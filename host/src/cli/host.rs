//! `wasmill host`

use clap::Subcommand;
use console::style;

use super::Context;
use super::output::{printable, table};
use super::progress::Progress;
use crate::agents::AgentState;
use crate::gateway::{HostReply, Liveness};
use crate::problem::Problem;
use crate::watch::{AgentHeld, TopicHeld};

/// Verbs of `host`.
#[derive(Debug, Subcommand)]
pub(super) enum Host {
    /// List all hosts that share this one's database, with their agents, partitions and lag
    #[command(after_help = "Hosts say every five seconds what they have. One that misses three of these is silent: its
partitions go to others, and what is shown is what it had. After a day it is forgotten. A host that is stopped in order
is not listed any more.

Examples:
  wasmill host list
  wasmill host list --output json")]
    List,
}

impl Host {
    pub async fn run(self, cx: &Context) -> Result<(), Problem> {
        match self {
            Self::List => list(cx).await,
        }
    }
}

async fn list(cx: &Context) -> Result<(), Problem> {
    let progress = Progress::start(cx.output, "Asking the database");
    let hosts: Vec<HostReply> = cx.client().await?.get("/v1/hosts").await?;
    drop(progress);
    cx.output.show(&hosts, |hosts| human(hosts))
}

fn human(hosts: &[HostReply]) -> String {
    if hosts.is_empty() {
        return "No host is up. Start one with `wasmill up`.".to_owned();
    }
    let rows = hosts.iter().flat_map(|host| {
        let state = match host.state {
            Liveness::Up => style("up".to_owned()).green(),
            Liveness::Silent => style(format!("silent for {}", ago(host.silent_ms))).red().bold(),
        };
        let name = format!("{} ({})", printable(&host.name), printable(&host.instance));
        let mut lines = of_agents(&host.agents);
        if lines.is_empty() {
            lines.push(["-", "-", "-", "-"].map(str::to_owned));
        }
        // The host's own columns are filled in its first line only.
        lines.into_iter().enumerate().map(move |(at, [agent, topic, partitions, lag])| {
            let (name, state) = if at == 0 { (name.clone(), state.to_string()) } else { Default::default() };
            [name, state, agent, topic, partitions, lag]
        })
    });
    table(["HOST", "STATE", "AGENT", "TOPIC", "PARTITIONS", "LAG"], rows)
}

fn of_agents(agents: &[AgentHeld]) -> Vec<[String; 4]> {
    let line = |agent: &AgentHeld, topic: &TopicHeld| {
        let lag = topic.lag.map_or_else(|| "-".to_owned(), |lag| lag.to_string());
        [printable(&agent.agent), printable(&topic.topic), ranges(&topic.partitions), lag]
    };
    let of_agent = |agent: &AgentHeld| match (&agent.state, agent.topics.is_empty()) {
        (AgentState::Waiting { reason }, _) => {
            vec![[printable(&agent.agent), format!("waits: {}", printable(reason)), "-".into(), "-".into()]]
        }
        (AgentState::Running, true) => vec![[printable(&agent.agent), "-".into(), "-".into(), "-".into()]],
        (AgentState::Running, false) => agent.topics.iter().map(|topic| line(agent, topic)).collect(),
    };
    agents.iter().flat_map(of_agent).collect()
}

/// `0-3, 7` for 0, 1, 2, 3 and 7.
fn ranges(numbers: &[u32]) -> String {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for number in numbers {
        match runs.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(*number) => *last = *number,
            _ => runs.push((*number, *number)),
        }
    }
    let run = |(first, last): &(u32, u32)| if first == last { first.to_string() } else { format!("{first}-{last}") };
    runs.iter().map(run).collect::<Vec<_>>().join(", ")
}

/// `42 s`, `5 min`, `3 h`.
fn ago(millis: i64) -> String {
    match millis / 1_000 {
        seconds @ ..120 => format!("{seconds} s"),
        seconds @ 120..7_200 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3_600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_are_shown_as_ranges() {
        for (numbers, shown) in [(&[][..], ""), (&[4], "4"), (&[0, 1, 2, 3, 7, 9, 10], "0-3, 7, 9-10")] {
            assert_eq!(ranges(numbers), shown);
        }
    }

    #[test]
    fn every_agent_of_a_host_has_its_lines_and_the_host_stands_at_the_first() {
        let topic = |topic: &str, lag| TopicHeld { topic: topic.into(), partitions: vec![0, 1], lag };
        let agent = |agent: &str, state, topics| AgentHeld { agent: agent.into(), state, topics };
        let waiting = AgentState::Waiting { reason: "no\x1b[2J topic".into() };
        let host = HostReply {
            instance: "abc".into(),
            name: "one".into(),
            version: "0.1.0".into(),
            state: Liveness::Silent,
            started_ms: 0,
            seen_ms: 0,
            silent_ms: 42_000,
            agents: vec![
                agent("upper@0.1.0", AgentState::Running, vec![topic("a", Some(7)), topic("b", None)]),
                agent("later@0.1.0", waiting, vec![]),
            ],
        };
        let shown = human(&[host]);
        let lines: Vec<Vec<&str>> = shown.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines[1], ["one", "(abc)", "silent", "for", "42", "s", "upper@0.1.0", "a", "0-1", "7"]);
        assert_eq!(lines[2], ["upper@0.1.0", "b", "0-1", "-"]);
        assert!(shown.contains("later@0.1.0") && !shown.contains('\x1b'), "{shown}");
    }
}
