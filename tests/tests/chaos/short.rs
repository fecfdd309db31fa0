//! Each kind of fault once.

use std::time::{SystemTime, UNIX_EPOCH};

use wasmill_tests::chaos::{self, Net, Options};
use wasmill_tests::parts::{self, require};

/// Another one each time, or the one that is given.
fn seed() -> u64 {
    let given = std::env::var("WASMILL_CHAOS_SEED").ok();
    given.map_or_else(
        || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64,
        |seed| seed.parse().unwrap(),
    )
}

#[test]
fn every_record_is_counted_once_and_in_order_whatever_strikes() {
    let _alone = crate::alone();
    for part in [parts::java().map(drop), parts::kafka_libs().map(drop), parts::plugin("tally").map(drop)] {
        let Some(()) = require(part) else { return };
    }
    // Without networks of their own the hosts can't be cut off; the other faults strike all the same.
    let has_net = require(Net::open().map(drop)).is_some();
    let seed = seed();
    println!("WASMILL_CHAOS_SEED={seed}");
    let report = chaos::run(&Options::short(seed, has_net)).unwrap();
    println!("{}", serde_json::to_string_pretty(&report).unwrap());
    assert!(report.is_clean(), "WASMILL_CHAOS_SEED={seed}");
    assert!(report.faults.values().all(|times| *times == 1), "{:?}", report.faults);
}
