//! Memory.

use std::hint::black_box;

use evil_kit::{Attack, number};
use wasmill_sdk::serde_json::Value;
use wasmill_sdk::{Error, json};

const MIB: usize = 1024 * 1024;

pub const ATTACKS: &[Attack] = &[
    Attack {
        name: "eat-memory",
        must: "Memory ends at `memory_mib`: the result is how many MiB were had, or the call traps and the error names the limit.",
        run: eat,
    },
    Attack {
        name: "crash-on-memory",
        must: "An allocation of `mib` MiB over the limit ends the call; the error names `memory_mib`.",
        run: crash,
    },
    Attack {
        name: "remember",
        must: "The result is always 1: it counts the calls that this instance has seen, and every call gets a fresh one.",
        run: remember,
    },
];

/// Stops at the first refusal, which is what a well-meaning program would do.
fn eat(_: &Value) -> Result<String, Error> {
    let mut had: Vec<Vec<u8>> = Vec::new();
    loop {
        let mut block = Vec::new();
        if block.try_reserve_exact(MIB).is_err() {
            return json::print(&had.len());
        }
        // Writing makes the memory resident and not only reserved.
        block.resize(MIB, 0xEE);
        had.push(black_box(block));
    }
}

fn crash(arguments: &Value) -> Result<String, Error> {
    let size = number(arguments, "mib", 1024) as usize * MIB;
    let block = vec![0xEEu8; size];
    json::print(&black_box(block).len())
}

fn remember(_: &Value) -> Result<String, Error> {
    use std::sync::atomic::{AtomicU32, Ordering};
    static CALLS: AtomicU32 = AtomicU32::new(0);
    json::print(&(CALLS.fetch_add(1, Ordering::Relaxed) + 1))
}
