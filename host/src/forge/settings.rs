//! The `[forge]` section of host.toml.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::examine::RandomPlan;
use super::inputs::Seed;
use crate::sandbox::SandboxLimits;

const MIB: u64 = 1024 * 1024;

/// Most random inputs for each function.
pub const RANDOM_INPUTS_MAX: u32 = 1_000;

/// The `[forge]` section of host.toml. Everything has a default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ForgeSettings {
    /// Folder of the kits; none: shared by all homes of the user, in the cache folder.
    pub kits: Option<PathBuf>,
    /// The compiler; none: the first one found that has the target.
    pub rustc: Option<PathBuf>,
    /// Builds at the same time.
    pub builds: usize,
    /// Builds each source twice and refuses it where the results differ.
    pub build_twice: bool,
    /// Random inputs that each function of a new tool is tried with; 0: none. [`RANDOM_INPUTS_MAX`] at most.
    pub random_inputs: u32,
    /// Time for all random inputs of one tool together, milliseconds.
    pub random_ms: u64,
    /// Time for a whole request, waiting for its turn included, milliseconds.
    pub deadline_ms: u64,
    /// Time by the clock on the wall for one build, milliseconds.
    pub build_ms: u64,
    /// Processor time of each process of a build, seconds.
    pub processor_s: u64,
    /// Memory of each process of a build, MiB of address space.
    pub memory_mib: u64,
    /// All files that a build writes, MiB of memory.
    pub scratch_mib: u64,
    /// Largest file that a build writes, MiB.
    pub file_mib: u64,
    /// Everything that a build prints, KiB.
    pub output_kib: usize,
}

impl Default for ForgeSettings {
    fn default() -> Self {
        let limits = SandboxLimits::BUILD;
        Self {
            kits: None,
            rustc: None,
            builds: 2,
            build_twice: false,
            random_inputs: 16,
            random_ms: 2_000,
            deadline_ms: 120_000,
            build_ms: limits.wall_ms,
            processor_s: limits.cpu_s,
            memory_mib: limits.memory_bytes / MIB,
            scratch_mib: limits.scratch_bytes / MIB,
            file_mib: limits.file_bytes / MIB,
            output_kib: limits.output_bytes / 1024,
        }
    }
}

impl ForgeSettings {
    /// How a tool is tried with random inputs; none where it isn't.
    pub(super) fn random_plan(&self, seed: Seed) -> Option<RandomPlan> {
        let inputs = self.random_inputs.min(RANDOM_INPUTS_MAX);
        (inputs > 0).then(|| RandomPlan { inputs, time: Duration::from_millis(self.random_ms), seed })
    }

    /// What one build may use.
    pub fn sandbox_limits(&self) -> SandboxLimits {
        SandboxLimits {
            wall_ms: self.build_ms,
            cpu_s: self.processor_s,
            memory_bytes: self.memory_mib.saturating_mul(MIB),
            file_bytes: self.file_mib.saturating_mul(MIB),
            scratch_bytes: self.scratch_mib.saturating_mul(MIB),
            output_bytes: self.output_kib.saturating_mul(1024),
            ..SandboxLimits::BUILD
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_the_limits_of_a_build() {
        assert_eq!(ForgeSettings::default().sandbox_limits(), SandboxLimits::BUILD);
    }

    #[test]
    fn a_typing_mistake_is_an_error() {
        assert!(toml::from_str::<ForgeSettings>("build_twice = true").unwrap().build_twice);
        assert!(toml::from_str::<ForgeSettings>("buildtwice = true").is_err());
    }
}
