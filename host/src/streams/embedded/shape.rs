//! What the embedded log can do about a topic's shape: it keeps everything, once, for ever.

use crate::streams::topic::check_topic;
use crate::streams::{Bound, Cleanup, Keeps, StreamError, TopicChange, TopicShape, TopicSpec};

/// A topic as it is.
pub fn of(spec: TopicSpec) -> TopicShape {
    let cleanup = if spec.compacted { Cleanup::Compact } else { Cleanup::Delete };
    let keeps =
        Keeps { cleanup: Some(cleanup), retention_ms: Some(Bound::Unlimited), retention_bytes: Some(Bound::Unlimited) };
    TopicShape { spec, replicas: Some(1), keeps }
}

/// A change that can be made.
#[derive(Debug, PartialEq, Eq)]
pub enum Feasible<'c> {
    /// A new topic. Bounds and replicas of its shape are for logs that have them.
    Create(&'c TopicSpec),
    /// More partitions; state lies beside the topic and needs no room of its own.
    Grow(&'c str, u32),
}

/// The part of a change that can be made here.
///
/// # Errors
/// [`StreamError::InvalidTopic`]
pub fn feasible(change: &TopicChange) -> Result<Feasible<'_>, StreamError> {
    match change {
        TopicChange::Create(shape) => Ok(Feasible::Create(&shape.spec)),
        TopicChange::Grow { name, partitions, .. } => {
            check_topic(&TopicSpec { name: name.clone(), partitions: *partitions, compacted: false })?;
            Ok(Feasible::Grow(name, *partitions))
        }
        TopicChange::Keep { name, .. } => Err(StreamError::InvalidTopic {
            name: name.clone(),
            reason: "the embedded log keeps everything, and a topic's kind is decided when it is made".to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_topic_keeps_can_not_change() {
        let change = TopicChange::Keep { name: "t".into(), keeps: Keeps::default() };
        assert_eq!(feasible(&change).unwrap_err().code(), "topic.invalid");
        let grow = |partitions| TopicChange::Grow { name: "t".into(), partitions, states: vec![] };
        assert_eq!(feasible(&grow(3)), Ok(Feasible::Grow("t", 3)));
        assert!(feasible(&grow(100_000)).is_err());
    }
}
