//! How often a worker may commit.

use std::time::{Duration, Instant};

/// Spaces an agent's transactions out, so that they are fewer and larger.
#[derive(Debug)]
pub struct Pace {
    every: Duration,
    last: Option<Instant>,
}

impl Pace {
    /// No two transactions begin to commit within so many milliseconds; 0: as soon as there is something.
    pub fn new(every_ms: u64) -> Self {
        Self { every: Duration::from_millis(every_ms), last: None }
    }

    /// When records may be taken for the next transaction; none: now.
    pub fn ready_at(&self) -> Option<Instant> {
        self.last.filter(|_| !self.every.is_zero()).map(|last| last + self.every)
    }

    /// A transaction begins to commit.
    pub fn commits(&mut self, now: Instant) {
        self.last = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_waits_for_nothing_and_the_next_for_its_time() {
        let (mut pace, now) = (Pace::new(50), Instant::now());
        assert_eq!(pace.ready_at(), None);
        pace.commits(now);
        assert_eq!(pace.ready_at(), Some(now + Duration::from_millis(50)));
    }

    #[test]
    fn without_a_pace_nothing_is_waited_for() {
        let mut pace = Pace::new(0);
        pace.commits(Instant::now());
        assert_eq!(pace.ready_at(), None);
    }
}
