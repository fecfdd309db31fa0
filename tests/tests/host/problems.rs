//! Errors over HTTP: whatever goes wrong, one shape (RFC 9457).

use serde_json::Value;

use super::gateway::Open;

const MAY: &str = "[[row]]\nprincipal = \"client:ops\"\nhost = [\"read\", \"operate\"]\n";

#[test]
fn every_error_is_a_problem_with_a_stable_code_and_its_status() {
    let Some(open) = Open::with(MAY, &[]) else { return };
    let (ops, stranger) = (open.token("ops"), open.token("stranger"));
    let large = format!("{{\"name\": \"{}\"}}", "x".repeat(3 * 1024 * 1024));
    let json = "application/json";
    for (request, token, kind, body, status, code) in [
        ("GET /v1/status", "", json, "", 401, "request.token"),
        ("GET /v1/status", &*stranger, json, "", 403, "permission.denied"),
        ("GET /v1/nothing", &*ops, json, "", 404, "request.route"),
        ("GET /nothing", "", json, "", 404, "request.route"),
        ("PUT /v1/status", &*ops, json, "{}", 405, "request.method"),
        ("GET /v1/tools/none", &*ops, json, "", 404, "tool.unknown"),
        ("POST /v1/topics", &*ops, json, "{", 400, "request.body"),
        ("POST /v1/topics", &*ops, json, "{\"name\": 7}", 400, "request.body"),
        ("POST /v1/topics", &*ops, "text/plain", "{}", 415, "request.body"),
        ("POST /v1/topics", &*ops, json, &*large, 413, "request.body"),
        ("POST /v1/topics", &*ops, json, "{\"name\": \"news\", \"partitions\": 1}", 409, "topic.exists"),
        ("GET /v1/audit?limit=many", &*ops, json, "", 400, "request.query"),
        ("GET /v1/audit?unknown=1", &*ops, json, "", 400, "request.query"),
        ("GET /v1/tools/%ff", &*ops, json, "", 400, "request.path"),
        ("GET /v1/tools/a%00b", &*ops, json, "", 400, "request.path"),
        ("POST /v1/permissions/explain", &*ops, json, "{\"principal\": \"x\"}", 422, "permission.principal"),
    ] {
        let (answered, head, body) = open.ask_as(request, token, kind, body);
        assert_eq!(answered, status, "{request}: {body}");
        assert!(head.contains("content-type: application/problem+json"), "{request}: {head}");
        let said: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((&said["status"], &said["code"]), (&status.into(), &code.into()), "{request}: {said}");
        assert_eq!(said["type"], format!("urn:wasmill:problem:{code}"), "{request}");
        let text = |field: &str| said[field].as_str().unwrap_or_else(|| panic!("{request}: {field} in {said}")).len();
        assert!(text("title") > 0 && text("detail") > 0, "{request}: {said}");
        text("next");
    }
    let (_, head, _) = open.ask("PUT /v1/topics", &ops, "{}");
    assert!(head.contains("allow: ") && head.contains("post"), "{head}");
    assert!(open.ask("GET /v1/status", "", "").1.contains("www-authenticate: bearer"));
}

#[test]
fn who_asks_too_often_is_told_when_to_come_back_and_others_are_not() {
    let Some(open) = Open::with_settings("[gateway.rate]\nper_second = 1\nburst = 5\n", MAY, &[]) else { return };
    let (ops, other) = (open.token("ops"), open.token("other"));
    let (status, head, body) = std::iter::repeat_with(|| open.ask("GET /v1/figures", &ops, ""))
        .take(100)
        .find(|(status, ..)| *status != 200)
        .unwrap();
    let said: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &said["code"]), (429, &"request.rate".into()), "{said}");
    assert!(head.contains("retry-after: "), "{head}");
    // It has no row, and a share of its own.
    assert_eq!(open.ask("GET /v1/figures", &other, "").0, 403);
}
