//! The clocks of a guest: running where `clock` is granted, else standing still at the moment its call began.
//!
//! A guest without the grant can't time the host, and the same call gives the same answer again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use wasmtime_wasi::{HostMonotonicClock, HostWallClock};

/// Both clocks of one instance. Clones share the moment at which they stand.
#[derive(Debug, Clone)]
pub struct Clocks {
    running: bool,
    started: Instant,
    wall_ns: Arc<AtomicU64>,
}

impl Clocks {
    /// Clocks that run, or stand still.
    pub fn new(running: bool) -> Self {
        let clocks = Self { running, started: Instant::now(), wall_ns: Arc::default() };
        clocks.set(None);
        clocks
    }

    /// What the guest's wall clock shows, milliseconds since 1970.
    pub fn wall_ms(&self) -> u64 {
        u64::try_from(HostWallClock::now(self).as_millis()).unwrap_or(u64::MAX)
    }

    /// Moves standing clocks to a moment, given in milliseconds since 1970, or to now: a call begins.
    pub fn set(&self, moment_ms: Option<u64>) {
        let moment = moment_ms.map_or_else(wall_now, Duration::from_millis);
        self.wall_ns.store(nanos(moment), Ordering::Relaxed);
    }
}

fn wall_now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

impl HostWallClock for Clocks {
    fn resolution(&self) -> Duration {
        Duration::from_millis(1)
    }

    fn now(&self) -> Duration {
        if self.running { wall_now() } else { Duration::from_nanos(self.wall_ns.load(Ordering::Relaxed)) }
    }
}

impl HostMonotonicClock for Clocks {
    fn resolution(&self) -> u64 {
        1_000_000
    }

    fn now(&self) -> u64 {
        if self.running { nanos(self.started.elapsed()) } else { 0 }
    }
}
