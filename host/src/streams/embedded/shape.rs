//! What the embedded log can do about a topic's shape: it keeps one copy, and a topic's kind is decided when it is made.

use super::catalog::Topic;
use super::retention::{FOREVER, changed};
use crate::streams::topic::check_topic;
use crate::streams::{Cleanup, Keeps, StreamError, TopicChange, TopicShape, TopicSpec};

/// A topic as it is.
pub fn of(topic: &Topic) -> TopicShape {
    let spec = topic.spec.clone();
    let keeps = topic.bounds.keeps(spec.compacted);
    TopicShape { spec, replicas: Some(1), keeps }
}

/// A change that can be made.
#[derive(Debug, PartialEq, Eq)]
pub enum Feasible<'c> {
    /// A new topic with its bounds as they are stored. Replicas are for logs that have them.
    Create(&'c TopicSpec, (u64, u64)),
    /// More partitions; state lies beside the topic and needs no room of its own.
    Grow(&'c str, u32),
    /// Other bounds.
    Keep(&'c str, &'c Keeps),
}

/// The part of a change that can be made here.
///
/// # Errors
/// [`StreamError::InvalidTopic`]
pub fn feasible(change: &TopicChange) -> Result<Feasible<'_>, StreamError> {
    match change {
        TopicChange::Create(shape) => Ok(Feasible::Create(&shape.spec, changed(FOREVER, &shape.keeps))),
        TopicChange::Grow { name, partitions, .. } => {
            check_topic(&TopicSpec { name: name.clone(), partitions: *partitions, compacted: false })?;
            Ok(Feasible::Grow(name, *partitions))
        }
        TopicChange::Keep { name, keeps } => Ok(Feasible::Keep(name, keeps)),
    }
}

/// Refuses to make a topic of one kind one of the other.
///
/// # Errors
/// [`StreamError::InvalidTopic`]
pub fn check_kind(topic: &TopicSpec, cleanup: Option<Cleanup>) -> Result<(), StreamError> {
    match cleanup {
        Some(cleanup) if cleanup.is_compacting() != topic.compacted => Err(StreamError::InvalidTopic {
            name: topic.name.clone(),
            reason: "the embedded log decides whether a topic is compacted when it is made".to_owned(),
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_are_checked_and_a_kind_stays() {
        let grow = |partitions| TopicChange::Grow { name: "t".into(), partitions, states: vec![] };
        assert_eq!(feasible(&grow(3)), Ok(Feasible::Grow("t", 3)));
        assert!(feasible(&grow(100_000)).is_err());
        let plain = TopicSpec { name: "t".into(), partitions: 1, compacted: false };
        assert_eq!(check_kind(&plain, Some(Cleanup::Compact)).unwrap_err().code(), "topic.invalid");
        assert_eq!(check_kind(&plain, Some(Cleanup::Delete)), Ok(()));
        assert_eq!(check_kind(&TopicSpec { compacted: true, ..plain }, Some(Cleanup::CompactAndDelete)), Ok(()));
    }
}
