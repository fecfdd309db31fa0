//! Calls other tools that the permission matrix grants (`tools`).
//!
//! Each call runs in a fresh instance with the called tool's own grant, never with the caller's.

use crate::Error;
use crate::bindings::agent::wasmill::plugin::tools;

pub use tools::{Invocation, Tool as ToolInfo};

/// Lists the tools that this component may call, sorted by name.
///
/// # Errors
/// `unavailable` where the host cannot read its registry now.
pub fn list() -> Result<Vec<ToolInfo>, Error> {
    tools::list_tools()
}

/// Calls one function of a tool. `tool` is `name` for the newest version or `name@version`; `arguments` and the result
/// are JSON text.
///
/// # Errors
/// `denied` without a grant; `not-found`; `invalid` for arguments that the schema refuses; `limit` for time, depth or
/// size; `failed` with what the tool itself answered, or with its trap.
pub fn call(tool: &str, function: &str, arguments: &str) -> Result<String, Error> {
    tools::call(&invocation(tool, function, arguments))
}

/// Makes up to 64 calls at the same time: row `i` of the answer belongs to invocation `i`.
///
/// # Errors
/// As [`call`] for each one; `limit` for more than 64.
pub fn call_all(invocations: &[Invocation]) -> Result<Vec<Result<String, Error>>, Error> {
    tools::call_all(invocations)
}

/// One call for [`call_all`].
pub fn invocation(tool: &str, function: &str, arguments: &str) -> Invocation {
    Invocation { tool: tool.to_owned(), function: function.to_owned(), arguments: arguments.to_owned() }
}

/// Calls with arguments and a result of any type that serde knows.
///
/// # Errors
/// As [`call`]; `invalid` with `json.arguments` or `json.result` where a type does not fit.
#[cfg(feature = "json")]
pub fn call_typed<R: serde::de::DeserializeOwned>(
    tool: &str,
    function: &str,
    arguments: &impl serde::Serialize,
) -> Result<R, Error> {
    let answer = call(tool, function, &crate::json::print(arguments)?)?;
    serde_json::from_str(&answer).map_err(|error| {
        Error::invalid("json.result", format!("{tool}.{function} answered something else than expected: {error}"))
    })
}
