//! What the whole process uses.

use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use serde::{Deserialize, Serialize};

/// What the whole process uses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ProcessFigures {
    /// Resident memory, bytes; none where the system doesn't tell (only Linux does).
    pub resident_bytes: Option<u64>,
    /// CPU time of all threads, microseconds.
    pub cpu_micros: u64,
}

impl ProcessFigures {
    /// As it stands.
    pub fn now() -> Self {
        let cpu = getrusage(UsageWho::RUSAGE_SELF).map(|usage| {
            let micros = |time: nix::sys::time::TimeVal| {
                let whole = u64::try_from(time.tv_sec()).unwrap_or(0).saturating_mul(1_000_000);
                whole.saturating_add(u64::try_from(time.tv_usec()).unwrap_or(0))
            };
            micros(usage.user_time()).saturating_add(micros(usage.system_time()))
        });
        Self { resident_bytes: resident_bytes(), cpu_micros: cpu.unwrap_or(0) }
    }

    /// CPU time.
    pub fn cpu(&self) -> Duration {
        Duration::from_micros(self.cpu_micros)
    }
}

/// The second number of /proc/self/statm, in pages.
fn resident_bytes() -> Option<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    let page = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE).ok()??;
    pages.checked_mul(u64::try_from(page).ok()?)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_runs_has_memory_and_has_used_the_cpu() {
        let before = ProcessFigures::now();
        // More than all other tests of this program give back meanwhile.
        let block = std::hint::black_box(vec![1u8; 256 << 20]);
        let after = ProcessFigures::now();
        let grown = after.resident_bytes.unwrap().saturating_sub(before.resident_bytes.unwrap());
        assert!(grown > 128 << 20, "{grown} for {}", block.len());
        assert!(after.cpu() > before.cpu());
    }
}
