//! A name belongs to one.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use wasmill::capabilities::{Invocation, ToolCalls, problem};
use wasmill::forge::{BUILD_TYPE, BUILDER_ID};
use wasmill::mcp_servers::{Reach, ServerConfig};
use wasmill_registry::{Bundle, Claim, sign};
use wasmill_tests::parts::{self, require};
use wasmill_tests::scratch::{Scratch, component, manifest};

/// A forged tool of an agent that is named `mcp` would otherwise be called by whoever may call the server's.
#[tokio::test(flavor = "multi_thread")]
async fn a_component_does_not_take_the_place_of_a_server() {
    if require(parts::plugin("text-metrics")).is_none() {
        return;
    }
    let mut scratch = Scratch::new("[[row]]\nprincipal = \"client:cli\"\ntools = [\"mcp.*\"]\n").await.unwrap();
    for name in ["web", "free"] {
        let manifest = manifest("text-metrics").unwrap().replace("\"text-metrics\"", &format!("\"mcp.{name}\""));
        let component = component("text-metrics").unwrap();
        let statement = json!({
            "buildDefinition": { "buildType": BUILD_TYPE, "externalParameters": { "maker": "client:mcp" } },
            "runDetails": { "builder": { "id": BUILDER_ID } },
        });
        let claim = Claim::Forged(serde_json::from_value(statement).unwrap());
        let envelope = sign(&component, manifest.as_bytes(), &claim, &scratch.forge).unwrap();
        let bundle = Bundle { component, manifest: manifest.into_bytes(), envelope: envelope.to_json(), source: None };
        let verified = bundle.verify(&scratch.trust().unwrap(), time::OffsetDateTime::now_utc()).unwrap();
        scratch.registry().unwrap().install(&verified).unwrap();
    }
    scratch.mcp_servers = vec![ServerConfig {
        name: "web".into(),
        reach: Reach::Http { url: "http://127.0.0.1:9/mcp".parse().unwrap(), headers: BTreeMap::new() },
        timeout: Duration::from_secs(1),
        answer_bytes: 1024,
        tools_max: 1,
    }];
    let host = scratch.open().await.unwrap();
    let call = async |tool: &str| {
        let invocation =
            Invocation { tool: tool.into(), function: "count".into(), arguments: r#"{"text": "a"}"#.into() };
        host.toolbox.call(&host.client("cli"), invocation).await
    };
    call("mcp.free").await.unwrap();
    assert_eq!(problem(&call("mcp.web").await.unwrap_err()).code, "tool.refused");
    let refused = &host.catalog.snapshot().refused;
    assert!(refused.iter().any(|r| r.code == "component.taken" && r.component.starts_with("mcp.web@")), "{refused:?}");
}
