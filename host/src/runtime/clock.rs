//! The clocks of a guest: running where `clock` is granted, else standing still at the moment its call began.
//!
//! A guest without the grant can't time the host, and the same call gives the same answer again. A run that may be
//! repeated has a clock that stands at the run's beginning, or one whose every reading is written down.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use wasmtime_wasi::{HostMonotonicClock, HostWallClock};

/// Writes down what a clock says, or repeats what it said.
pub trait ClockTape: Send + Sync + std::fmt::Debug {
    /// The next reading of a clock, nanoseconds; `now` reads it.
    fn read(&self, clock: &'static str, now: &dyn Fn() -> u64) -> u64;
}

/// Both clocks of one instance. Clones share the moment at which they stand.
#[derive(Debug, Clone)]
pub struct Clocks {
    kind: Kind,
    started: Instant,
}

#[derive(Debug, Clone)]
enum Kind {
    Running,
    /// Moves to now with each call.
    Standing(Arc<AtomicU64>),
    /// Stands at one moment for all calls.
    Fixed(u64),
    Taped(Arc<dyn ClockTape>),
}

impl Clocks {
    /// Clocks that run, or stand still.
    pub fn new(running: bool) -> Self {
        let kind = if running { Kind::Running } else { Kind::Standing(Arc::default()) };
        let clocks = Self { kind, started: Instant::now() };
        clocks.set(None);
        clocks
    }

    /// Clocks that stand at a moment, nanoseconds since 1970, whatever begins.
    pub fn fixed(wall_ns: u64) -> Self {
        Self { kind: Kind::Fixed(wall_ns), started: Instant::now() }
    }

    /// Clocks that run, and whose readings can be repeated.
    pub fn taped(tape: Arc<dyn ClockTape>) -> Self {
        Self { kind: Kind::Taped(tape), started: Instant::now() }
    }

    /// What the guest's wall clock shows, milliseconds since 1970.
    pub fn wall_ms(&self) -> u64 {
        u64::try_from(HostWallClock::now(self).as_millis()).unwrap_or(u64::MAX)
    }

    /// Moves standing clocks to a moment, given in milliseconds since 1970, or to now: a call begins.
    pub fn set(&self, moment_ms: Option<u64>) {
        if let Kind::Standing(wall_ns) = &self.kind {
            let moment = moment_ms.map_or_else(wall_now, Duration::from_millis);
            wall_ns.store(nanos(moment), Ordering::Relaxed);
        }
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
        match &self.kind {
            Kind::Running => wall_now(),
            Kind::Standing(wall_ns) => Duration::from_nanos(wall_ns.load(Ordering::Relaxed)),
            Kind::Fixed(wall_ns) => Duration::from_nanos(*wall_ns),
            Kind::Taped(tape) => Duration::from_nanos(tape.read("wall-clock", &|| nanos(wall_now()))),
        }
    }
}

impl HostMonotonicClock for Clocks {
    fn resolution(&self) -> u64 {
        1_000_000
    }

    fn now(&self) -> u64 {
        match &self.kind {
            Kind::Running => nanos(self.started.elapsed()),
            Kind::Standing(_) | Kind::Fixed(_) => 0,
            Kind::Taped(tape) => tape.read("monotonic-clock", &|| nanos(self.started.elapsed())),
        }
    }
}
