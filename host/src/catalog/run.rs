//! One call of one tool.

use super::answer;
use super::call::end_of_call;
use super::component::{Body, Tool};
use super::instance::new_store;
use super::load::Catalog;
use super::remote::{Answered, RemoteTool};
use crate::capabilities::{CallContext, Guest};
use crate::runtime::bindings::ToolComponentPre;
use crate::runtime::bindings::errors::Error;
use crate::runtime::{LimitKind, RuntimeError};

impl Catalog {
    /// Calls a function whose arguments were checked: of a component in a fresh instance. Returns the outcome, and the
    /// linear memory that the instance had at its end, in bytes.
    pub(super) async fn run(
        &self,
        tool: &Tool,
        context: CallContext,
        function: &str,
        arguments: &str,
    ) -> (Result<String, Error>, u64) {
        let identity = &tool.identity;
        let around = context.clone();
        let (outcome, memory) = match &tool.body {
            Body::Component(pre) => self.run_fresh(tool, pre, context, function, arguments).await,
            Body::Remote(remote) => match ask(remote.as_ref(), &context, function, arguments).await {
                Ok(Ok(answered)) => (Ok(answered), 0),
                Ok(Err(refused)) => return (Err(refused), 0),
                Err(ended) => (Err(ended), 0),
            },
        };
        let too_large = |answer: &String| answer.len() > identity.grant.limits().output_bytes();
        let result = match outcome {
            Ok(Ok(answer)) if too_large(&answer) => {
                Err(end_of_call(identity, &around, &RuntimeError::Limit(LimitKind::Output)))
            }
            Ok(Ok(answer)) => answer::checked(identity, answer),
            Ok(Err(own)) => Err(answer::own_error(identity, &own)),
            Err(ended) => Err(end_of_call(identity, &around, &ended)),
        };
        (result, memory)
    }

    async fn run_fresh(
        &self,
        tool: &Tool,
        pre: &ToolComponentPre<Guest>,
        context: CallContext,
        function: &str,
        arguments: &str,
    ) -> (Result<Result<String, Error>, RuntimeError>, u64) {
        let identity = &tool.identity;
        let deadline = context.deadline;
        let guest = Guest::new(identity.clone(), self.services().clone(), context, None);
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
