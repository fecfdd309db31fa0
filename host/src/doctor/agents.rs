//! The installed agents on the log: are their topics there, does somebody read them, how far behind.

use super::{Finding, Level};
use crate::agents::group_of;
use crate::home::Home;
use crate::streams::kafka::KafkaStreams;
use crate::streams::{SharedStreams, StreamError};
use crate::topics::{Reader, readers};

/// So many records behind, a host or a partition more would help.
const LAG_WARN: u64 = 10_000;

/// One finding for each agent; `kafka` also tells who is in its group.
pub(super) async fn examine(home: &Home, streams: &SharedStreams, kafka: Option<&KafkaStreams>) -> Vec<Finding> {
    // A registry that can't be read is said already.
    let agents = home.registry().and_then(|registry| readers(&registry)).unwrap_or_default();
    let topics = match streams.topics().await {
        Ok(topics) => topics,
        Err(error) => return vec![Finding::advise("agents", Level::Warn, error.to_string(), "Try again.")],
    };
    let mut all = Vec::with_capacity(agents.len());
    for agent in agents {
        let is_missing = |name: &&String| !topics.iter().any(|topic| topic.name == **name);
        let missing: Vec<String> = agent.reads.iter().filter(is_missing).cloned().collect();
        all.push(match facts(&agent, missing, streams, kafka).await {
            Ok(facts) => judge(&agent, &facts),
            Err(error) => advise(&agent, format!("can't be looked at: {error}"), "See the lines above.".to_owned()),
        });
    }
    all
}

/// What is known of an agent's work.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Facts {
    /// Topics that it reads and that there aren't, or that the broker doesn't show.
    missing: Vec<String>,
    /// Records that it has not done, at most.
    behind: u64,
    /// Partitions of the topic that has most.
    partitions: usize,
    /// Members of its group; none where the log doesn't tell.
    members: Option<usize>,
}

async fn facts(
    agent: &Reader,
    missing: Vec<String>,
    streams: &SharedStreams,
    kafka: Option<&KafkaStreams>,
) -> Result<Facts, StreamError> {
    let mut facts = Facts { missing, ..Facts::default() };
    let group = group_of(&agent.agent);
    for topic in agent.reads.iter().filter(|topic| !facts.missing.contains(topic)) {
        let committed = streams.committed(&group, topic).await?;
        facts.partitions = facts.partitions.max(committed.len());
        let partitions = (0..).zip(&committed).map(|(partition, done)| async move {
            let marks = streams.watermarks(topic, partition).await?;
            Ok::<u64, StreamError>(marks.next.saturating_sub(done.unwrap_or(0).max(marks.first)))
        });
        facts.behind += futures::future::try_join_all(partitions).await?.into_iter().sum::<u64>();
    }
    if let Some(kafka) = kafka {
        facts.members = Some(kafka.group(&group).await?.members);
    }
    Ok(facts)
}

fn judge(agent: &Reader, facts: &Facts) -> Finding {
    if let Some(first) = facts.missing.first() {
        let says = format!("waits: it reads {}, which is not there", facts.missing.join(", "));
        return advise(agent, says, format!("Create it: `wasmill topic create {first}`."));
    }
    // Markers of transactions are counted too, hence "up to".
    let behind = match facts.behind {
        0 => "nothing waits for it".to_owned(),
        count => format!("up to {count} records wait for it"),
    };
    match facts.members {
        Some(0) if facts.behind > 0 => advise(
            agent,
            format!("{behind}, and no host works on it"),
            "Start a host with `wasmill up`; where one runs, `wasmill status` says why the agent waits.".to_owned(),
        ),
        members if facts.behind >= LAG_WARN => {
            let at_work = members.map(|members| format!(", workers: {members}")).unwrap_or_default();
            let next = format!(
                "If it grows, start further hosts, up to one for each of the {} partitions; `wasmill topic apply` adds partitions.",
                facts.partitions
            );
            advise(agent, format!("{behind}{at_work}"), next)
        }
        Some(members) => Finding::ok(&name(agent), format!("{behind}, workers: {members}")),
        None => Finding::ok(&name(agent), behind),
    }
}

fn advise(agent: &Reader, says: String, next: String) -> Finding {
    Finding::advise(&name(agent), Level::Warn, says, next)
}

fn name(agent: &Reader) -> String {
    format!("agent {}", agent.agent)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(facts: Facts) -> Finding {
        judge(&Reader { agent: "a".into(), reads: vec!["t".into()], keeps_state: false }, &facts)
    }

    #[test]
    fn what_keeps_an_agent_from_its_work_is_named() {
        let well = Facts { members: Some(2), behind: 3, partitions: 2, ..Facts::default() };
        assert_eq!(of(well.clone()).level, Level::Ok);
        assert_eq!(of(Facts { members: None, ..well.clone() }).level, Level::Ok);
        assert_eq!(of(Facts { members: Some(0), behind: 0, ..well.clone() }).level, Level::Ok);
        let missing = of(Facts { missing: vec!["t".into()], ..well.clone() });
        assert!(missing.level == Level::Warn && missing.next.contains("topic create t"), "{missing:?}");
        let dead = of(Facts { members: Some(0), ..well.clone() });
        assert!(dead.level == Level::Warn && dead.says.contains("no host"), "{dead:?}");
        let late = of(Facts { behind: LAG_WARN, ..well });
        assert!(late.level == Level::Warn && late.next.contains("2 partitions"), "{late:?}");
    }
}
