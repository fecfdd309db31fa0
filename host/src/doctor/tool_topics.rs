//! Topics on which tools can be called, and clients talk with agents: are they there.

use super::{Finding, Level};
use crate::home::{ConversationsConfig, Home, ToolTopicsConfig};
use crate::streams::{SharedStreams, TopicSpec};

/// One finding for each pair of topics in host.toml.
pub(super) async fn examine(home: &Home, streams: &SharedStreams) -> Vec<Finding> {
    // A host.toml that can't be read is said already.
    let Ok(config) = home.config() else { return Vec::new() };
    if config.tool_topics.is_empty() && config.conversations.is_none() {
        return Vec::new();
    }
    match streams.topics().await {
        Ok(topics) => {
            let pairs = config.tool_topics.iter().map(|pair| judge(pair, &topics));
            pairs.chain(config.conversations.iter().map(|pair| judge_conversations(pair, &topics))).collect()
        }
        Err(error) => vec![Finding::advise("tool_topics", Level::Warn, error.to_string(), "Try again.")],
    }
}

fn judge(pair: &ToolTopicsConfig, topics: &[TopicSpec]) -> Finding {
    let check = format!("tool_topics {}", pair.requests);
    let well = format!("answers on {} as client:{}", pair.results, pair.client);
    judge_topics(&check, [&pair.requests, &pair.results], topics, well)
}

fn judge_conversations(pair: &ConversationsConfig, topics: &[TopicSpec]) -> Finding {
    let well = format!("clients say on {} what agents answer on {}", pair.inbound, pair.outbound);
    judge_topics("conversations", [&pair.inbound, &pair.outbound], topics, well)
}

fn judge_topics(check: &str, wanted: [&String; 2], topics: &[TopicSpec], well: String) -> Finding {
    match wanted.into_iter().find(|name| topics.iter().all(|topic| topic.name != **name)) {
        Some(name) => {
            let next = format!("Create it: `wasmill topic create {name}`.");
            Finding::advise(check, Level::Warn, format!("waits: the topic {name} is not there"), next)
        }
        None => Finding::ok(check, well),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_that_is_missing_is_named() {
        let config = crate::home::HostConfig::parse("[[tool_topics]]\nclient = 'desk'\n").unwrap();
        let topic = |name: &str| TopicSpec { name: name.into(), partitions: 1, compacted: false };
        let of = |topics: &[TopicSpec]| judge(&config.tool_topics[0], topics);
        assert!(of(&[topic("tool.results")]).next.contains("topic create tool.requests`"));
        assert!(of(&[topic("tool.requests")]).next.contains("topic create tool.results`"));
        assert_eq!(of(&[topic("tool.requests"), topic("tool.results")]).level, Level::Ok);
        let talks = |topics: &[TopicSpec]| judge_conversations(&ConversationsConfig::default(), topics);
        assert!(talks(&[topic("conversation.inbound")]).next.contains("topic create conversation.outbound`"));
        assert_eq!(talks(&[topic("conversation.inbound"), topic("conversation.outbound")]).level, Level::Ok);
    }
}
