//! What calls took, and which limits would do.

use serde::{Deserialize, Serialize};

use super::subject::Answer;
use crate::permissions::{GrantLimits, LimitName};

/// What is proposed as `compute_ms`, as a multiple of the CPU time of the call that took most: other inputs may need
/// more, and a guest on a busy machine computes for longer than it has the processor.
const COMPUTE_FACTOR: u64 = 20;
/// What is proposed as `memory_mib`, as a multiple of the memory of the instance that had most.
const MEMORY_FACTOR: u64 = 2;
/// Least that is proposed as `compute_ms`: limits are held by ticks of 5 ms, and below this, what else the machine does
/// counts for more than the tool.
const COMPUTE_LEAST_MS: u64 = 100;

const MIB: u64 = 1024 * 1024;

/// The most that any call of a try-out took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measured {
    /// Calls.
    pub calls: u64,
    /// Longest call, by the clock on the wall, microseconds.
    pub micros: u64,
    /// CPU time of the call that took most of it, with what the host does for it, microseconds.
    pub cpu_micros: u64,
    /// Most linear memory that an instance had, bytes.
    pub memory_bytes: u64,
}

/// Takes note of calls.
#[derive(Default)]
pub(super) struct Meter(Option<Measured>);

impl Meter {
    /// One more call.
    pub fn add(&mut self, answer: &Answer) {
        let Answer { micros, cpu_micros, memory_bytes, .. } = answer;
        let before = self.0.take().unwrap_or(Measured { calls: 0, micros: 0, cpu_micros: 0, memory_bytes: 0 });
        self.0 = Some(Measured {
            calls: before.calls + 1,
            micros: before.micros.max(*micros),
            cpu_micros: before.cpu_micros.max(*cpu_micros),
            memory_bytes: before.memory_bytes.max(*memory_bytes),
        });
    }

    /// The most; none where there was no call.
    pub fn measured(self) -> Option<Measured> {
        self.0
    }
}

/// Limits that would do. Nothing is limited by them: whoever writes the matrix may take them over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// Time that one call computes, milliseconds.
    pub compute_ms: u64,
    /// Linear memory of one instance, MiB.
    pub memory_mib: u64,
}

impl Proposal {
    /// A multiple of what was measured, rounded up, and never above the limits that the calls had.
    pub fn of(measured: &Measured, limits: &GrantLimits) -> Self {
        let at_most = |name: LimitName, value: u64| value.max(*name.range().start()).min(limits.get(name).value);
        let compute = measured.cpu_micros.saturating_mul(COMPUTE_FACTOR).div_ceil(1_000);
        let memory = measured.memory_bytes.saturating_mul(MEMORY_FACTOR).div_ceil(MIB);
        Self {
            compute_ms: at_most(LimitName::ComputeMs, round(compute.max(COMPUTE_LEAST_MS))),
            memory_mib: at_most(LimitName::MemoryMib, memory.checked_next_power_of_two().unwrap_or(u64::MAX)),
        }
    }
}

/// The next of 1, 2, 5, 10, 20, 50, …
fn round(value: u64) -> u64 {
    let steps = (0..=18).flat_map(|power| [1, 2, 5].map(|digit: u64| digit.saturating_mul(10_u64.pow(power))));
    steps.into_iter().find(|step| *step >= value).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::permissions::{Matrix, Principal};

    fn proposed(limits: &str, cpu_micros: u64, memory_bytes: u64) -> (u64, u64) {
        let matrix = Matrix::parse(&format!("[[row]]\nprincipal = \"tool:a\"\nlimits = {{ {limits} }}\n")).unwrap();
        let grant = matrix.grant(&Principal::tool("a"), None, None, None);
        let measured = Measured { calls: 1, micros: 9, cpu_micros, memory_bytes };
        let Proposal { compute_ms, memory_mib } = Proposal::of(&measured, grant.limits());
        (compute_ms, memory_mib)
    }

    #[test]
    fn what_is_proposed_is_a_multiple_rounded_up() {
        assert_eq!(proposed("", 0, 0), (100, 2));
        assert_eq!(proposed("", 7_000, 3 * MIB + 1), (200, 8));
        assert_eq!(proposed("", 11_000, 8 * MIB), (500, 16));
    }

    #[test]
    fn nothing_is_proposed_above_the_limit_in_force() {
        assert_eq!(proposed("compute_ms = 50, memory_mib = 12", 1_000_000, 100 * MIB), (50, 12));
        assert_eq!(proposed("", u64::MAX, u64::MAX), (5_000, 128));
    }

    #[test]
    fn the_meter_keeps_the_most_of_each() {
        let mut meter = Meter::default();
        for (micros, cpu_micros, memory_bytes) in [(9, 1, 5), (2, 8, 3)] {
            meter.add(&Answer { result: Ok("1".into()), micros, cpu_micros, memory_bytes });
        }
        let most = Measured { calls: 2, micros: 9, cpu_micros: 8, memory_bytes: 5 };
        assert_eq!(meter.measured(), Some(most));
        assert_eq!(Meter::default().measured(), None);
    }
}
