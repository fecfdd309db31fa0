//! Time, which can be used to measure others and to hold up the host.

use std::hint::black_box;
use std::time::{Duration, Instant, SystemTime};

use evil_kit::{Attack, number};
use wasmill_sdk::serde_json::Value;
use wasmill_sdk::{Error, json};

/// Steps of work between two looks at a clock: several milliseconds.
const STEPS: u64 = 100_000_000;

pub const ATTACKS: &[Attack] = &[
    Attack {
        name: "wall-clock",
        must: "Without `clock` the result is 0: the microseconds that passed on the wall clock during some work.",
        run: wall_clock,
    },
    Attack {
        name: "monotonic-clock",
        must: "Without `clock` the result is 0: the nanoseconds that passed on the monotonic clock during some work.",
        run: monotonic_clock,
    },
    Attack {
        name: "sleep",
        must: "Sleeping for `ms` milliseconds ends at the latest with the deadline, and holds up nobody else.",
        run: sleep,
    },
];

fn wall_clock(_: &Value) -> Result<String, Error> {
    let before = SystemTime::now();
    work();
    json::print(&SystemTime::now().duration_since(before).unwrap_or_default().as_micros())
}

fn monotonic_clock(_: &Value) -> Result<String, Error> {
    let before = Instant::now();
    work();
    json::print(&before.elapsed().as_nanos())
}

fn sleep(arguments: &Value) -> Result<String, Error> {
    std::thread::sleep(Duration::from_millis(number(arguments, "ms", 3_600_000)));
    json::print("slept")
}

fn work() {
    for step in 0..STEPS {
        black_box(step);
    }
}
