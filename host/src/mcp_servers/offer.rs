//! What a server offers: its list of tools, read page by page and checked.

use std::collections::BTreeSet;
use std::sync::Arc;

use rmcp::model::{PaginatedRequestParams, Tool};
use rmcp::service::ServerSink;
use semver::Version;
use serde_json::Value;
use wasmill_registry::Digest;

use super::ServerError;
use crate::catalog::{Offered, ToolFunction};
use crate::runtime::bindings::tool_types::Function;

/// Most pages of a list.
const PAGES_MAX: usize = 64;
/// Longest text that a server's version is read from, bytes.
const VERSION_SIZE_MAX: usize = 32;

/// Reads the whole list.
///
/// # Errors
/// [`ServerError::List`], [`ServerError::TooMany`].
pub(super) async fn list(server: &ServerSink, tools_max: usize) -> Result<Vec<Tool>, ServerError> {
    let (mut tools, mut cursor) = (Vec::new(), None);
    for _ in 0..PAGES_MAX {
        let page = server.list_tools(Some(PaginatedRequestParams::default().with_cursor(cursor))).await;
        let page = page.map_err(|error| ServerError::List(error.to_string()))?;
        tools.extend(page.tools);
        if tools.len() > tools_max {
            return Err(ServerError::TooMany(tools_max));
        }
        cursor = page.next_cursor;
        if cursor.is_none() {
            return Ok(tools);
        }
    }
    Err(ServerError::TooMany(tools_max))
}

/// What a list comes to, and why some of it is left out: one tool that can't be used takes none of the others away.
pub(super) fn offered(name: &str, version: Option<&str>, tools: Vec<Tool>) -> (Offered, Vec<String>) {
    let (mut functions, mut left_out) = (Vec::new(), Vec::new());
    let mut names = BTreeSet::new();
    for tool in tools {
        match ToolFunction::checked(function(tool)) {
            Ok(function) if names.contains(&function.function.name) => {
                left_out.push(format!("two tools are named `{}`", function.function.name));
            }
            Ok(function) => {
                names.insert(function.function.name.clone());
                functions.push(function);
            }
            Err(reason) => left_out.push(reason),
        }
    }
    let said = functions.iter().map(|f| &f.function);
    let said: Vec<[&str; 4]> = said.map(|f| [&*f.name, &*f.description, &*f.input_schema, &*f.output_schema]).collect();
    let offered = Offered {
        version: version.and_then(read_version).unwrap_or(Version::new(0, 0, 0)),
        description: format!("Tools of the MCP server `{name}`"),
        digest: Digest::of(serde_json::to_string(&said).unwrap_or_default().as_bytes()).to_string(),
        functions: functions.into(),
    };
    (offered, left_out)
}

fn function(tool: Tool) -> Function {
    let schema = |schema: &Arc<rmcp::model::JsonObject>| Value::Object((**schema).clone()).to_string();
    Function {
        name: tool.name.into_owned(),
        description: tool.description.map(|text| text.into_owned()).unwrap_or_default(),
        input_schema: schema(&tool.input_schema),
        output_schema: tool.output_schema.as_ref().map_or_else(|| "{}".to_owned(), schema),
    }
}

fn read_version(text: &str) -> Option<Version> {
    if text.len() > VERSION_SIZE_MAX { None } else { Version::parse(text).ok() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tool(name: &str, schema: Value) -> Tool {
        serde_json::from_value(json!({ "name": name, "description": "d", "inputSchema": schema })).unwrap()
    }

    #[test]
    fn what_cannot_be_used_is_left_out_and_the_rest_stays() {
        let object = || json!({ "type": "object" });
        let tools = vec![
            tool("getForecast", object()),
            tool("get.forecast", object()),
            tool("getForecast", object()),
            tool("text", json!({ "type": "string" })),
            tool("file", json!({ "$ref": "file:///etc/hostname" })),
            tool("large", json!({ "description": "x".repeat(65 * 1024) })),
            tool("b", object()),
        ];
        let (offered, left_out) = offered("weather", Some("1.2.3"), tools);
        let names: Vec<&str> = offered.functions.iter().map(|f| f.function.name.as_str()).collect();
        assert_eq!((names, left_out.len()), (vec!["getForecast", "b"], 5));
        assert_eq!(offered.version, Version::new(1, 2, 3));
    }

    #[test]
    fn another_list_has_another_digest_and_an_odd_version_is_none() {
        let of = |name: &str| offered("w", Some("v1"), vec![tool(name, json!({ "type": "object" }))]).0;
        assert_eq!(of("a").digest, of("a").digest);
        assert_ne!(of("a").digest, of("b").digest);
        assert_eq!(of("a").version, Version::new(0, 0, 0));
        assert_eq!(read_version(&format!("1.0.0-{}", "a".repeat(40))), None);
    }
}
