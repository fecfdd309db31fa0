//! Kafka's errors in our words.

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use super::link::Link;
use crate::streams::StreamError;
use crate::streams::output::keyless;

/// What is forbidden where Kafka doesn't say which topic.
pub(super) const A_TOPIC: &str = "a topic";

/// What an error of a request about `topic` means (an empty name: no single topic).
pub(super) fn translate(error: &KafkaError, topic: &str, link: &Link) -> StreamError {
    match error {
        KafkaError::ClientConfig(_, description, name, value) => {
            StreamError::Config(format!("{description}: `{name}` = `{value}`"))
        }
        KafkaError::ClientCreation(reason) => StreamError::Config(reason.clone()),
        _ => match error.rdkafka_error_code() {
            Some(code) => translate_code(code, &error.to_string(), topic, link),
            None => StreamError::Failed(error.to_string()),
        },
    }
}

/// What an error code of a request about `topic` means.
pub(super) fn translate_code(code: RDKafkaErrorCode, text: &str, topic: &str, link: &Link) -> StreamError {
    use RDKafkaErrorCode as Code;
    match code {
        Code::UnknownTopic | Code::UnknownTopicOrPartition if !topic.is_empty() => {
            StreamError::UnknownTopic(topic.to_owned())
        }
        Code::TopicAlreadyExists => StreamError::TopicExists(topic.to_owned()),
        Code::InvalidTopic | Code::InvalidPartitions | Code::InvalidReplicationFactor | Code::PolicyViolation => {
            StreamError::InvalidTopic { name: topic.to_owned(), reason: text.to_owned() }
        }
        Code::InvalidRecord | Code::InvalidDifferentRecord => keyless(topic),
        Code::MessageSizeTooLarge => StreamError::InvalidRecord {
            topic: topic.to_owned(),
            reason: "the topic takes only smaller records; raise its `max.message.bytes`, or send less".to_owned(),
        },
        Code::TopicAuthorizationFailed
        | Code::GroupAuthorizationFailed
        | Code::ClusterAuthorizationFailed
        | Code::TransactionalIdAuthorizationFailed => StreamError::Forbidden(forbidden(code, topic)),
        Code::Authentication | Code::SaslAuthenticationFailed | Code::SSL => StreamError::Refused(text.to_owned()),
        _ if is_fenced(code) => StreamError::Fenced(text.to_owned()),
        _ if is_no_answer(code) => match link.reason() {
            Some((true, reason)) => StreamError::Refused(reason),
            Some((false, reason)) => StreamError::Unavailable(reason),
            None => StreamError::Unavailable(text.to_owned()),
        },
        _ => StreamError::Failed(text.to_owned()),
    }
}

/// What the broker's rules don't let us do.
fn forbidden(code: RDKafkaErrorCode, topic: &str) -> String {
    use RDKafkaErrorCode as Code;
    match code {
        Code::TopicAuthorizationFailed if !topic.is_empty() => format!("topic `{topic}`"),
        Code::TopicAuthorizationFailed => A_TOPIC.to_owned(),
        Code::GroupAuthorizationFailed => "a consumer group".to_owned(),
        Code::TransactionalIdAuthorizationFailed => "transactions".to_owned(),
        _ => "something about the cluster".to_owned(),
    }
}

/// True where the group or a newer producer has taken our place.
pub(super) fn is_fenced(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(
        code,
        Code::IllegalGeneration
            | Code::UnknownMemberId
            | Code::FencedInstanceId
            | Code::Fenced
            | Code::ProducerFenced
            | Code::InvalidProducerEpoch
            | Code::StaleMemberEpoch
            | Code::FencedMemberEpoch
            | Code::RebalanceInProgress
    )
}

/// True where nobody answered, or not yet.
pub(super) fn is_no_answer(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(
        code,
        Code::BrokerTransportFailure
            | Code::AllBrokersDown
            | Code::Resolve
            | Code::OperationTimedOut
            | Code::MessageTimedOut
            | Code::TimedOutQueue
            | Code::RequestTimedOut
            | Code::NetworkException
            | Code::BrokerNotAvailable
            | Code::LeaderNotAvailable
            | Code::NotLeaderForPartition
            | Code::CoordinatorNotAvailable
            | Code::CoordinatorLoadInProgress
            | Code::NotCoordinator
            | Code::WaitingForCoordinator
            | Code::WaitCache
            | Code::NotEnoughReplicas
            | Code::UnstableOffsetCommit
            | Code::ConcurrentTransactions
    )
}
