//! One call of one tool, in a fresh instance.

use super::answer;
use super::call::end_of_call;
use super::component::Tool;
use super::instance::new_store;
use super::load::Catalog;
use crate::capabilities::{CallContext, Guest};
use crate::runtime::bindings::errors::Error;
use crate::runtime::{LimitKind, RuntimeError};

impl Catalog {
    /// Calls a function whose arguments were checked. Returns the outcome, and the linear memory that the instance had
    /// at its end, in bytes.
    pub(super) async fn run_fresh(
        &self,
        tool: &Tool,
        context: CallContext,
        function: &str,
        arguments: &str,
    ) -> (Result<String, Error>, u64) {
        let identity = &tool.identity;
        let deadline = context.deadline;
        let around = context.clone();
        let guest = Guest::new(identity.clone(), self.services().clone(), context, None);
        let mut store = new_store(self.engine(), guest);
        let call = async {
            let instance = tool.pre.instantiate_async(&mut store).await?;
            instance.wasmill_plugin_tool().call_call(&mut store, function, arguments).await
        };
        let ended = tokio::time::timeout_at(deadline.into(), call).await;
        let limiter = store.data_mut().limiter();
        let (memory, refused) = (limiter.memory() as u64, limiter.refused());
        let too_large = |answer: &String| answer.len() > identity.grant.limits().output_bytes();
        let outcome = match ended {
            Ok(Ok(Ok(answer))) if too_large(&answer) => Err(RuntimeError::Limit(LimitKind::Output)),
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                tracing::debug!(target: "guest", component = %identity.component, "{error:?}");
                Err(RuntimeError::from_call(&error, refused))
            }
            Err(_) => Err(RuntimeError::Limit(LimitKind::Deadline)),
        };
        let result = match outcome {
            Ok(Ok(answer)) => answer::checked(identity, answer),
            Ok(Err(own)) => Err(answer::own_error(identity, &own)),
            Err(ended) => Err(end_of_call(identity, &around, &ended)),
        };
        (result, memory)
    }
}
