//! Topics on which tools can be called: are they there.

use super::{Finding, Level};
use crate::home::{Home, ToolTopicsConfig};
use crate::streams::{SharedStreams, TopicSpec};

/// One finding for each pair of topics in host.toml.
pub(super) async fn examine(home: &Home, streams: &SharedStreams) -> Vec<Finding> {
    // A host.toml that can't be read is said already.
    let pairs = home.config().map(|config| config.tool_topics).unwrap_or_default();
    if pairs.is_empty() {
        return Vec::new();
    }
    match streams.topics().await {
        Ok(topics) => pairs.iter().map(|pair| judge(pair, &topics)).collect(),
        Err(error) => vec![Finding::advise("tool_topics", Level::Warn, error.to_string(), "Try again.")],
    }
}

fn judge(pair: &ToolTopicsConfig, topics: &[TopicSpec]) -> Finding {
    let check = format!("tool_topics {}", pair.requests);
    let missing = [&pair.requests, &pair.results].into_iter().find(|name| topics.iter().all(|t| t.name != **name));
    match missing {
        Some(name) => {
            let next = format!("Create it: `wasmill topic create {name}`.");
            Finding::advise(&check, Level::Warn, format!("waits: the topic {name} is not there"), next)
        }
        None => Finding::ok(&check, format!("answers on {} as client:{}", pair.results, pair.client)),
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
    }
}
