//! What `tests/fuzz` feeds with bytes that nobody vouches for, where it is not public otherwise. Only there in a build
//! for fuzzing.

use std::sync::LazyLock;

use wasmill_registry::Permissions;

use crate::catalog::ToolFunction;
use crate::conversations::{Said, Session};
use crate::forge;
use crate::permissions::{Grant, Matrix, Principal};
use crate::runtime::bindings::tool_types::Function;

/// Who may do most, so that what is refused is refused for what it is.
static GRANT: LazyLock<Grant> = LazyLock::new(|| {
    let row = "[[row]]\nprincipal = 'agent:fuzz'\ntools = ['*']\nmodel = ['*']\nforge = ['rust', 'javascript']\n\
        http = [{ host = '*', methods = ['GET'] }]\n";
    let matrix = Matrix::parse(row).unwrap_or_else(|error| panic!("{error}"));
    matrix.grant(&Principal::agent("fuzz"), None, None, None)
});

/// What the forge takes for a tool's component imports nothing that was not asked for.
pub fn component(bytes: &[u8]) {
    let nothing = Permissions::default();
    if forge::inspect(bytes, &nothing).is_ok() {
        let names = crate::runtime::Imports::of(bytes).unwrap_or_else(|error| panic!("taken, and {error}"));
        assert!(!names.imports_name("wasmill:plugin/tools") && !names.imports_name("wasmill:plugin/records"));
    }
}

/// A source, alone and in a request.
pub fn source(text: &str) {
    let found = forge::scan(text);
    if let Ok(request) = serde_json::from_str::<forge::Request>(text) {
        let _ = forge::refuse(&request, &GRANT);
    }
    assert!(found.len() <= text.len(), "more is wrong than there is");
}

/// A function as its tool describes it, and arguments for it.
pub fn schema(schema: &str, arguments: &str) {
    let function = Function {
        name: "f".into(),
        description: String::new(),
        input_schema: schema.into(),
        output_schema: schema.into(),
    };
    if let (Ok(function), Ok(value)) = (ToolFunction::checked(function), serde_json::from_str(arguments)) {
        let _ = function.arguments.check(&value, arguments.len());
    }
}

/// A request for a tool, by a topic.
pub fn tool_request(bytes: &[u8]) {
    if let Ok(request) = crate::tool_topics::Request::parse(Some(bytes)) {
        let _ = (request.invocation(), request.tenant());
    }
}

/// An event of a conversation, and a message for one.
pub fn conversation(key: Option<&[u8]>, value: &[u8]) {
    let _ = crate::conversations::Event::parse(key, Some(value));
    if let (Ok(said), Ok(session)) = (serde_json::from_slice::<Said>(value), Session::of("fuzz", "s")) {
        let _ = crate::conversations::record(&session, said, None);
    }
}

/// Records of the topic of started agents.
pub fn started_agents(records: &[(Option<&[u8]>, Option<&[u8]>)]) {
    crate::capabilities::agents::fuzz_entries(records);
}

/// The body of a request to the gateway; its first byte says which.
pub fn http_body(bytes: &[u8]) {
    crate::gateway::fuzz_body(bytes);
}

/// A message of an MCP client.
pub fn mcp_message(bytes: &[u8]) {
    crate::mcp::fuzz_message(bytes);
}
