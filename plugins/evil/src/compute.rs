//! The processor.

use std::hint::black_box;

use evil_kit::Attack;
use wasmill_sdk::serde_json::Value;
use wasmill_sdk::{Error, json};

pub const ATTACKS: &[Attack] = &[
    Attack { name: "loop", must: "A loop without end is stopped by `compute_ms`; the error names it.", run: endless },
    Attack {
        name: "recursion",
        must: "A recursion without end traps when the stack is used up; the host's own stack is unharmed.",
        run: recursion,
    },
    Attack {
        name: "copy",
        must: "Copying memory without end is stopped by `compute_ms`, though each copy is one instruction.",
        run: copy,
    },
];

fn endless(_: &Value) -> Result<String, Error> {
    let mut turns = 0u64;
    loop {
        turns = black_box(turns.wrapping_add(1));
    }
}

fn recursion(_: &Value) -> Result<String, Error> {
    json::print(&descend(0))
}

#[allow(unconditional_recursion)]
fn descend(depth: u64) -> u64 {
    let frame = black_box([depth; 16]);
    descend(depth + 1) + black_box(frame)[0]
}

fn copy(_: &Value) -> Result<String, Error> {
    let source = vec![1u8; 4 * 1024 * 1024];
    let mut target = vec![0u8; source.len()];
    loop {
        target.copy_from_slice(black_box(&source));
        black_box(&mut target);
    }
}
