//! One call of one tool.

use std::sync::Arc;

use super::answer;
use super::call::end_of_call;
use super::component::{Body, Tool, ToolFunction};
use super::instance::new_store;
use super::load::Catalog;
use super::remote::{Answered, RemoteTool};
use crate::capabilities::{CallContext, Guest, Services};
use crate::runtime::bindings::ToolComponentPre;
use crate::runtime::bindings::errors::Error;
use crate::runtime::{LimitKind, RuntimeError};

/// How the code of a script's error ends that nobody has caught, whatever the language.
const UNCAUGHT: &str = ".exception";

/// How a call ended.
pub(super) struct Ran {
    /// Its outcome.
    pub result: Result<String, Error>,
    /// Linear memory that the instance had at its end, bytes.
    pub memory_bytes: u64,
    /// True where it failed by the fault of a forged tool.
    pub failed: bool,
}

impl Catalog {
    /// Calls a function whose arguments were checked: of a component in a fresh instance, with what guests share.
    pub(super) async fn run(
        &self,
        services: &Arc<Services>,
        tool: &Tool,
        context: CallContext,
        function: &ToolFunction,
        arguments: &str,
    ) -> Ran {
        let identity = &tool.identity;
        let around = context.clone();
        let name = &function.function.name;
        let (outcome, memory_bytes) = match &tool.body {
            Body::Component(pre) => self.run_fresh(services, tool, pre, context, name, arguments).await,
            Body::Remote(remote) => match ask(remote.as_ref(), &context, name, arguments).await {
                Ok(Ok(answered)) => (Ok(answered), 0),
                Ok(Err(refused)) => return Ran { result: Err(refused), memory_bytes: 0, failed: false },
                Err(ended) => (Err(ended), 0),
            },
        };
        let outcome = outcome.and_then(|answer| match answer {
            Ok(answer) if answer.len() > identity.grant.limits().output_bytes() => {
                Err(RuntimeError::Limit(LimitKind::Output))
            }
            answer => Ok(answer),
        });
        let failed = is_own_fault(tool, function, &around, &outcome);
        let result = match outcome {
            Ok(Ok(answer)) => answer::checked(identity, answer),
            Ok(Err(own)) => Err(answer::own_error(identity, &own)),
            Err(ended) => Err(end_of_call(identity, &around, &ended)),
        };
        Ran { result, memory_bytes, failed }
    }

    async fn run_fresh(
        &self,
        services: &Arc<Services>,
        tool: &Tool,
        pre: &ToolComponentPre<Guest>,
        context: CallContext,
        function: &str,
        arguments: &str,
    ) -> (Result<Result<String, Error>, RuntimeError>, u64) {
        let identity = &tool.identity;
        let deadline = context.deadline;
        let guest = Guest::new(identity.clone(), services.clone(), context, None);
        let mut store = new_store(self.engine(), guest);
        let call = async {
            let instance = pre.instantiate_async(&mut store).await?;
            instance.wasmill_plugin_tool().call_call(&mut store, function, arguments).await
        };
        let ended = tokio::time::timeout_at(deadline.into(), call).await;
        let limiter = store.data_mut().limiter();
        let (memory, refused) = (limiter.memory() as u64, limiter.refused());
        let outcome = match ended {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                tracing::debug!(target: "guest", component = %identity.component, "{error:?}");
                Err(RuntimeError::from_call(&error, refused))
            }
            Err(_) => Err(RuntimeError::Limit(LimitKind::Deadline)),
        };
        (outcome, memory)
    }
}

/// True where a call of a forged tool ended as none should, and nobody but the tool is to blame: a trap, a limit of its own,
/// an answer that is none or doesn't fit its schema, in a script an error that nobody has caught. What a tool says in an
/// error of its own, what others deny it, and what is wrong with arguments is none of it.
fn is_own_fault(
    tool: &Tool,
    function: &ToolFunction,
    context: &CallContext,
    outcome: &Result<Result<String, Error>, RuntimeError>,
) -> bool {
    if tool.maker.is_none() {
        return false;
    }
    match outcome {
        Ok(Ok(answer)) => !function.fits(answer),
        Ok(Err(Error::Failed(said))) => tool.manifest.script.is_some() && said.code.ends_with(UNCAUGHT),
        Ok(Err(_)) => false,
        Err(RuntimeError::Trap(_)) => true,
        Err(RuntimeError::Limit(LimitKind::Deadline)) => context.has_deadline_of(&tool.identity),
        Err(RuntimeError::Limit(_)) => true,
        Err(_) => false,
    }
}

/// The deadline of a call holds whoever answers it.
async fn ask(
    remote: &dyn RemoteTool,
    context: &CallContext,
    function: &str,
    arguments: &str,
) -> Result<Answered, RuntimeError> {
    let call = remote.call(function, arguments);
    let answered = tokio::time::timeout_at(context.deadline.into(), call).await;
    answered.map_err(|_| RuntimeError::Limit(LimitKind::Deadline))
}
