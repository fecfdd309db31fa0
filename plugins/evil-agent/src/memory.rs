//! What stays in an instance's memory from one record to the next.

use std::sync::atomic::{AtomicU32, Ordering};

use wasmill_sdk::{Failure, Outbox};

use crate::{Attack, Case};

pub const ATTACKS: &[Attack] = &[Attack {
    name: "memory",
    must: "The result counts the records of this partition alone, and begins at 1 after a trap.",
    run: memory,
}];

static HANDLED: AtomicU32 = AtomicU32::new(0);

fn memory(_: &Case<'_>, _: &mut Outbox) -> Result<String, Failure> {
    Ok((HANDLED.fetch_add(1, Ordering::Relaxed) + 1).to_string())
}
