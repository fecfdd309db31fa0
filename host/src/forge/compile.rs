//! The build stage: one source, in the sandbox, to one component or to what the compiler had to say.
//!
//! Trusts nothing about the source and checks nothing about it either: the sandbox alone must hold.

use std::path::Path;
use std::time::Duration;

use super::diagnostics::{self, Diagnostic, Severity};
use super::kit::Kit;
use super::toolchain::Toolchain;
use crate::sandbox::{Ended, Finished, Sandbox, SandboxError, SandboxLimits, View};

/// Everything that a build needs besides the source.
#[derive(Debug, Clone)]
pub struct Workshop {
    /// The wall.
    pub sandbox: Sandbox,
    /// The compiler.
    pub toolchain: Toolchain,
    /// SDK and crates.
    pub kit: Kit,
    /// What one build may use.
    pub limits: SandboxLimits,
}

/// What became of a build.
#[derive(Debug)]
pub enum Compiled {
    /// A component, not looked at yet.
    Component {
        /// Its bytes.
        bytes: Vec<u8>,
        /// Warnings.
        diagnostics: Vec<Diagnostic>,
        /// How long the sandbox was up.
        elapsed: Duration,
    },
    /// Nothing.
    Failed {
        /// Why.
        failure: CompileFailure,
        /// What the compiler said until then.
        diagnostics: Vec<Diagnostic>,
    },
}

/// Why a build gave no component.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CompileFailure {
    /// The compiler refused the source.
    #[error("the source does not compile: {0}")]
    Errors(String),
    /// The wall clock ran out.
    #[error("the build took longer than {0} ms")]
    WallClock(u64),
    /// A process used up its processor time.
    #[error("the compiler used more than {0} s of processor time")]
    Processor(u64),
    /// The compiler wanted more memory than it may have.
    #[error("the compiler needed more than {0} MiB of memory")]
    Memory(u64),
    /// Files outgrew their limits.
    #[error("the build wrote more than its {0} MiB of scratch space, or a file larger than {1} MiB")]
    Disk(u64, u64),
    /// The build printed too much.
    #[error("the build printed more than {0} KiB")]
    Output(usize),
    /// The compiler ended in an unexpected way.
    #[error("the compiler ended abnormally: {0}")]
    Abnormal(String),
}

impl CompileFailure {
    /// A stable identifier, the same in CLI, API and logs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Errors(_) => "forge.compile",
            Self::WallClock(_) => "forge.limit.wall",
            Self::Processor(_) => "forge.limit.processor",
            Self::Memory(_) => "forge.limit.memory",
            Self::Disk(..) => "forge.limit.disk",
            Self::Output(_) => "forge.limit.output",
            Self::Abnormal(_) => "forge.compiler",
        }
    }

    /// What to do about it.
    pub fn next(&self) -> &'static str {
        match self {
            Self::Errors(_) => "Correct the source; the diagnostics name line and column.",
            Self::Output(_) => "Write a source with fewer warnings: `#![allow(unused)]` silences the common ones.",
            Self::Abnormal(_) => "Simplify the source; if it is simple, see `wasmill doctor`.",
            _ => {
                "Write a smaller source that computes less while it is compiled, or raise the limit under [forge] in host.toml."
            }
        }
    }

    /// True where a limit stopped the build.
    pub fn is_limit(&self) -> bool {
        !matches!(self, Self::Errors(_) | Self::Abnormal(_))
    }
}

impl Workshop {
    /// Builds a source with these of the allowed crates.
    ///
    /// # Errors
    /// Only where the sandbox itself fails; everything about the source is a [`Compiled`].
    pub async fn compile(&self, source: &str, crates: &[&str]) -> Result<Compiled, SandboxError> {
        // Two files of the host are all that the sandbox gets beside what all builds share.
        let desk = tempfile::Builder::new().prefix("wasmill-forge-").tempdir()?;
        let (input, output) = (desk.path().join("lib.rs"), desk.path().join("component.wasm"));
        std::fs::write(&input, source)?;
        std::fs::write(&output, [])?;

        let mut view = View::new();
        self.toolchain.show(&mut view);
        self.kit.show(&mut view, self.limits.scratch_bytes);
        view.read_only(&input, Path::new("/in/lib.rs")).writable(&output, "/out/component.wasm");
        for (name, value) in self.toolchain.environment() {
            view.env(name, value);
        }
        let finished = self.sandbox.run(&view, &self.kit.script(crates), &self.limits).await?;
        let diagnostics = diagnostics::read(&finished.stdout);
        if finished.ended == Ended::Exited(0) {
            let bytes = std::fs::read(&output)?;
            return Ok(Compiled::Component { bytes, diagnostics, elapsed: finished.elapsed });
        }
        Ok(Compiled::Failed { failure: self.failure(&finished, &diagnostics), diagnostics })
    }

    /// Finds the reason in what is left of a failed build.
    fn failure(&self, finished: &Finished, diagnostics: &[Diagnostic]) -> CompileFailure {
        const MIB: u64 = 1024 * 1024;
        let limits = &self.limits;
        let disk = CompileFailure::Disk(limits.scratch_bytes / MIB, limits.file_bytes / MIB);
        match finished.ended {
            Ended::WallClock => return CompileFailure::WallClock(limits.wall_ms),
            Ended::Output => return CompileFailure::Output(limits.output_bytes / 1024),
            _ => {}
        }
        let stderr = String::from_utf8_lossy(&finished.stderr);
        let errors = || diagnostics.iter().filter(|d| d.severity == Severity::Error);
        // A place in the source means that the compiler judged it; what a dying compiler says has none.
        if let Some(first) = errors().find(|d| d.line > 0) {
            return CompileFailure::Errors(first.message.clone());
        }
        let said = errors().map(|d| d.message.as_str()).chain([&*stderr]).collect::<Vec<_>>().join("\n");
        for (words, failure) in [
            ("(signal: 24", CompileFailure::Processor(limits.cpu_s)),
            // The hard limit is as low as the soft one, and its signal says less.
            ("(signal: 9", CompileFailure::Processor(limits.cpu_s)),
            ("(signal: 25", disk.clone()),
            ("No space left on device", disk.clone()),
            ("os error 28", disk.clone()),
            ("File too large", disk),
            ("memory allocation of", CompileFailure::Memory(limits.memory_bytes / MIB)),
            ("out of memory", CompileFailure::Memory(limits.memory_bytes / MIB)),
            ("Cannot allocate memory", CompileFailure::Memory(limits.memory_bytes / MIB)),
            ("bad_alloc", CompileFailure::Memory(limits.memory_bytes / MIB)),
        ] {
            if said.contains(words) {
                return failure;
            }
        }
        match errors().next() {
            Some(error) => CompileFailure::Errors(error.message.clone()),
            None => CompileFailure::Abnormal(last_words(&stderr)),
        }
    }
}

/// The end of a text, which is where programs say what went wrong.
fn last_words(text: &str) -> String {
    const CHARS_MAX: usize = 600;
    let text = text.trim();
    text.chars().skip(text.chars().count().saturating_sub(CHARS_MAX)).collect()
}
