//! What a component may ask of a new topic, and what it gets where it asks for nothing. Decides only.

use crate::capabilities::errors;
use crate::permissions::{GrantLimits, LimitName};
use crate::runtime::bindings::errors::Error;
use crate::runtime::bindings::topics::Settings;
use crate::streams::{Bound, Cleanup, Keeps, TopicShape, TopicSpec, check_topic};

const HOUR_MS: u64 = 60 * 60 * 1000;

/// The topic as it is made. The name is allowed already.
///
/// # Errors
/// `invalid` for what no topic can be; `limit` for what the grant doesn't allow.
pub(super) fn shape(name: String, wanted: Settings, limits: &GrantLimits) -> Result<TopicShape, Error> {
    let Settings { partitions, retention_ms, compacted } = wanted;
    let spec = TopicSpec { name, partitions, compacted };
    check_topic(&spec).map_err(|e| errors::stream(&e))?;
    let most = limits.get(LimitName::TopicPartitions);
    if u64::from(partitions) > most.value {
        return Err(errors::limit(
            "topic.partitions",
            format!("a topic of {partitions} partitions is over the limit {most}"),
            "ask for fewer, or raise topic_partitions where it is set",
        ));
    }
    let hours = limits.get(LimitName::TopicHours);
    let longest_ms = hours.value.saturating_mul(HOUR_MS);
    let retention_ms = retention_ms.unwrap_or(longest_ms);
    if retention_ms > longest_ms {
        return Err(errors::limit(
            "topic.retention",
            format!("keeping records for {retention_ms} ms is over the limit {hours}"),
            "ask for less, or raise topic_hours where it is set",
        ));
    }
    let cleanup = if compacted { Cleanup::CompactAndDelete } else { Cleanup::Delete };
    let keeps =
        Keeps { cleanup: Some(cleanup), retention_ms: Some(Bound::AtMost(retention_ms)), retention_bytes: None };
    Ok(TopicShape { spec, replicas: None, keeps })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::permissions::{Matrix, Principal};

    fn limits() -> GrantLimits {
        let row = "[[row]]\nprincipal = \"agent:a\"\nlimits = { topic_partitions = 4, topic_hours = 2 }\n";
        Matrix::parse(row).unwrap().grant(&Principal::agent("a"), None, None, None).limits().clone()
    }

    fn asked(partitions: u32, retention_ms: Option<u64>, compacted: bool) -> Result<TopicShape, Error> {
        shape("t".into(), Settings { partitions, retention_ms, compacted }, &limits())
    }

    #[test]
    fn who_asks_for_no_time_gets_the_longest_that_is_allowed() {
        let made = asked(4, None, false).unwrap();
        assert_eq!((made.spec.partitions, made.keeps.retention_ms), (4, Some(Bound::AtMost(2 * HOUR_MS))));
        let made = asked(1, Some(5), true).unwrap();
        assert_eq!(made.keeps.retention_ms, Some(Bound::AtMost(5)));
        assert_eq!(made.keeps.cleanup, Some(Cleanup::CompactAndDelete), "compaction alone keeps for ever");
    }

    #[test]
    fn more_than_the_grant_allows_is_refused_by_name() {
        for (refused, code) in [
            (asked(5, None, false), "topic.partitions"),
            (asked(1, Some(2 * HOUR_MS + 1), false), "topic.retention"),
            (asked(1, Some(u64::MAX), true), "topic.retention"),
        ] {
            let Err(Error::Limit(problem)) = refused else { panic!("{refused:?}") };
            assert_eq!(problem.code, code);
            assert!(problem.message.contains("(row for \"agent:a\", permissions.toml line 1)"), "{problem:?}");
        }
        for partitions in [0, u32::MAX] {
            assert!(matches!(asked(partitions, None, false), Err(Error::Invalid(p)) if p.code == "topic.invalid"));
        }
    }
}
