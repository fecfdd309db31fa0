//! How fast the host is beside others that do the same work.

pub mod embedded;
pub mod growth;
mod jvm;
pub mod latency;
pub mod matrix;
mod ours;
mod plain;
mod program;
mod rig;
pub mod start;
pub mod telemetry;

/// The sizes and numbers of partitions that can be asked for.
pub fn shapes() -> Vec<String> {
    rig::Shape::ALL.map(rig::Shape::tag).into()
}
