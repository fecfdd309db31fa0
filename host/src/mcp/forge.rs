//! The forge as two tools: `forge_build` and `forge_status`.

use std::sync::Arc;

use rmcp::RoleServer;
use rmcp::model::{CallToolResponse, CallToolResult, JsonObject, Tool, ToolAnnotations};
use rmcp::service::RequestContext;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer;
use super::ask::{self, Way};
use crate::capabilities::Caller;
use crate::catalog::names::shown;
use crate::forge::{Language, Outcome, Product, Request};
use crate::host::Host;
use crate::permissions::Action;
use crate::problem::{Problem, ProblemKind};
use crate::store::BuildFilter;

/// Builds something.
pub(super) const BUILD: &str = "forge_build";
/// Says what was built.
pub(super) const STATUS: &str = "forge_status";

/// Most builds of one answer.
const BUILDS_MAX: u32 = 20;
/// The tools, where the caller may have something made.
pub(super) fn tools(caller: &Caller) -> Vec<Tool> {
    let grant = &caller.identity.grant;
    let languages: Vec<&str> =
        Language::ALL.map(Language::word).into_iter().filter(|l| grant.check(Action::Forge(l)).is_allowed()).collect();
    if languages.is_empty() {
        return Vec::new();
    }
    let build = "Makes a tool from source: builds it in a sandbox, tries the examples, signs it and makes it callable. \
        The answer names the new tool, or says why it was refused. A tool that asks for something privileged waits for an admin.";
    let status = "Says what became of your builds, newest first, or of one of them with its diagnostics.";
    vec![
        Tool::new(BUILD, build, object(build_schema(&languages))).annotate(ToolAnnotations::new().destructive(false)),
        Tool::new(STATUS, status, object(status_schema())).annotate(ToolAnnotations::new().read_only(true)),
    ]
}

fn build_schema(languages: &[&str]) -> Value {
    let example = json!({
        "type": "object", "additionalProperties": false, "required": ["function", "arguments"],
        "properties": {
            "function": {"type": "string"},
            "arguments": {"type": "string", "description": "JSON text of an object"},
            "expected": {"type": "string", "description": "JSON text of the expected result; without it any result will do"},
        },
    });
    json!({
        "type": "object", "additionalProperties": false, "required": ["name", "language", "source"],
        "properties": {
            "name": {"type": "string", "description": "a-z, 0-9 and -; your own name is put in front of it"},
            "description": {"type": "string", "description": "one sentence on what the tool is for"},
            "language": {"enum": languages},
            "source": {"type": "string", "description": "Rust: one file, against the Wasmill SDK; JavaScript: one module that exports its functions, see docs/forge.md"},
            "dependencies": {"type": "array", "items": {"type": "string"}, "description": "crates out of the allowed set, by name"},
            "examples": {"type": "array", "items": example},
            "permissions": {"type": "string", "description": "TOML, in the words of a row of the matrix without its principal"},
        },
    })
}

fn status_schema() -> Value {
    json!({
        "type": "object", "additionalProperties": false,
        "properties": {
            "name": {"type": "string", "description": "full name of a tool; without it all of yours"},
            "limit": {"type": "integer", "minimum": 1, "maximum": BUILDS_MAX},
        },
    })
}

fn object(schema: Value) -> Arc<JsonObject> {
    Arc::new(if let Value::Object(object) = schema { object } else { JsonObject::default() })
}

/// Has something made, and asks the person behind the client to have it approved where that is needed.
pub(super) async fn build(
    host: &Host,
    caller: &Caller,
    arguments: JsonObject,
    context: &RequestContext<RoleServer>,
    answered: bool,
) -> Result<CallToolResponse, Problem> {
    let request: Request = read(arguments)?;
    let forge = host.forge.as_ref().ok_or_else(|| {
        let next = "Ask whoever runs this host to make a forge key: `wasmill key new forge --role forge`.";
        Problem::new(ProblemKind::Unavailable, "forge.none", "this host has no forge key", next)
    })?;
    let outcome = forge.build(&caller.identity.grant, &request).await.map_err(|error| error.problem())?;
    let (product, mut status) = match &outcome {
        Outcome::Callable(product) => (product, "callable"),
        Outcome::Waiting(product) => (product, "waiting"),
        Outcome::Refused(refusal) => {
            let mut problem = refusal.reason.clone();
            for diagnostic in &refusal.diagnostics {
                problem.message.push('\n');
                problem.message.push_str(diagnostic.rendered.trim_end());
            }
            return Err(problem);
        }
    };
    let mut next = String::new();
    if status == "waiting" {
        let question = ask::question(&reference(product));
        match ask::way(context, answered) {
            Way::None => {}
            Way::Request => ask::by_request(context, question).await,
            Way::Answer => return Ok(ask::by_answer(question).into()),
        }
        if is_callable(host, product) {
            status = "callable";
        } else {
            next = format!("An admin decides: `wasmill approval show {}`.", product.tool);
        }
    }
    let functions: Vec<String> = match host.catalog.snapshot().tool(&reference(product)) {
        Some(tool) => tool.functions.iter().map(|f| shown(&product.tool, &f.function.name)).collect(),
        None => Vec::new(),
    };
    Ok(answer::result(json!({
        "status": status, "tool": product.tool, "version": product.version, "digest": product.digest,
        "call": functions, "next": next,
    }))
    .into())
}

fn reference(product: &Product) -> String {
    format!("{}@{}", product.tool, product.version)
}

fn is_callable(host: &Host, product: &Product) -> bool {
    host.catalog.snapshot().tool(&reference(product)).is_some()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    name: Option<String>,
    limit: Option<u32>,
}

/// What the caller has had built; nobody else's.
pub(super) async fn status(host: &Host, caller: &Caller, arguments: JsonObject) -> Result<CallToolResult, Problem> {
    let which: Which = read(arguments)?;
    let limit = which.limit.unwrap_or(BUILDS_MAX).clamp(1, BUILDS_MAX);
    let filter =
        BuildFilter { maker: Some(caller.identity.principal.to_string()), name: which.name, limit, after: None };
    let builds = host.store.builds(&filter).await?;
    let builds: Vec<Value> = builds
        .iter()
        .map(|b| {
            json!({
                "build": b.id, "tool": b.name, "version": b.version, "outcome": b.outcome, "stage": b.stage,
                "reason": b.reason, "diagnostics": b.diagnostics, "started_ms": b.started_ms,
            })
        })
        .collect();
    Ok(answer::result(json!({ "builds": builds })))
}

fn read<T: serde::de::DeserializeOwned>(arguments: JsonObject) -> Result<T, Problem> {
    let next = "Send what the tool's input schema says.";
    serde_json::from_value(Value::Object(arguments)).map_err(|error| Problem::invalid("mcp.arguments", error, next))
}

#[cfg(fuzzing)]
pub(super) fn fuzz_arguments(arguments: JsonObject) {
    let _ = (read::<Request>(arguments.clone()), read::<Which>(arguments));
}
