//! One call of a tool.

use serde_json::Value;
use wasmill_registry::Manifest;

use super::case::{Case, ToolCase};
use super::compare::{expected_value, is_expected, problem_value, same};
use super::run::Difference;
use crate::capabilities::problem;
use crate::host::Host;
use crate::problem::Problem;

/// Calls it as the case says. None where everything is as expected.
pub(super) async fn try_tool(
    host: &Host,
    component: &[u8],
    manifest: &Manifest,
    case: &Case,
    call: &ToolCase,
) -> Result<Option<Difference>, Problem> {
    let tool = host.catalog.unsigned_tool(component, manifest, case.config.clone()).await?;
    let tried = host.catalog.try_call(&tool, &call.function, &call.arguments.to_string()).await;
    let got = match tried.result {
        // The host has seen that it is JSON.
        Ok(text) => Ok(serde_json::from_str::<Value>(&text).unwrap_or(Value::String(text))),
        Err(error) => Err(problem(&error)),
    };
    let as_expected = match (&call.expected, &got) {
        (None, Ok(_)) => true,
        (Some(Ok(expected)), Ok(got)) => same(expected, got),
        (Some(Err(expected)), Err(got)) => is_expected(expected, None, got),
        _ => false,
    };
    if as_expected {
        return Ok(None);
    }
    let expected = match &call.expected {
        None => Value::String("any result".into()),
        Some(Ok(expected)) => expected.clone(),
        Some(Err(expected)) => serde_json::json!({ "error": expected_value(expected) }),
    };
    let got = match got {
        Ok(value) => value,
        Err(problem) => serde_json::json!({ "error": problem_value(None, &problem) }),
    };
    Ok(Some(Difference { expected, got }))
}
