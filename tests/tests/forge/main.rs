//! The forge with everything real: compiler, sandbox, signatures, registry, runtime.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says what is wrong by failing")]

mod advisories;
mod harness;
mod hostile;
mod kept;
mod sandbox;
mod scripts;
mod tools;
mod tryouts;
