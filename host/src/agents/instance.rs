//! A warm instance of an agent.

use std::time::Instant;

use wasmtime::Store;

use super::partition::Surroundings;
use crate::capabilities::{AgentSide, CallContext, Guest, problem};
use crate::catalog::{end_of_call, new_store, own_problem};
use crate::meters::{self, HeldInstance, on_cpu};
use crate::problem::{Problem, ProblemKind};
use crate::runs::Repeatable;
use crate::runtime::bindings::AgentComponent;
use crate::runtime::bindings::agent_world::exports::wasmill::plugin::agent::Failure;
use crate::runtime::bindings::records::Batch;
use crate::runtime::{LimitKind, RuntimeError, trap_stack};

/// One instance, for one partition.
pub struct Instance {
    store: Store<Guest>,
    guest: AgentComponent,
    held: HeldInstance,
}

/// Why a call did not succeed.
#[derive(Debug)]
pub enum CallError {
    /// The agent says that a row failed. The instance lives on.
    Row {
        /// The row that it names, which need not be one of the batch.
        row: u32,
        /// Why.
        problem: Problem,
        /// May succeed later.
        retry: bool,
    },
    /// The instance is dead: a trap, or a reached limit.
    Dead {
        /// Why.
        problem: Problem,
        /// Where it trapped, innermost first; none where it did not.
        stack: Option<String>,
    },
}

impl CallError {
    /// As it is counted.
    pub fn failure(&self) -> meters::Failure {
        match self {
            Self::Row { .. } => meters::Failure::Own,
            Self::Dead { problem, .. } if problem.kind == ProblemKind::Limit => meters::Failure::Limit,
            Self::Dead { .. } => meters::Failure::Trap,
        }
    }
}

impl Instance {
    /// Starts an instance.
    ///
    /// # Errors
    /// What the guest did at its start, and the agent's side back.
    pub async fn start(
        around: &Surroundings,
        context: CallContext,
        side: AgentSide,
    ) -> Result<Self, (Problem, Option<AgentSide>)> {
        let guest = Guest::new(around.agent.identity.clone(), around.services.clone(), context, Some(side));
        Self::instantiate(around, guest).await
    }

    /// Starts one whose work can be repeated.
    ///
    /// # Errors
    /// What the guest did at its start.
    pub async fn start_repeatable(
        around: &Surroundings,
        context: CallContext,
        side: AgentSide,
        repeatable: Repeatable,
    ) -> Result<Self, Problem> {
        let (identity, services) = (around.agent.identity.clone(), around.services.clone());
        let guest = Guest::repeatable(identity, services, context, side, repeatable);
        Self::instantiate(around, guest).await.map_err(|(problem, _)| problem)
    }

    async fn instantiate(around: &Surroundings, guest: Guest) -> Result<Self, (Problem, Option<AgentSide>)> {
        let deadline = guest.context().deadline;
        let mut store = new_store(&around.engine, guest);
        let started = tokio::time::timeout_at(deadline.into(), around.agent.pre.instantiate_async(&mut store));
        match on_cpu(|spent| around.meter.on_cpu(spent), started).await {
            Ok(Ok(guest)) => {
                let mut held = around.meter.instance();
                held.memory(store.data_mut().limiter().memory() as u64);
                Ok(Self { store, guest, held })
            }
            Ok(Err(error)) => {
                let problem = ended(&mut store, &error);
                Err((problem, store.into_data().into_agent_side()))
            }
            Err(_) => Err((too_late(&store), store.into_data().into_agent_side())),
        }
    }

    /// The agent's outbox and state.
    pub fn side(&mut self) -> Option<&mut AgentSide> {
        self.store.data_mut().agent_side()
    }

    /// The agent's outbox and state, out of an instance that is not needed any more.
    pub fn into_side(self) -> Option<AgentSide> {
        self.store.into_data().into_agent_side()
    }

    /// Hands over a batch.
    ///
    /// # Errors
    /// See [`CallError`]; after [`CallError::Dead`] the instance must be replaced.
    pub async fn handle(&mut self, context: CallContext, batch: &Batch) -> Result<(), CallError> {
        let deadline = self.begin(context);
        let call = self.guest.wasmill_plugin_agent().call_handle(&mut self.store, batch);
        let call = tokio::time::timeout_at(deadline.into(), call);
        let answer = on_cpu(|spent| self.held.meter().on_cpu(spent), call).await;
        self.held.memory(self.store.data_mut().limiter().memory() as u64);
        match self.alive(answer)? {
            Ok(()) => Ok(()),
            Err(Failure { row, reason, retry }) => {
                Err(CallError::Row { row, problem: own_problem(&problem(&reason)), retry })
            }
        }
    }

    /// Tells the agent that its partition is quiet.
    ///
    /// # Errors
    /// As [`Instance::handle`]; an error of the agent's own may pass.
    pub async fn idle(&mut self, context: CallContext) -> Result<(), CallError> {
        let deadline = self.begin(context);
        let call = self.guest.wasmill_plugin_agent().call_idle(&mut self.store);
        let call = tokio::time::timeout_at(deadline.into(), call);
        let answer = on_cpu(|spent| self.held.meter().on_cpu(spent), call).await;
        self.held.memory(self.store.data_mut().limiter().memory() as u64);
        self.alive(answer)?.map_err(|reason| CallError::Row {
            row: 0,
            problem: own_problem(&problem(&reason)),
            retry: true,
        })
    }

    fn begin(&mut self, context: CallContext) -> Instant {
        let deadline = context.deadline;
        self.store.data_mut().begin_call(context);
        self.store.set_epoch_deadline(1);
        deadline
    }

    fn alive<T>(&mut self, answer: Result<wasmtime::Result<T>, tokio::time::error::Elapsed>) -> Result<T, CallError> {
        match answer {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                Err(CallError::Dead { problem: ended(&mut self.store, &error), stack: trap_stack(&error) })
            }
            Err(_) => Err(CallError::Dead { problem: too_late(&self.store), stack: None }),
        }
    }
}

fn ended(store: &mut Store<Guest>, error: &wasmtime::Error) -> Problem {
    let ended = RuntimeError::from_call(error, store.data_mut().limiter().refused());
    let identity = store.data().identity();
    tracing::debug!(target: "guest", component = %identity.component, "{error:?}");
    problem(&end_of_call(identity, store.data().context(), &ended))
}

fn too_late(store: &Store<Guest>) -> Problem {
    let guest = store.data();
    problem(&end_of_call(guest.identity(), guest.context(), &RuntimeError::Limit(LimitKind::Deadline)))
}
