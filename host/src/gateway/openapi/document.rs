//! The whole document, OpenAPI 3.1.

use axum::http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::routes::Operation;
use super::schemas::Schemas;
use crate::gateway::access::Need;
use crate::gateway::details::{PROBLEM_JSON, ProblemDetails};
use crate::gateway::idempotency::KEY_BYTES_MAX;

/// Statuses of problems that every operation may answer, and what each means.
const PROBLEMS: [(StatusCode, &str); 14] = [
    (StatusCode::BAD_REQUEST, "The request is not what this document says."),
    (StatusCode::UNAUTHORIZED, "No token came with it that counts."),
    (StatusCode::FORBIDDEN, "No row of the matrix allows it to this client, or no trusted signature does."),
    (StatusCode::NOT_FOUND, "What it names is not there."),
    (StatusCode::REQUEST_TIMEOUT, "Its body came too slowly."),
    (StatusCode::CONFLICT, "It contradicts what is there."),
    (StatusCode::PRECONDITION_FAILED, "What it was to replace is another one by now."),
    (StatusCode::PAYLOAD_TOO_LARGE, "Its body is too large."),
    (StatusCode::UNSUPPORTED_MEDIA_TYPE, "Its body is not said to be JSON."),
    (StatusCode::UNPROCESSABLE_ENTITY, "It is what this document says, and what it says can't be done."),
    (StatusCode::PRECONDITION_REQUIRED, "It must say what it is to replace."),
    (StatusCode::TOO_MANY_REQUESTS, "A limit was reached: of requests in a time, or of what was asked for."),
    (StatusCode::INTERNAL_SERVER_ERROR, "It was tried and failed."),
    (StatusCode::SERVICE_UNAVAILABLE, "Something that it needs does not answer now."),
];

/// Describes operations.
pub(in crate::gateway) fn document(operations: &[Operation]) -> Value {
    let mut schemas = Schemas::new();
    let mut paths: Map<String, Value> = Map::new();
    for operation in operations {
        let method = operation.method.as_str().to_lowercase();
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[method] = described(operation, &mut schemas);
    }
    let problem = schemas.answer::<ProblemDetails>();
    let responses: Map<String, Value> = PROBLEMS
        .iter()
        .map(|(status, about)| {
            let content = json!({ PROBLEM_JSON: { "schema": problem } });
            (status.as_u16().to_string(), json!({ "description": about, "content": content }))
        })
        .collect();
    let token = "A token made by `wasmill token new NAME`: the rows for `client:NAME` say what it may.";
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Wasmill",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The gateway of a Wasmill host. Every error is a problem (RFC 9457) with a stable `code` and, \
                in `next`, what to do.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [{ "token": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas.named(),
            "responses": responses,
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer", "description": token } },
        },
    })
}

fn described(operation: &Operation, schemas: &mut Schemas) -> Value {
    let mut parts = (operation.describe)(schemas);
    let mut responses = Map::new();
    let text = json!({ "type": "string" });
    if operation.method == Method::POST {
        let about = "Done once for one key of a client, however often it comes within a day; with another body: 422.";
        let key = json!({ "type": "string", "pattern": "^[!-~]+$", "minLength": 1, "maxLength": KEY_BYTES_MAX });
        parts.header("Idempotency-Key", about, false, key);
    }
    if operation.method == Method::GET && parts.content.get("application/json").is_some() {
        let about = "Tags of answers that the client has: 304 where one is still right.";
        parts.header("If-None-Match", about, false, text.clone());
        parts.headers.push(("ETag", json!({ "description": "Changes with the answer.", "schema": text })));
        responses.insert("304".to_owned(), json!({ "description": "The client has it already." }));
    }
    let names = operation.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let in_path = names.map(
        |name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string", "minLength": 1 } }),
    );
    if parts.content.is_null() {
        let well = json!({ "description": "The connection speaks WebSocket from here on." });
        responses.insert("101".to_owned(), well);
    } else {
        let mut well = json!({ "description": "Done.", "content": parts.content });
        if !parts.headers.is_empty() {
            well["headers"] = parts.headers.into_iter().map(|(name, header)| (name.to_owned(), header)).collect();
        }
        responses.insert("200".to_owned(), well);
    }
    for (status, _) in PROBLEMS {
        let status = status.as_u16();
        responses.insert(status.to_string(), json!({ "$ref": format!("#/components/responses/{status}") }));
    }
    let noun = operation.path.split('/').nth(2).unwrap_or_default();
    let mut described = json!({
        "operationId": id(operation),
        "summary": operation.about,
        "description": who(operation),
        "tags": [noun],
        "parameters": in_path.chain(parts.parameters).collect::<Vec<_>>(),
        "responses": responses,
    });
    if let Some(body) = parts.body {
        described["requestBody"] = body;
    }
    described
}

/// A name for generated clients: `get_runs_id`.
fn id(operation: &Operation) -> String {
    let path = operation.path.trim_start_matches("/v1/").replace(['/', '-', '.'], "_").replace(['{', '}'], "");
    format!("{}_{path}", operation.method.as_str().to_lowercase())
}

/// Who may have it.
fn who(operation: &Operation) -> String {
    match Need::of(&operation.method, operation.path) {
        Some(Need::Duty(duty)) => format!("For clients with `host = [\"{}\"]`.", duty.word()),
        Some(Need::ReadTopic) => "For clients that may read the topic.".to_owned(),
        Some(Need::WriteTopic) => "For clients that may write to the topic.".to_owned(),
        Some(Need::CheckedInside) => "For every client; what it asks for is checked by its rows.".to_owned(),
        None => "For the home's owner only.".to_owned(),
    }
}
