//! How fast something is done: what comes in a minute, counted for each principal on this host.
//!
//! A bucket holds what is allowed in a minute and fills up evenly. It is kept as one number, the moment at which it is
//! full again, and how fast it fills is only said when something is taken: so another rate, of a changed matrix or of
//! another version's manifest, goes on with the same bucket and never gives anybody a full one.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;

use super::grant::Grant;
use super::limit_name::{LimitName, UNLIMITED};
use super::limits::Limit;
use super::principal::Principal;

const MINUTE_NS: u64 = 60_000_000_000;
/// Buckets of one rate at which the full ones, which are as good as new, are thrown away.
const BUCKETS_MAX: usize = 4_096;

/// What is counted by the minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Rate {
    /// Calls of tools.
    ToolCalls,
    /// HTTP requests.
    HttpCalls,
    /// Questions to language models.
    ModelCalls,
    /// Records sent.
    Records,
}

impl Rate {
    const ALL: [Self; 4] = [Self::ToolCalls, Self::HttpCalls, Self::ModelCalls, Self::Records];

    /// The limit that bounds it.
    pub fn limit(self) -> LimitName {
        match self {
            Self::ToolCalls => LimitName::ToolCallsPerMinute,
            Self::HttpCalls => LimitName::HttpCallsPerMinute,
            Self::ModelCalls => LimitName::ModelCallsPerMinute,
            Self::Records => LimitName::RecordsPerMinute,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::ToolCalls => "calls of tools",
            Self::HttpCalls => "HTTP requests",
            Self::ModelCalls => "questions to models",
            Self::Records => "records",
        }
    }
}

/// A limit that is reached. Displays as one sentence: who, what, and which limit of which row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateReached {
    /// What was counted.
    pub rate: Rate,
    /// Whose limit it is: who asked, or its maker.
    pub principal: Principal,
    /// Which limit.
    pub limit: Limit,
    /// From when on the same may be taken; none: never, since it is more than a minute's worth.
    pub retry_after: Option<Duration>,
}

impl fmt::Display for RateReached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rate, principal, limit, retry_after } = self;
        let much = if retry_after.is_some() { "no more" } else { "not so many" };
        write!(f, "{principal} may have {much} {} in a minute: {limit}", rate.words())
    }
}

/// The buckets of a host.
#[derive(Debug)]
pub struct Rates {
    began: Instant,
    buckets: [RwLock<FxHashMap<Principal, Bucket>>; Rate::ALL.len()],
}

impl Default for Rates {
    fn default() -> Self {
        Self { began: Instant::now(), buckets: Default::default() }
    }
}

impl Rates {
    /// Takes `count` for whoever holds the grant, and for its makers: what somebody made uses up what its maker may do.
    ///
    /// # Errors
    /// The first limit that doesn't allow it. What was taken before it, from the asker's own bucket, stays taken.
    pub fn take(&self, grant: &Grant, rate: Rate, count: u64) -> Result<(), Box<RateReached>> {
        for payer in grant.payers() {
            let limit = payer.limits().get(rate.limit());
            if limit.value == UNLIMITED {
                continue;
            }
            self.take_from(payer.principal(), rate, limit.value, count).map_err(|retry_after| {
                Box::new(RateReached { rate, principal: payer.principal().clone(), limit: limit.clone(), retry_after })
            })?;
        }
        Ok(())
    }

    fn take_from(&self, who: &Principal, rate: Rate, per_minute: u64, count: u64) -> Result<(), Option<Duration>> {
        let now = u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let buckets = &self.buckets[rate as usize];
        // Nothing in a map of numbers can be half-done: a poisoned lock is as good as any.
        if let Some(bucket) = buckets.read().unwrap_or_else(PoisonError::into_inner).get(who) {
            return bucket.take(now, per_minute, count);
        }
        let mut buckets = buckets.write().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= BUCKETS_MAX {
            buckets.retain(|_, bucket| !bucket.is_full(now));
        }
        buckets.entry(who.clone()).or_default().take(now, per_minute, count)
    }
}

/// The moment at which the bucket is full again, nanoseconds.
#[derive(Debug, Default)]
struct Bucket(AtomicU64);

impl Bucket {
    fn is_full(&self, now: u64) -> bool {
        self.0.load(Ordering::Relaxed) <= now
    }

    /// Takes `count` out of a bucket that holds `per_minute`. Where it doesn't hold so many: how long until it does; none
    /// for more than it ever holds.
    fn take(&self, now: u64, per_minute: u64, count: u64) -> Result<(), Option<Duration>> {
        if count > per_minute {
            return Err(None);
        }
        // At most a minute: `count` is at most `per_minute`.
        let time = u128::from(count) * u128::from(MINUTE_NS) / u128::from(per_minute.max(1));
        let time = u64::try_from(time).unwrap_or(MINUTE_NS);
        let latest = now.saturating_add(MINUTE_NS);
        let mut full_at = self.0.load(Ordering::Relaxed);
        loop {
            let next = full_at.max(now).saturating_add(time);
            if next > latest {
                return Err(Some(Duration::from_nanos(next - latest)));
            }
            match self.0.compare_exchange_weak(full_at, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Ok(()),
                Err(other) => full_at = other,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::matrix::Matrix;
    use super::*;

    const SECOND_NS: u64 = 1_000_000_000;

    #[test]
    fn a_bucket_holds_a_minutes_worth_and_fills_up_evenly() {
        let bucket = Bucket::default();
        for _ in 0..60 {
            bucket.take(0, 60, 1).unwrap();
        }
        assert_eq!(bucket.take(0, 60, 1), Err(Some(Duration::from_secs(1))));
        assert_eq!(bucket.take(SECOND_NS / 2, 60, 1), Err(Some(Duration::from_millis(500))));
        bucket.take(SECOND_NS, 60, 1).unwrap();
        assert!(bucket.take(SECOND_NS, 60, 1).is_err());
        assert_eq!(bucket.take(31 * SECOND_NS, 60, 31), Err(Some(Duration::from_secs(1))), "30 have come since");
        bucket.take(31 * SECOND_NS, 60, 30).unwrap();
    }

    #[test]
    fn what_never_fits_is_told_so_and_takes_nothing() {
        let bucket = Bucket::default();
        assert_eq!(bucket.take(0, 10, 11), Err(None));
        assert_eq!(bucket.take(0, 0, 1), Err(None));
        bucket.take(0, 10, 10).unwrap();
    }

    #[test]
    fn another_rate_goes_on_with_the_same_bucket() {
        let bucket = Bucket::default();
        bucket.take(0, 10, 10).unwrap();
        assert!(bucket.take(0, 1_000, 20).is_err(), "a larger rate gives no full bucket");
        bucket.take(6 * SECOND_NS, 1_000, 100).unwrap();
    }

    fn grants() -> (Grant, Grant) {
        let matrix = Matrix::parse(
            "[[row]]\nprincipal = \"agent:a\"\nlimits = { tool_calls_per_minute = 3 }\n[[row]]\nprincipal = \"tool:a.*\"\n",
        );
        let matrix = matrix.unwrap();
        let maker = matrix.grant(&Principal::agent("a"), None, None, None);
        let made = matrix.grant(&Principal::tool("a.b"), None, None, Some(&maker));
        (maker, made)
    }

    #[test]
    fn what_was_made_uses_up_what_its_maker_may_do() {
        let (rates, (maker, made)) = (Rates::default(), grants());
        rates.take(&maker, Rate::ToolCalls, 1).unwrap();
        rates.take(&made, Rate::ToolCalls, 1).unwrap();
        rates.take(&made, Rate::HttpCalls, 1_000_000).unwrap();
        rates.take(&made, Rate::ToolCalls, 1).unwrap();
        let reached = rates.take(&maker, Rate::ToolCalls, 1).unwrap_err();
        assert!(reached.retry_after.is_some());
        assert_eq!(
            reached.to_string(),
            "agent:a may have no more calls of tools in a minute: tool_calls_per_minute = 3 (row for \"agent:a\", \
             permissions.toml line 1)"
        );
        let reached = rates.take(&made, Rate::ToolCalls, 1).unwrap_err();
        assert_eq!(reached.limit.value, 3, "a forged tool has no more than its maker");
    }

    #[test]
    fn buckets_that_are_full_again_are_forgotten() {
        let rates = Rates::default();
        for number in 0..BUCKETS_MAX + 10 {
            rates.take_from(&Principal::tool(&format!("t{number}")), Rate::Records, 1_000_000_000, 1).unwrap();
        }
        assert!(rates.buckets[Rate::Records as usize].read().unwrap().len() < BUCKETS_MAX);
    }

    proptest! {
        /// Whatever is asked whenever: never more in any minute than twice what a bucket holds, and over a long time the rate.
        #[test]
        fn never_more_than_the_rate_over_time(
            per_minute in 1u64..1_000,
            asks in proptest::collection::vec((0u64..10 * SECOND_NS, 1u64..50), 1..200),
        ) {
            let (bucket, mut now, mut taken) = (Bucket::default(), 0, 0);
            for (pause, count) in asks {
                now += pause;
                if bucket.take(now, per_minute, count).is_ok() {
                    taken += count;
                }
            }
            let most = u128::from(per_minute) + u128::from(per_minute) * u128::from(now) / u128::from(MINUTE_NS) + 1;
            // Rounding down makes each take shorter by less than a nanosecond.
            prop_assert!(u128::from(taken) <= most, "{taken} of {most}");
        }
    }
}
