//! How long a guest may compute, and how long a call may take.
//!
//! The engine's epoch advances every [`TICK`]. At each tick that meets a guest at work, the store's callback charges one
//! tick to the guest's compute budget, looks at the deadline, and lets other tasks run. Time spent waiting in a host
//! call is not computing and only counts towards the deadline.

use std::time::{Duration, Instant};

use wasmtime::UpdateDeadline;

use super::error::LimitKind;

/// Resolution of compute limits. Shorter ticks cost every idle host more; ten of them are a usual tool's whole budget.
pub const TICK: Duration = Duration::from_millis(5);

/// What is left to one call.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    ticks_left: u64,
    deadline: Instant,
}

impl Budget {
    /// A budget of `compute` inside the guest, until `deadline` at the latest.
    pub fn new(compute: Duration, deadline: Instant) -> Self {
        // One tick more than the limit, since the first one may come right after the start.
        let ticks = compute.as_nanos().div_ceil(TICK.as_nanos()).saturating_add(1);
        Self { ticks_left: u64::try_from(ticks).unwrap_or(u64::MAX), deadline }
    }

    /// When the call must be over.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Charges one tick at time `now`.
    ///
    /// # Errors
    /// The limit that was reached.
    pub fn charge(&mut self, now: Instant) -> Result<UpdateDeadline, LimitKind> {
        if now >= self.deadline {
            return Err(LimitKind::Deadline);
        }
        self.ticks_left = self.ticks_left.saturating_sub(1);
        if self.ticks_left == 0 {
            return Err(LimitKind::Compute);
        }
        Ok(UpdateDeadline::Yield(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compute_runs_out_after_the_ticks_it_is_worth() {
        let far = Instant::now() + Duration::from_secs(3600);
        let mut budget = Budget::new(TICK * 3, far);
        let now = Instant::now();
        assert!((0..3).all(|_| budget.charge(now).is_ok()));
        assert_eq!(budget.charge(now).err(), Some(LimitKind::Compute));
    }

    #[test]
    fn a_passed_deadline_stops_a_guest_that_has_compute_left() {
        let now = Instant::now();
        let mut budget = Budget::new(Duration::from_secs(10), now);
        assert_eq!(budget.charge(now).err(), Some(LimitKind::Deadline));
    }

    #[test]
    fn the_largest_limit_does_not_overflow() {
        let mut budget = Budget::new(Duration::MAX, Instant::now() + Duration::from_secs(60));
        assert!(budget.charge(Instant::now()).is_ok());
    }
}
