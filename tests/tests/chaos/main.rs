//! Hosts that work together, and hosts under fire. The long run: `cargo xtask chaos`.

#![allow(clippy::unwrap_used, reason = "what helpers of tests unwrap is what the test is about")]

mod short;
mod three;

use std::sync::{Mutex, MutexGuard, PoisonError};

static ALONE: Mutex<()> = Mutex::new(());

/// One of these tests at a time: each has brokers and hosts of its own, and hosts that get no processor time are given up
/// by their group as if they were frozen.
fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}
