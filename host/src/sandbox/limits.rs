//! What a program in the sandbox may use.

use std::time::Duration;

const MIB: u64 = 1024 * 1024;

/// What a program in the sandbox may use. A program that reaches a limit is stopped; nothing is slowed down.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct SandboxLimits {
    /// Time by the clock on the wall until everything in the sandbox is killed, milliseconds.
    pub wall_ms: u64,
    /// Processor time of each process, seconds.
    pub cpu_s: u64,
    /// Address space of each process, bytes.
    pub memory_bytes: u64,
    /// Largest file, bytes.
    pub file_bytes: u64,
    /// All files of the scratch space together, bytes of memory.
    pub scratch_bytes: u64,
    /// Processes and threads at the same time. Linux does not count them for a host that runs as root.
    pub processes: u64,
    /// Open files of each process.
    pub open_files: u64,
    /// Standard output and standard error together, bytes.
    pub output_bytes: usize,
}

impl SandboxLimits {
    /// Limits for the build of one generated source.
    pub const BUILD: Self = Self {
        wall_ms: 30_000,
        cpu_s: 30,
        memory_bytes: 3 * 1024 * MIB,
        file_bytes: 64 * MIB,
        scratch_bytes: 512 * MIB,
        processes: 256,
        open_files: 512,
        output_bytes: 8 * 1024 * 1024,
    };

    /// Limits for preparing the kit: our own sources, on a slow machine.
    pub const PREPARE: Self = Self {
        wall_ms: 15 * 60_000,
        cpu_s: 600,
        memory_bytes: 8 * 1024 * MIB,
        file_bytes: 512 * MIB,
        scratch_bytes: 512 * MIB,
        processes: 1024,
        open_files: 1024,
        output_bytes: 64 * 1024 * 1024,
    };

    /// The wall clock as a duration.
    pub fn wall(&self) -> Duration {
        Duration::from_millis(self.wall_ms)
    }

    /// Shell commands that set the limits for everything that follows. Soft and hard limit at once, so that nothing
    /// inside can raise them again.
    ///
    /// The shell sets them and not this process: between fork and exec, a host with many threads may do next to
    /// nothing safely.
    pub(super) fn as_shell(&self) -> String {
        let (cpu, memory, file) = (self.cpu_s, self.memory_bytes / 1024, self.file_bytes / 512);
        let (open, processes) = (self.open_files, self.processes);
        // The letter for processes is `p` in dash and `u` in bash, where `p` is something else.
        format!(
            "set -e; ulimit -c 0; ulimit -t {cpu}; ulimit -v {memory}; ulimit -f {file}; ulimit -n {open}; \
             ulimit -u {processes} 2>/dev/null || ulimit -p {processes}; "
        )
    }
}
