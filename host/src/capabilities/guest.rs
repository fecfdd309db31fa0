//! Everything that lives with one instance.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use rand::Rng;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use super::context::CallContext;
use super::errors;
use super::http::HttpGate;
use super::log::GuestLog;
use super::records::{Outbox, OutboxSnapshot};
use super::services::Services;
use super::shadow::Came;
use super::state::{StateSnapshot, StateView};
use crate::permissions::{Action, Decision, Grant, Principal, Rate};
use crate::runs::{Journal, Repeatable};
use crate::runtime::bindings::errors::Error;
use crate::runtime::{Budget, Clocks, GuestOutput, Limiter, Stream};
use crate::store::AuditEntry;

/// Who a component is and what it may do; the same for all its instances until the matrix or the component changes.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Who asks, such as `agent:logsmith`.
    pub principal: Principal,
    /// `name@version`.
    pub component: Arc<str>,
    /// SHA-256 of the component, hexadecimal.
    pub digest: String,
    /// What it may do.
    pub grant: Grant,
    /// Revision of the permission file that the grant was compiled from.
    pub policy_revision: String,
    /// Settings that the admin gave it.
    pub settings: BTreeMap<String, String>,
    /// The text that it is, where it is run by an engine.
    pub source: Option<Arc<str>>,
    /// False for what is only tried with nothing granted: what it is denied then is nobody's news.
    pub is_heard: bool,
}

/// What only an agent's instance has.
pub struct AgentSide {
    /// Records to send.
    pub outbox: Outbox,
    /// State of its partition.
    pub state: StateView,
}

impl AgentSide {
    /// What the batch did so far.
    pub fn snapshot(&self) -> AgentSnapshot {
        AgentSnapshot { outbox: self.outbox.snapshot(), state: self.state.snapshot() }
    }

    /// Drops what was done since the snapshot.
    pub fn restore(&mut self, snapshot: AgentSnapshot) {
        self.outbox.restore(snapshot.outbox);
        self.state.restore(snapshot.state);
    }
}

/// What a batch had done at one moment.
pub struct AgentSnapshot {
    outbox: OutboxSnapshot,
    state: StateSnapshot,
}

/// The data of one instance's store.
pub struct Guest {
    identity: Arc<Identity>,
    services: Arc<Services>,
    context: CallContext,
    agent: Option<AgentSide>,
    limiter: Limiter,
    budget: Budget,
    clocks: Clocks,
    log: Arc<GuestLog>,
    table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    gate: HttpGate,
    repeatable: Option<Repeatable>,
    /// Calls that this instance has made, for their keys.
    calls: u64,
}

impl Guest {
    /// A guest that may do what its identity's grant says; `agent` for agents.
    pub fn new(
        identity: Arc<Identity>,
        services: Arc<Services>,
        context: CallContext,
        agent: Option<AgentSide>,
    ) -> Self {
        Self::with(identity, services, context, agent, None)
    }

    /// The same for an agent whose work can be repeated.
    pub fn repeatable(
        identity: Arc<Identity>,
        services: Arc<Services>,
        context: CallContext,
        agent: AgentSide,
        repeatable: Repeatable,
    ) -> Self {
        Self::with(identity, services, context, Some(agent), Some(repeatable))
    }

    fn with(
        identity: Arc<Identity>,
        services: Arc<Services>,
        context: CallContext,
        agent: Option<AgentSide>,
        repeatable: Option<Repeatable>,
    ) -> Self {
        let limits = identity.grant.limits();
        let limiter = Limiter::new(limits.memory_bytes(), limits.table_entries());
        let budget = Budget::new(limits.compute(), context.deadline);
        let runs = identity.grant.check(Action::Clock).is_allowed();
        let clocks = match &repeatable {
            None => Clocks::new(runs),
            Some(repeatable) if runs => Clocks::taped(repeatable.journal.clone()),
            Some(repeatable) => Clocks::fixed(repeatable.wall_ns),
        };
        clocks.set(context.clock_ms);
        let log = Arc::new(GuestLog::new(identity.component.clone()));
        // Nothing is granted here: no directory, no environment, no arguments, no network.
        let mut wasi = WasiCtx::builder();
        wasi.wall_clock(clocks.clone())
            .monotonic_clock(clocks.clone())
            .stdout(GuestOutput::new(Stream::Stdout, log.clone()))
            .stderr(GuestOutput::new(Stream::Stderr, log.clone()))
            .allow_tcp(false)
            .allow_udp(false);
        if let Some(repeatable) = &repeatable {
            wasi.secure_random(repeatable.random(0))
                .insecure_random(repeatable.random(1))
                .insecure_random_seed(u128::from(repeatable.random(2).next_u64()));
        }
        let wasi = wasi.build();
        let journal = repeatable.as_ref().map(|repeatable| repeatable.journal.clone());
        let gate = HttpGate::new(identity.clone(), services.clone(), &context, journal);
        Self {
            identity,
            services,
            context,
            agent,
            limiter,
            budget,
            clocks,
            log,
            table: ResourceTable::new(),
            wasi,
            http: WasiHttpCtx::new(),
            gate,
            repeatable,
            calls: 0,
        }
    }

    /// A call of a warm instance begins: clocks, budgets and the context are the new call's.
    pub fn begin_call(&mut self, context: CallContext) {
        self.clocks.set(context.clock_ms);
        self.log.begin_call();
        self.limiter.begin_call();
        self.budget = Budget::new(self.identity.grant.limits().compute(), context.deadline);
        self.gate.begin_call(&context);
        self.context = context;
    }

    /// Who this is.
    pub fn identity(&self) -> &Arc<Identity> {
        &self.identity
    }

    /// What all guests share.
    pub fn services(&self) -> &Arc<Services> {
        &self.services
    }

    /// The call at hand.
    pub fn context(&self) -> &CallContext {
        &self.context
    }

    /// Counts calls.
    pub(super) fn next_call(&mut self) -> u64 {
        self.calls += 1;
        self.calls
    }

    /// The journal, where this work can be repeated.
    pub(super) fn journal(&self) -> Option<&Arc<Journal>> {
        self.repeatable.as_ref().map(|repeatable| &repeatable.journal)
    }

    /// When whatever is asked now must be answered. Work that can be repeated has its whole time for each call.
    pub(super) fn call_deadline(&self) -> Instant {
        match &self.repeatable {
            None => self.context.deadline,
            Some(_) => self.context.deadline.min(Instant::now() + self.identity.grant.limits().deadline()),
        }
    }

    /// What only agents have.
    pub fn agent_side(&mut self) -> Option<&mut AgentSide> {
        self.agent.as_mut()
    }

    /// Takes what only agents have out of an instance that ended.
    pub fn into_agent_side(self) -> Option<AgentSide> {
        self.agent
    }

    /// Memory and table accounts.
    pub fn limiter(&mut self) -> &mut Limiter {
        &mut self.limiter
    }

    /// What is left to the call at hand.
    pub fn budget(&mut self) -> &mut Budget {
        &mut self.budget
    }

    /// What its wall clock shows, milliseconds since 1970.
    pub(super) fn wall_ms(&self) -> u64 {
        self.clocks.wall_ms()
    }

    pub(super) fn log(&self) -> &GuestLog {
        &self.log
    }

    /// Asks the grant. A denial is logged and remembered, and comes back as the error that the guest gets.
    pub(super) fn check(&self, action: Action<'_>) -> Result<(), Error> {
        check(&self.identity, &self.services, action)
    }
}

/// Asks a grant; for those who have no guest at hand. A denial in a shadow run is noted there and nowhere else.
pub fn check(identity: &Identity, services: &Services, action: Action<'_>) -> Result<(), Error> {
    let Decision::Denied(denial) = identity.grant.check(action) else { return Ok(()) };
    if let Some(shadow) = &services.shadow {
        shadow.note(&action.to_string(), Came::Denied);
        return Err(errors::denied(&denial));
    }
    if !identity.is_heard {
        return Err(errors::denied(&denial));
    }
    tracing::warn!(target: "permission", principal = %identity.principal, component = %identity.component, "{denial}");
    let (principal, tried) = (identity.principal.to_string(), action.to_string());
    services.audit.record(AuditEntry::now(principal, tried, "denied", denial.to_string()));
    Err(errors::denied(&denial))
}

/// Counts what somebody asks for, against its limits by the minute and those of its makers. A shadow run is not counted.
///
/// # Errors
/// `limit`, with when to come back.
pub fn count(identity: &Identity, services: &Services, rate: Rate, count: u64) -> Result<(), Error> {
    if services.shadow.is_some() {
        return Ok(());
    }
    services.rates.take(&identity.grant, rate, count).map_err(|reached| {
        tracing::debug!(target: "permission", principal = %identity.principal, "{reached}");
        errors::rate(&reached)
    })
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for Guest {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.gate }
    }
}
