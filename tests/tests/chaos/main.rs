//! Hosts that work together, and hosts under fire. The long run: `cargo xtask chaos`.

#![allow(clippy::unwrap_used, reason = "what helpers of tests unwrap is what the test is about")]

mod short;
mod three;
