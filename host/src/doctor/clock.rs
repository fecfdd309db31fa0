//! Clocks that differ: approvals and keys expire, timers fire and records go by the time of whoever looks.

use std::time::Duration;

use super::{Finding, Level};
use crate::store::{Store, now_ms};
use crate::streams::SharedStreams;

/// Differences up to this are ordinary, in milliseconds.
const SKEW_MS_MAX: i64 = 2_000;
/// Topics whose newest record is looked at.
const TOPICS_MAX: usize = 8;
/// How long a record that should be there is waited for.
const RECORD_WAIT: Duration = Duration::from_millis(500);
const NEXT: &str = "Let a time service (chrony, systemd-timesyncd) set the clocks of both machines.";

/// What is known of another clock: how far it is ahead of ours, in milliseconds, and how sure that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Skew {
    ahead_ms: i64,
    unsure_ms: i64,
}

impl Skew {
    /// Of a clock that was asked at `sent` and whose answer was here at `received`, by ours.
    fn of(sent: i64, theirs: i64, received: i64) -> Self {
        let trip = received.saturating_sub(sent).max(0);
        Self { ahead_ms: theirs.saturating_sub(sent.saturating_add(trip / 2)), unsure_ms: trip / 2 + 1 }
    }

    /// True where the clocks certainly differ by more than is ordinary.
    fn is_too_much(self) -> bool {
        self.ahead_ms.saturating_abs().saturating_sub(self.unsure_ms) > SKEW_MS_MAX
    }
}

/// The database's clock; SQLite has ours.
pub(super) async fn of_database(store: &Store) -> Option<Finding> {
    let sent = now_ms();
    let theirs = match store.clock_ms().await {
        Ok(theirs) => theirs?,
        Err(error) => return Some(Finding::advise("clock.database", Level::Warn, error.to_string(), "Try again.")),
    };
    Some(database(Skew::of(sent, theirs, now_ms())))
}

fn database(skew: Skew) -> Finding {
    let Skew { ahead_ms, unsure_ms } = skew;
    if skew.is_too_much() {
        let says = format!("the database's clock is {ahead_ms} ms from this machine's (± {unsure_ms} ms)");
        return Finding::advise("clock.database", Level::Warn, says, NEXT);
    }
    Finding::ok("clock.database", format!("within {} ms of this machine's", ahead_ms.saturating_abs() + unsure_ms))
}

/// The clocks of whoever writes to the log. Kafka's protocol tells no time, but a record from the future tells enough.
pub(super) async fn of_log(streams: &SharedStreams) -> Finding {
    let mut newest = None;
    let topics = streams.topics().await.unwrap_or_default();
    for topic in topics.iter().take(TOPICS_MAX) {
        let Ok(marks) = streams.watermarks(&topic.name, 0).await else { continue };
        if marks.next <= marks.first {
            continue;
        }
        let read = streams.read(&topic.name, 0, marks.next - 1, 1, RECORD_WAIT).await;
        let stamp = read.ok().and_then(|batch| batch.timestamps_ms.last().copied());
        newest = newest.max(stamp.map(|stamp| (stamp, topic.name.clone())));
    }
    log(newest, now_ms())
}

fn log(newest: Option<(i64, String)>, now: i64) -> Finding {
    match newest {
        Some((stamp, topic)) if stamp.saturating_sub(now) > SKEW_MS_MAX => {
            let ahead = stamp.saturating_sub(now);
            let says =
                format!("a record of `{topic}` is {ahead} ms from the future: its writer's clock or this one is wrong");
            Finding::advise("clock.log", Level::Warn, says, NEXT)
        }
        Some(_) => {
            Finding::ok("clock.log", "no record that was looked at is from the future; Kafka itself tells no time")
        }
        None => Finding::ok("clock.log", "nothing to compare with: Kafka tells no time, and there are no records"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_answer_is_no_skew() {
        assert_eq!(Skew::of(1000, 1050, 1100), Skew { ahead_ms: 0, unsure_ms: 51 });
        // It may have been said at the very beginning or the very end.
        assert!(!Skew::of(0, 5_000, 6_000).is_too_much());
        assert!(!Skew::of(0, 1_900, 2).is_too_much());
    }

    #[test]
    fn clocks_that_differ_for_certain_are_named_either_way() {
        for theirs in [10_000, -10_000] {
            let skew = Skew::of(0, theirs, 10);
            assert!(skew.is_too_much(), "{skew:?}");
            let found = database(skew);
            assert!(found.level == Level::Warn && found.next.contains("chrony"), "{found:?}");
        }
        assert_eq!(database(Skew::of(0, 3, 10)).level, Level::Ok);
        assert!(!Skew::of(i64::MAX, i64::MIN, i64::MIN).is_too_much() || Skew::of(0, i64::MIN, 0).is_too_much());
    }

    #[test]
    fn a_record_from_the_future_is_named_with_its_topic() {
        let at = |stamp| log(Some((stamp, "t".to_owned())), 1_000_000);
        assert_eq!((at(1_000_500).level, at(0).level), (Level::Ok, Level::Ok));
        let future = at(1_060_000);
        assert!(future.level == Level::Warn && future.says.contains("`t` is 60000 ms"), "{future:?}");
        assert_eq!(log(None, 0).level, Level::Ok);
    }
}
