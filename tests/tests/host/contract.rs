//! The gateway is what its OpenAPI document says, tried by schemathesis with what it makes up from the document.

use std::process::Command;

use serde_json::Value;
use wasmill_tests::parts::{self, require};

use super::gateway::Open;

/// A client that may do everything that takes no compiler.
const MAY: &str = "[[row]]\nprincipal = \"client:ops\"\nhost = [\"*\"]\ntools = [\"*\"]\n\
    topics.read = [\"*\"]\ntopics.write = [\"*\"]\n";
const SETTINGS: &str = "[gateway.rate]\nper_second = 100000\nburst = 100000\n[conversations]\n";
/// What is answered as long as somebody listens, or by WebSocket.
const ENDLESS: [&str; 4] =
    ["/v1/events", "/v1/events/socket", "/v1/conversations/{session}", "/v1/conversations/{session}/events"];
/// What is looked at in each answer.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,\
    response_schema_conformance,positive_data_acceptance,negative_data_rejection,unsupported_method,\
    allow_header_conformance,ignored_auth";

#[test]
fn the_gateway_keeps_to_its_document_whatever_is_sent() {
    let Some(schemathesis) = require(parts::schemathesis()) else { return };
    let Some(open) = Open::with_settings(SETTINGS, MAY, &["text-metrics"]) else { return };
    for topic in ["conversation.inbound", "conversation.outbound"] {
        open.cli.run(&["topic", "create", topic]).expect_code(0);
    }
    open.cli.status_until(|status| status["conversations"]["state"] == "running");
    let token = open.token("ops");
    let settings = parts::root().join("tests/python/schemathesis.toml");
    let ran = Command::new(schemathesis)
        .arg("--config-file")
        .arg(settings)
        .args(["run", &format!("{}v1/openapi.json", open.url), "--header", &format!("Authorization: Bearer {token}")])
        .args(["--checks", CHECKS, "--phases", "coverage,fuzzing", "--max-examples", "20", "--seed", "7"])
        .args(ENDLESS.into_iter().flat_map(|path| ["--exclude-path", path]))
        .args(["--generation-database", "none", "--request-timeout", "60"])
        .args(["--no-color", "--continue-on-failure"])
        .current_dir(open.cli.folder())
        .output()
        .unwrap();
    let said = [ran.stdout, ran.stderr].map(|out| String::from_utf8_lossy(&out).into_owned()).concat();
    assert!(ran.status.success(), "{said}\n{}", open.up.log());
    // It tried what there is, and did not come away with nothing.
    let (_, _, document) = open.ask("GET /v1/openapi.json", &token, "");
    let document: Value = serde_json::from_str(&document).unwrap();
    let operations: usize =
        document["paths"].as_object().unwrap().values().map(|path| path.as_object().unwrap().len()).sum();
    assert!(operations > 30, "{operations}");
    // All but those, and the document itself.
    let tried = format!("{} selected", operations - ENDLESS.len() - 1);
    assert!(said.contains(&tried), "{operations} operations:\n{said}");
}

#[test]
fn the_document_is_the_same_from_a_host_and_from_the_command() {
    let Some(open) = Open::with(MAY, &[]) else { return };
    let (status, _, served) = open.ask("GET /v1/openapi.json", &open.token("ops"), "");
    let served: Value = serde_json::from_str(&served).unwrap();
    assert_eq!((status, served), (200, open.cli.run(&["generate", "openapi"]).json()));
    assert_eq!(open.ask("GET /v1/openapi.json", "", "").0, 401);
}
