//! How many requests a client may make on a port.

use std::num::NonZeroU32;

use axum::http::StatusCode;
use governor::clock::{Clock as _, DefaultClock};
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use super::details::Refusal;
use crate::home::RateConfig;

/// Clients that are remembered before those are forgotten who have not asked lately.
const CLIENTS_KEPT: usize = 1024;

/// What is left of each client's share.
pub(crate) struct Rate {
    config: RateConfig,
    clock: DefaultClock,
    shares: RateLimiter<String, HashMapStateStore<String>, DefaultClock>,
}

impl Rate {
    /// Everybody's whole share.
    pub fn new(config: &RateConfig) -> Self {
        // Settings are read with their bounds: neither is zero.
        let figure = |value| NonZeroU32::new(value).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_second(figure(config.per_second)).allow_burst(figure(config.burst));
        let clock = DefaultClock::default();
        Self { config: config.clone(), shares: RateLimiter::hashmap_with_clock(quota, clock.clone()), clock }
    }

    /// Takes one request of a client's share; where none is left, says when there is one.
    pub fn take(&self, client: &str) -> Result<(), Refusal> {
        if self.shares.len() > CLIENTS_KEPT {
            self.shares.retain_recent();
        }
        self.shares.check_key(&client.to_owned()).map_err(|early| {
            let wait = early.wait_time_from(self.clock.now()).as_millis();
            let RateConfig { per_second, burst } = &self.config;
            let message = format!("client:{client} asks more than {per_second} times a second, {burst} times at once");
            let next = "Ask again when `Retry-After` says, and less often.";
            Refusal::new(StatusCode::TOO_MANY_REQUESTS, "request.rate", message, next)
                .after_ms(u64::try_from(wait).unwrap_or(u64::MAX).max(1))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_has_its_own_share() {
        let rate = Rate::new(&RateConfig { per_second: 1, burst: 2 });
        assert!(rate.take("a").is_ok() && rate.take("a").is_ok());
        assert!(rate.take("a").is_err());
        assert!(rate.take("b").is_ok());
    }
}
