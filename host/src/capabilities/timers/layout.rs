//! How timers are kept in a partition's state: beside the guest's keys, which begin with another byte and so never reach
//! them.
//!
//! | key | value |
//! |---|---|
//! | `2 name` | when the timer is due |
//! | `3 name` | when the schedule is due, and its text |
//! | `4 due kind name`, so that the first is due first | 1, and the timer's payload |
//! | `0 1` | how many timers wait |
//! | `0 2` | the number of the next firing |

use wasmill_registry::{CRON_TOPIC, TIMER_TOPIC};

const TIMER: u8 = 2;
const CRON: u8 = 3;
const DUE: u8 = 4;
/// What every key under which something is due begins with.
pub(super) const DUE_PREFIX: &[u8] = &[DUE];
/// What every schedule's key begins with.
pub(super) const CRON_PREFIX: &[u8] = &[CRON];
/// What every timer's key begins with.
pub(super) const TIMER_PREFIX: &[u8] = &[TIMER];
/// Key of the number of timers that wait.
pub(super) const COUNT_KEY: &[u8] = &[0, 1];
/// Key of the number of the next firing.
pub(super) const NUMBER_KEY: &[u8] = &[0, 2];
/// Bytes of a moment.
const MOMENT: usize = size_of::<u64>();

/// What fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A timer that the agent has set.
    Timer,
    /// A schedule of its manifest.
    Cron,
}

impl Kind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Timer, Self::Cron];

    /// What stands as the topic of its batches.
    pub fn topic(self) -> &'static str {
        match self {
            Self::Timer => TIMER_TOPIC,
            Self::Cron => CRON_TOPIC,
        }
    }

    /// The kind whose batches have this topic. No real topic of an agent has such a name: its manifest is refused.
    pub fn of_topic(topic: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.topic() == topic)
    }

    fn byte(self) -> u8 {
        match self {
            Self::Timer => TIMER,
            Self::Cron => CRON,
        }
    }
}

/// True for the keys that decide when something is due.
pub fn is_due_key(key: &[u8]) -> bool {
    key.starts_with(DUE_PREFIX)
}

pub(super) fn name_key(kind: Kind, name: &[u8]) -> Vec<u8> {
    [&[kind.byte()], name].concat()
}

pub(super) fn due_key(due_ms: u64, kind: Kind, name: &[u8]) -> Vec<u8> {
    [DUE_PREFIX, &due_ms.to_be_bytes(), &[kind.byte()], name].concat()
}

/// Moment, kind and name of a key under which something is due.
pub(super) fn parse_due_key(key: &[u8]) -> Option<(u64, Kind, &[u8])> {
    let (due_ms, rest) = split_moment(key.strip_prefix(DUE_PREFIX)?)?;
    let (byte, name) = rest.split_first()?;
    Some((due_ms, Kind::ALL.into_iter().find(|kind| kind.byte() == *byte)?, name))
}

/// A moment, and what comes after it.
pub(super) fn split_moment(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (moment, rest) = bytes.split_at_checked(MOMENT)?;
    Some((u64::from_be_bytes(moment.try_into().ok()?), rest))
}

/// The value of a key under which something is due. It is never empty, whatever the payload.
pub(super) fn due_value(payload: &[u8]) -> Vec<u8> {
    [&[1], payload].concat()
}

/// The payload again.
pub(super) fn payload(value: &[u8]) -> &[u8] {
    value.get(1..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_sort_by_the_moment_and_come_apart_again() {
        let keys = [
            due_key(1, Kind::Cron, b"z"),
            due_key(255, Kind::Timer, b"b"),
            due_key(256, Kind::Timer, b"a"),
            due_key(u64::MAX, Kind::Timer, b""),
        ];
        assert!(keys.is_sorted());
        assert_eq!(parse_due_key(&keys[1]), Some((255, Kind::Timer, &b"b"[..])));
        assert_eq!(parse_due_key(&keys[0]), Some((1, Kind::Cron, &b"z"[..])));
    }

    #[test]
    fn what_is_no_such_key_is_none() {
        for key in [&b""[..], &[DUE], &[DUE, 0, 0, 0, 0, 0, 0, 0, 1], &[DUE, 0, 0, 0, 0, 0, 0, 0, 1, 9, b'n'], b"\x01k"]
        {
            assert_eq!(parse_due_key(key), None, "{key:?}");
        }
    }
}
