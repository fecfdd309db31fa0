//! What happened, counted where it happens: atomics that agents, tools and the forge add to, once a batch or a call.
//!
//! Who watches reads figures from here. This folder knows nothing of how they are shown, and nothing that it counts may
//! decide anything.

mod agent;
mod agent_figures;
mod audit;
mod cpu;
mod flow;
mod forge;
mod histogram;
mod model;
mod names;
mod process;
mod telemetry;
mod tool;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub use agent::{AgentMeter, Failure, HeldInstance, Round, Seat};
pub use agent_figures::{AgentFigures, ErrorFigures, HeldPartition, RoundFigures};
pub use audit::{AuditFigures, AuditMeter};
pub use cpu::on_cpu;
pub use flow::{FlowFigures, FlowKind, Flows, Moved};
pub use forge::{Built, ForgeFigures, ForgeMeter};
pub use histogram::{BOUNDS_MICROS, Distribution, Histogram};
pub use model::{ModelFigures, ModelMeter};
pub use names::Names;
pub use process::ProcessFigures;
pub use telemetry::{TelemetryFigures, TelemetryMeter};
pub use tool::{ToolFigures, ToolMeter};

/// All meters of a host.
#[derive(Default)]
pub struct Meters {
    /// Of agents, by name without version.
    pub agents: Names<AgentMeter>,
    /// Of tools, by name without version.
    pub tools: Names<ToolMeter>,
    /// Of what goes from whom to where.
    pub flows: Flows,
    /// Of questions to language models, by who asked.
    pub models: Names<ModelMeter>,
    /// Of the forge.
    pub forge: Arc<ForgeMeter>,
    /// Of the audit trail.
    pub audit: Arc<AuditMeter>,
    refused_calls: AtomicU64,
}

impl Meters {
    /// A call reached no tool: it was denied, too deep, or of a tool that can't be called.
    pub fn refuse_call(&self) {
        self.refused_calls.fetch_add(1, Ordering::Relaxed);
    }

    /// Calls that reached no tool.
    pub fn refused_calls(&self) -> u64 {
        self.refused_calls.load(Ordering::Relaxed)
    }
}
