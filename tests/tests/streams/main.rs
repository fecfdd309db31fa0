//! What the log promises, held against every implementation, and what each promises beyond that.

mod contract;
mod embedded;

contract::hold!(embedded_log, crate::embedded::subject);
