//! Versions of forged tools: who reaches which, what becomes of one that fails, and how a new one does beside the old.

mod pinned;
mod restored;
mod rollback;
mod shadow;

use wasmill::capabilities::{Invocation, ToolCalls, problem};
use wasmill::forge::{Example, Language, Outcome, Request};
use wasmill::host::Host;
use wasmill_tests::parts::{self, require};
use wasmill_tests::scratch::Scratch;

pub const MATRIX: &str = r#"
privileged = ["http"]

[[row]]
principal = "client:smith"
forge = ["javascript"]
tools = ["smith.*", "text-metrics"]
http = [{ host = "api.example.com", methods = ["GET"] }]
limits = { builds_per_hour = 1000 }

[[row]]
principal = "client:other"
tools = ["*"]

[[row]]
principal = "tool:smith.*"
tools = ["text-metrics"]
http = [{ host = "api.example.com", methods = ["GET"] }]
limits = { compute_ms = 300, memory_mib = 16, output_kib = 1 }
"#;

/// A folder with an engine. `None` (said loudly) where the engine is not built.
pub async fn scratch(matrix: &str) -> Option<Scratch> {
    require(parts::plugin("javascript"))?;
    let mut scratch = Scratch::new(matrix).await.unwrap();
    // Most of these versions are made to fail, and would be refused.
    scratch.forge_settings.random_inputs = 0;
    scratch.install("javascript").unwrap();
    scratch.install("text-metrics").unwrap();
    Some(scratch)
}

/// Has `smith` make the next version of `smith.f`, whose function `f` takes a number `n` and has this body.
pub async fn make(host: &Host, body: &str, permissions: &str) -> String {
    make_with(host, body, permissions, vec![]).await
}

/// The same with examples.
pub async fn make_with(host: &Host, body: &str, permissions: &str, examples: Vec<Example>) -> String {
    let input = r#"{ type: "object", properties: { n: { type: "number" } } }"#;
    let source =
        format!("export const f = {{ input: {input}, output: {{ type: 'number' }}, call({{ n }}) {{ {body} }} }};");
    let request = Request {
        name: "f".into(),
        description: "A test.".into(),
        language: Language::JavaScript,
        source,
        dependencies: vec![],
        examples,
        permissions: permissions.into(),
    };
    let forge = host.forge.as_ref().unwrap();
    match forge.build(&host.client("smith").identity.grant, &request).await.unwrap() {
        Outcome::Callable(product) | Outcome::Waiting(product) => product.version,
        Outcome::Refused(refusal) => panic!("{refusal:?}"),
    }
}

/// The answer, or the code of the error.
pub async fn call_as(host: &Host, client: &str, tool: &str, arguments: &str) -> Result<String, String> {
    let call = Invocation { tool: tool.into(), function: "f".into(), arguments: arguments.into() };
    host.toolbox.call(&host.client(client), call).await.map_err(|error| problem(&error).code)
}

pub async fn call(host: &Host, tool: &str, n: i32) -> Result<String, String> {
    call_as(host, "smith", tool, &format!(r#"{{"n": {n}}}"#)).await
}
