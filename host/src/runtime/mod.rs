//! WebAssembly: the engine, compiled components, and the limits that every guest lives under.
//!
//! Knows nothing of permissions, Kafka or SQL: what a guest may reach is linked by `capabilities`.

// Generated code; its documentation is in wit/.
#[allow(missing_docs)]
pub mod bindings;
mod cache;
mod clock;
mod deadline;
mod engine;
mod error;
mod imports;
mod limiter;
mod output;
mod world;

pub use cache::{CompileCache, Compiled};
pub use clock::{ClockTape, Clocks};
pub use deadline::{Budget, TICK};
pub use engine::{Engine, EngineConfig, STACK_SIZE};
pub use error::{Interrupted, LimitKind, RuntimeError, trap_stack};
pub use imports::{Imports, Interface};
pub use limiter::Limiter;
pub use output::{GuestOutput, LineSink, Stream};
pub use world::check_world;
