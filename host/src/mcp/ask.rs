//! Asking the person behind a client to have an admin approve something.
//!
//! Whatever the answer is, it decides nothing: an approval counts by an admin's signature, which never comes this way. A
//! yes only says that it is time to look again.

use std::collections::BTreeMap;
use std::time::Duration;

use rmcp::RoleServer;
use rmcp::model::{
    ElicitRequest, ElicitRequestParams, ElicitationSchema, InputRequest, InputRequiredResult, ProtocolVersion,
};
use rmcp::service::RequestContext;

/// How long a person may take before the answer says that the tool waits.
const PATIENCE: Duration = Duration::from_secs(300);

/// How a client can be asked, as it said itself.
pub(super) enum Way {
    /// Not at all.
    None,
    /// By a request, while it waits for its own answer: protocols before 2026-07-28.
    Request,
    /// By an answer that says what is missing; it asks again with the person's: 2026-07-28 and later.
    Answer,
}

/// How the client that made a request can be asked. One that brings an answer has been asked already.
pub(super) fn way(context: &RequestContext<RoleServer>, answered: bool) -> Way {
    let can_ask = context.client_capabilities().is_some_and(|can| {
        // An empty capability is from before there were two modes, and means forms.
        can.elicitation.is_some_and(|elicitation| elicitation.form.is_some() || elicitation.url.is_none())
    });
    let asks_by_request = context.protocol_version().as_ref().is_none_or(ProtocolVersion::has_initialize);
    match (can_ask && !answered, asks_by_request) {
        (false, _) => Way::None,
        (true, true) => Way::Request,
        (true, false) => Way::Answer,
    }
}

/// The question about `name@version`.
pub(super) fn question(component: &str) -> ElicitRequestParams {
    let message = format!(
        "{component} is built and asks for something privileged. An admin can see it with `wasmill approval show \
         {component}` and approve it with `wasmill approval grant {component}`. Accept once that is done."
    );
    let requested_schema = ElicitationSchema::new(BTreeMap::new());
    ElicitRequestParams::FormElicitationParams { meta: None, message, requested_schema }
}

/// Asks by a request, and waits for the person.
pub(super) async fn by_request(context: &RequestContext<RoleServer>, question: ElicitRequestParams) {
    if let Err(error) = context.peer.create_elicitation_with_timeout(question, Some(PATIENCE)).await {
        tracing::debug!("a client's person was not asked for an approval: {error}");
    }
}

/// Asks by an answer.
pub(super) fn by_answer(question: ElicitRequestParams) -> InputRequiredResult {
    let asked = InputRequest::Elicitation(ElicitRequest::new(question));
    InputRequiredResult::from_input_requests([("approval".to_owned(), asked)].into())
}
