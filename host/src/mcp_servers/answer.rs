//! What came of a call, from the words of MCP to those of tools.

use rmcp::model::{CallToolResponse, CallToolResult, ContentBlock, ErrorCode, ErrorData};
use serde_json::{Value, json};

use crate::capabilities::errors;
use crate::catalog::Answered;

/// The result as JSON: the structured one; else, where that is all there is, the text; else the content as it came.
/// An error of the server's is its own: whoever calls is told whose words they are.
pub(super) fn of(response: CallToolResponse, answer_bytes: usize) -> Answered {
    let result = match response {
        CallToolResponse::Complete(result) => result,
        _ => {
            let message = "the server wants to ask somebody, or to answer later, and this host waits for neither";
            return Err(errors::failed("mcp.unsupported", message, ""));
        }
    };
    if result.is_error == Some(true) {
        return Ok(Err(errors::failed("error", words(&result.content), "")));
    }
    let text = value(result).to_string();
    if text.len() > answer_bytes {
        let message = format!("the answer has {} bytes, over the limit of {answer_bytes}", text.len());
        let next = "Ask for less, or raise `answer_kib` of this server in host.toml.";
        return Err(errors::limit("mcp.answer-size", message, next));
    }
    Ok(Ok(text))
}

/// An error of the protocol, in the server's own words.
pub(super) fn refusal(error: &ErrorData) -> Answered {
    let message = error.message.to_string();
    Ok(Err(match error.code {
        ErrorCode::INVALID_PARAMS => errors::invalid("arguments", message, ""),
        ErrorCode::METHOD_NOT_FOUND => errors::not_found("function", message, ""),
        code => errors::failed(&format!("error.{}", code.0), message, ""),
    }))
}

fn value(result: CallToolResult) -> Value {
    match (result.structured_content, result.content.as_slice()) {
        (Some(structured), _) => structured,
        (None, [ContentBlock::Text(text)]) => Value::String(text.text.clone()),
        (None, content) => json!({ "content": content }),
    }
}

fn words(content: &[ContentBlock]) -> String {
    let texts = content.iter().filter_map(|block| match block {
        ContentBlock::Text(text) => Some(text.text.as_str()),
        _ => None,
    });
    texts.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capabilities::problem;
    use crate::problem::ProblemKind;

    fn called(result: Value) -> Answered {
        of(CallToolResponse::Complete(serde_json::from_value(result).unwrap()), 100)
    }

    fn answered(result: Value) -> String {
        called(result).unwrap().unwrap()
    }

    #[test]
    fn a_result_is_what_says_most() {
        let text = json!({ "type": "text", "text": "two" });
        assert_eq!(answered(json!({ "content": [text], "structuredContent": { "n": 2 } })), r#"{"n":2}"#);
        assert_eq!(answered(json!({ "content": [text] })), r#""two""#);
        assert_eq!(
            answered(json!({ "content": [text, text] })),
            r#"{"content":[{"text":"two","type":"text"},{"text":"two","type":"text"}]}"#
        );
        assert_eq!(answered(json!({ "content": [] })), r#"{"content":[]}"#);
    }

    #[test]
    fn errors_are_the_servers_own_and_a_large_answer_is_none() {
        let own = called(json!({ "content": [{ "type": "text", "text": "no such city" }], "isError": true }));
        assert_eq!(problem(&own.unwrap().unwrap_err()).message, "no such city");
        let wrong = refusal(&ErrorData::invalid_params("no", None)).unwrap().unwrap_err();
        assert_eq!(problem(&wrong).kind, ProblemKind::Invalid);
        let large = called(json!({ "content": [{ "type": "text", "text": "x".repeat(99) }] })).unwrap_err();
        assert_eq!(problem(&large).code, "mcp.answer-size");
    }
}
