//! What a topic keeps, in Kafka's words and in ours.

use rdkafka::admin::ConfigResource;

use crate::streams::{Bound, Cleanup, Keeps};

const CLEANUP: &str = "cleanup.policy";
const MILLIS: &str = "retention.ms";
const BYTES: &str = "retention.bytes";

/// What the settings of a topic say.
pub(super) fn read(resource: &ConfigResource) -> Keeps {
    let value = |name: &str| resource.get(name).and_then(|entry| entry.value.as_deref());
    Keeps {
        cleanup: value(CLEANUP).and_then(cleanup),
        retention_ms: value(MILLIS).and_then(bound),
        retention_bytes: value(BYTES).and_then(bound),
    }
}

/// The settings that say it.
pub(in crate::streams::kafka) fn write(keeps: &Keeps) -> Vec<(&'static str, String)> {
    let mut settings = Vec::new();
    if let Some(cleanup) = keeps.cleanup {
        let word = match cleanup {
            Cleanup::Delete => "delete",
            Cleanup::Compact => "compact",
            Cleanup::CompactAndDelete => "compact,delete",
        };
        settings.push((CLEANUP, word.to_owned()));
    }
    for (name, bound) in [(MILLIS, keeps.retention_ms), (BYTES, keeps.retention_bytes)] {
        if let Some(bound) = bound {
            settings.push((name, number(bound)));
        }
    }
    settings
}

fn cleanup(text: &str) -> Option<Cleanup> {
    let has = |word: &str| text.split(',').any(|part| part.trim() == word);
    match (has("compact"), has("delete")) {
        (true, true) => Some(Cleanup::CompactAndDelete),
        (true, false) => Some(Cleanup::Compact),
        (false, true) => Some(Cleanup::Delete),
        (false, false) => None,
    }
}

fn bound(text: &str) -> Option<Bound> {
    match text.trim().parse::<i64>().ok()? {
        -1 => Some(Bound::Unlimited),
        number => u64::try_from(number).ok().map(Bound::AtMost),
    }
}

fn number(bound: Bound) -> String {
    match bound {
        Bound::Unlimited => "-1".to_owned(),
        Bound::AtMost(number) => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kafkas_words_are_read() {
        assert_eq!(cleanup("delete, compact"), Some(Cleanup::CompactAndDelete));
        assert_eq!(
            (cleanup("delete"), cleanup("compact"), cleanup("")),
            (Some(Cleanup::Delete), Some(Cleanup::Compact), None)
        );
        assert_eq!(
            (bound("-1"), bound("5"), bound("-2"), bound("x")),
            (Some(Bound::Unlimited), Some(Bound::AtMost(5)), None, None)
        );
    }

    #[test]
    fn only_what_is_said_is_written() {
        let keeps = Keeps { retention_bytes: Some(Bound::Unlimited), ..Keeps::default() };
        assert_eq!(write(&keeps), [("retention.bytes", "-1".to_owned())]);
    }
}
