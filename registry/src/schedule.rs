//! Timers as far as a manifest speaks of them: when a schedule is due, and how what fires is named.

use std::fmt;
use std::str::FromStr;

use chrono::DateTime;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// What stands as the topic of a batch of timers that fire.
pub const TIMER_TOPIC: &str = "wasmill.timer";
/// What stands as the topic of a batch of schedules that are due.
pub const CRON_TOPIC: &str = "wasmill.cron";
/// Names that no topic of an agent may have: what comes under them was not sent by anybody.
pub(crate) const FIRED_TOPICS: [&str; 2] = [TIMER_TOPIC, CRON_TOPIC];
/// Longest name of a timer, bytes.
pub const TIMER_NAME_SIZE_MAX: usize = 256;
/// Largest payload of a timer, bytes.
pub const TIMER_PAYLOAD_SIZE_MAX: usize = 64 * 1024;
/// Longest text of a schedule, bytes.
const SCHEDULE_SIZE_MAX: usize = 128;

/// Checks the name of a timer.
///
/// # Errors
/// What is wrong, as a sentence.
pub fn check_timer_name(name: &str) -> Result<(), String> {
    if name.is_empty() || name.len() > TIMER_NAME_SIZE_MAX {
        return Err(format!("the name of a timer has 1 to {TIMER_NAME_SIZE_MAX} bytes, this one has {}", name.len()));
    }
    if name.chars().any(char::is_control) {
        return Err("the name of a timer has no control characters".to_owned());
    }
    Ok(())
}

/// Times that come again and again, in UTC: minute, hour, day of month, month, day of week, and seconds in front of them
/// where there is a sixth field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    text: String,
    cron: croner::Cron,
}

impl Schedule {
    /// The first time after `after_ms`, both in milliseconds since 1970; none where there is none before the year 5000.
    pub fn next_after(&self, after_ms: u64) -> Option<u64> {
        let after = DateTime::from_timestamp_millis(i64::try_from(after_ms).ok()?)?;
        let next = self.cron.find_next_occurrence(&after, false).ok()?;
        u64::try_from(next.timestamp_millis()).ok().filter(|next| *next > after_ms)
    }
}

impl FromStr for Schedule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.len() > SCHEDULE_SIZE_MAX {
            return Err(format!("a schedule has at most {SCHEDULE_SIZE_MAX} bytes"));
        }
        let cron = croner::Cron::from_str(text).map_err(|error| {
            format!("`{text}` is no schedule, for example `0 3 * * *` for each day at three (UTC): {error}")
        })?;
        let schedule = Self { text: text.to_owned(), cron };
        // A date that never comes, as 30 February.
        schedule.next_after(0).map(|_| schedule.clone()).ok_or_else(|| format!("`{text}` is never due"))
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Schedule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Schedule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-03-01T00:00:00Z.
    const MARCH: u64 = 1_772_323_200_000;
    const MINUTE: u64 = 60_000;

    fn next(schedule: &str, after_ms: u64) -> u64 {
        schedule.parse::<Schedule>().unwrap().next_after(after_ms).unwrap()
    }

    #[test]
    fn the_next_time_is_after_the_moment_and_never_at_it() {
        assert_eq!(next("* * * * *", MARCH), MARCH + MINUTE);
        assert_eq!(next("* * * * *", MARCH - 1), MARCH);
        assert_eq!(next("* * * * *", MARCH + 1), MARCH + MINUTE);
        assert_eq!(next("0 3 * * *", MARCH), MARCH + 180 * MINUTE);
        assert_eq!(next("*/2 * * * * *", MARCH), MARCH + 2000);
        assert_eq!(next("@daily", MARCH), MARCH + 24 * 60 * MINUTE);
    }

    #[test]
    fn what_is_no_schedule_is_refused() {
        let long = format!("{} * * * *", "1,".repeat(100));
        for text in ["", "often", "* * * *", "61 * * * *", "0 0 30 2 *", "* * * * * * * *", long.as_str()] {
            assert!(text.parse::<Schedule>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_moment_beyond_all_calendars_has_no_next() {
        assert_eq!("* * * * *".parse::<Schedule>().unwrap().next_after(u64::MAX), None);
    }
}
