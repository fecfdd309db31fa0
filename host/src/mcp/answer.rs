//! What a call came to, as MCP says it.

use rmcp::model::{CallToolResult, ContentBlock};
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

/// A problem. It goes to the model, which can do what `next` says; an error of the protocol would not reach it.
pub(super) fn problem(problem: &Problem) -> CallToolResult {
    let mut text = format!("{} ({})", problem.message, problem.code);
    if !problem.next.is_empty() {
        text.push_str(&format!("\nNext: {}", problem.next));
    }
    if let Some(ms) = problem.retry_after_ms {
        text.push_str(&format!("\nRetry after: {} s", ms.div_ceil(1000)));
    }
    CallToolResult::error(vec![ContentBlock::text(text)])
}
