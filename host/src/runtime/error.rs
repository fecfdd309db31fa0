//! What can go wrong with a guest.

use std::fmt;

/// A limit that ended a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LimitKind {
    /// Linear memory.
    Memory,
    /// Table entries.
    Table,
    /// Time computed inside the guest.
    Compute,
    /// Time until the answer, waiting included.
    Deadline,
    /// Size of what the guest gives back.
    Output,
    /// Depth of the guest's own call stack.
    Stack,
    /// Depth of tools that call tools.
    CallDepth,
}

impl LimitKind {
    /// The field of a `limits` table that sets it; the stack is fixed.
    pub fn field(self) -> Option<&'static str> {
        match self {
            Self::Memory => Some("memory_mib"),
            Self::Table => Some("table_entries"),
            Self::Compute => Some("compute_ms"),
            Self::Deadline => Some("deadline_ms"),
            Self::Output => Some("output_kib"),
            Self::CallDepth => Some("call_depth"),
            Self::Stack => None,
        }
    }
}

impl fmt::Display for LimitKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Memory => "memory",
            Self::Table => "table",
            Self::Compute => "compute time",
            Self::Deadline => "deadline",
            Self::Output => "output size",
            Self::Stack => "stack",
            Self::CallDepth => "call depth",
        })
    }
}

/// Errors of the runtime. Each has a stable code, see [`RuntimeError::code`].
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// The engine can't be started on this machine.
    #[error(
        "the WebAssembly engine can't start: {0}; a smaller `limits.instances` in host.toml needs less address space"
    )]
    Engine(String),
    /// The bytes are no component.
    #[error("this is not a WebAssembly component: {0}; build it with `cargo component build`")]
    NotAComponent(String),
    /// The component belongs to another world, or another version of ours.
    #[error(
        "the component exports {found}, but a {wanted} must export `{export}`; build it against wasmill:plugin@0.1.0"
    )]
    WrongWorld {
        /// `tool` or `agent`.
        wanted: &'static str,
        /// The export that is missing.
        export: String,
        /// What it exports instead.
        found: String,
    },
    /// The component imports something that this host doesn't have, or that its grant doesn't hold.
    #[error("the component imports `{import}`: {reason}")]
    Import {
        /// The import as the component names it.
        import: String,
        /// Why it can't have it, and what would change that.
        reason: String,
    },
    /// Compiling failed.
    #[error("the component can't be compiled: {0}")]
    Compile(String),
    /// The instance can't be made.
    #[error("the component can't be started: {0}")]
    Instantiate(String),
    /// A limit ended the call.
    #[error("the {0} limit was reached")]
    Limit(LimitKind),
    /// All places of the instance pool are taken.
    #[error("all places for instances are taken: {0}")]
    Busy(String),
    /// The guest trapped.
    #[error("the guest trapped: {0}")]
    Trap(String),
    /// A file of the compile cache can't be written or read.
    #[error("the compile cache at `{path}` can't be used: {reason}")]
    Cache {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
}

impl RuntimeError {
    pub(super) fn engine(error: wasmtime::Error) -> Self {
        Self::Engine(format!("{error:#}"))
    }

    /// A stable identifier, the same in CLI, API and logs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Engine(_) => "engine.start",
            Self::NotAComponent(_) => "component.invalid",
            Self::WrongWorld { .. } => "component.world",
            Self::Import { .. } => "component.import",
            Self::Compile(_) => "component.compile",
            Self::Instantiate(_) => "component.instantiate",
            Self::Limit(_) => "guest.limit",
            Self::Busy(_) => "host.busy",
            Self::Trap(_) => "guest.trap",
            Self::Cache { .. } => "cache.failed",
        }
    }

    /// What ended a call, from wasmtime's error and the limit that the instance's limiter saw refused, if any.
    ///
    /// A Rust guest that gets no memory aborts, which is an `unreachable` trap: the refused limit is the real reason.
    pub fn from_call(error: &wasmtime::Error, refused: Option<LimitKind>) -> Self {
        if let Some(limit) = error.downcast_ref::<Interrupted>() {
            return Self::Limit(limit.0);
        }
        if error.is::<wasmtime::PoolConcurrencyLimitError>() {
            return Self::Busy(error.to_string());
        }
        if let Some(limit) = refused {
            return Self::Limit(limit);
        }
        if let Some(wasmtime::Trap::StackOverflow) = error.downcast_ref::<wasmtime::Trap>() {
            return Self::Limit(LimitKind::Stack);
        }
        // Lifting more than the store's hostcall fuel allows: the guest gives back too much.
        let text = format!("{error:#}");
        if text.contains("too much data") || text.contains("fuel allocated for hostcalls") {
            return Self::Limit(LimitKind::Output);
        }
        Self::Trap(text)
    }
}

/// The error with which the epoch callback stops a guest.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the {0} limit was reached")]
pub struct Interrupted(pub LimitKind);

/// Most bytes of a stack as text.
const STACK_TEXT_MAX: usize = 4096;

/// Where a guest trapped: one function per line, the innermost first. None where it did not trap.
pub fn trap_stack(error: &wasmtime::Error) -> Option<String> {
    let backtrace = error.downcast_ref::<wasmtime::WasmBacktrace>()?;
    error.downcast_ref::<wasmtime::Trap>()?;
    let mut text = String::new();
    for frame in backtrace.frames() {
        let name = frame.func_name().map_or_else(|| format!("function {}", frame.func_index()), demangled);
        let line = format!("{name} at {:#x}\n", frame.module_offset().unwrap_or_default());
        if text.len() + line.len() > STACK_TEXT_MAX {
            break;
        }
        text.push_str(&line);
    }
    Some(text)
}

/// A function's name as its author wrote it, without what could steer a terminal.
fn demangled(name: &str) -> String {
    let name = format!("{:#}", rustc_demangle::demangle(name));
    name.chars().filter(|c| !c.is_control()).take(200).collect()
}
