//! What the log promises, held against every implementation, and what each promises beyond that.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says what is wrong by failing")]

mod contract;
mod embedded;
mod kafka;

contract::hold!(embedded_log, crate::embedded::subject);
contract::hold!(kafka_log, crate::kafka::subject);
