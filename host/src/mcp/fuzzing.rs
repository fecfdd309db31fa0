//! A client's message, as far as it is read before anything is done.

use rmcp::model::{ClientJsonRpcMessage, ClientRequest, JsonRpcMessage};

use super::forge;

/// Reads a message, and what a call of the forge says in it.
pub fn message(bytes: &[u8]) {
    let Ok(JsonRpcMessage::Request(request)) = serde_json::from_slice::<ClientJsonRpcMessage>(bytes) else { return };
    if let ClientRequest::CallToolRequest(call) = request.request {
        forge::fuzz_arguments(call.params.arguments.unwrap_or_default());
    }
}
