//! What a call came to, as MCP says it.

use rmcp::model::{CallToolResult, ContentBlock};
use serde::Serialize;
use serde_json::Value;

use crate::problem::Problem;

/// A result: as text for every client and, where it is an object, structured as well.
pub(super) fn result(value: Value) -> CallToolResult {
    if value.is_object() {
        CallToolResult::structured(value)
    } else {
        CallToolResult::success(vec![ContentBlock::text(value.to_string())])
    }
}

/// Anything of ours as a result.
pub(super) fn shown(value: &impl Serialize) -> CallToolResult {
    match serde_json::to_value(value) {
        Ok(value) => result(value),
        Err(error) => problem(&Problem::invalid("mcp.answer", error, "")),
    }
}

/// A problem. It goes to the model, which can do what `next` says; an error of the protocol would not reach it.
pub(super) fn problem(problem: &Problem) -> CallToolResult {
    let mut text = format!("{} ({})", problem.message, problem.code);
    if !problem.next.is_empty() {
        text.push_str(&format!("\nNext: {}", problem.next));
    }
    CallToolResult::error(vec![ContentBlock::text(text)])
}
