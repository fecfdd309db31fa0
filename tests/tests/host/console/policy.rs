//! Another matrix: what it would change, and saving it.

use serde_json::{Value, json};
use time::OffsetDateTime;
use wasmill::gateway::ShareRequest;
use wasmill_registry::{Policy, SecretKey};

use wasmill_tests::scratch::PATIENCE;
use wasmill_tests::server::until;

use super::super::gateway::Open;

const MAY: &str = "[[row]]\nprincipal = \"client:ops\"\nhost = [\"read\", \"approve\"]\ntools = [\"text-metrics\"]\n\
    [[row]]\nprincipal = \"client:looker\"\nhost = [\"read\"]\n";
const CALL: &str = r#"{"function":"count","arguments":{"text":"two words"}}"#;
const PATH: &str = "/v1/permissions/policy";

struct Seen {
    tag: String,
    policy: Value,
}

fn seen(open: &Open, token: &str) -> Seen {
    let (code, head, body) = open.ask(&format!("GET {PATH}"), token, "");
    assert_eq!(code, 200, "{body}");
    let tag = head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap().to_owned();
    Seen { tag, policy: serde_json::from_str(&body).unwrap() }
}

/// A request with a policy that a key of the home has signed.
fn signed(open: &Open, key: &str, serial: u64, permissions: &str, trust: &str) -> String {
    let key = SecretKey::read(&open.cli.home().join("keys").join(key)).unwrap();
    let policy = Policy { serial, permissions: permissions.into(), trust: trust.into() };
    let envelope = policy.sign(&key).unwrap().to_json();
    json!(ShareRequest { envelope }).to_string()
}

fn now() -> u64 {
    u64::try_from(OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000).unwrap()
}

#[test]
fn a_matrix_that_is_not_in_force_says_what_it_would_change_and_changes_nothing() {
    let Some(open) = Open::with(MAY, &["text-metrics"]) else { return };
    let [ops, looker] = ["ops", "looker"].map(|client| open.token(client));
    let call = |token: &str| open.status("POST /v1/tools/text-metrics/calls", token, CALL);
    assert_eq!((call(&ops), call(&looker), call(&looker)), (200, 403, 403));
    // The trail is written a moment later.
    let asked = |permissions: &str| -> Value {
        let body = json!({ "permissions": permissions }).to_string();
        serde_json::from_str(&open.ask("POST /v1/permissions/what-if", &looker, &body).2).unwrap()
    };
    let other = "[[row]]\nprincipal = \"client:looker\"\nhost = [\"read\"]\ntools = [\"*\"]\n";
    let reply = || asked(other);
    let tried = || reply()["changes"].as_array().into_iter().flatten().filter_map(|c| c["count"].as_u64()).sum::<u64>();
    assert!(until(PATIENCE, || tried() == 3), "{}", reply());
    let changes = reply()["changes"].clone();
    let of = |client: &str| changes.as_array().unwrap().iter().find(|c| c["principal"] == client).unwrap().clone();
    assert_eq!((&of("client:ops")["would_be_allowed"], &of("client:ops")["count"]), (&false.into(), &1.into()));
    assert_eq!((&of("client:looker")["would_be_allowed"], &of("client:looker")["count"]), (&true.into(), &2.into()));
    assert!(of("client:ops")["reason"].as_str().unwrap().contains("may not call tool text-metrics"));
    let same = std::fs::read_to_string(open.cli.home().join("permissions.toml")).unwrap();
    assert_eq!(asked(&same)["changes"], json!([]));
    assert_eq!(asked("[[row]]\nprinciple = \"x\"\n")["code"], "matrix.unknown-key");
    assert_eq!((call(&ops), call(&looker)), (200, 403));
}

#[test]
fn a_matrix_is_saved_by_an_admins_signature_over_what_was_seen() {
    let Some(open) = Open::with(MAY, &["text-metrics"]) else { return };
    let [ops, looker] = ["ops", "looker"].map(|client| open.token(client));
    let before = seen(&open, &looker);
    let text = |name: &str| before.policy[name].as_str().unwrap().to_owned();
    let (old, trust) = (text("permissions"), text("trust"));
    let new = format!("{old}[[row]]\nprincipal = \"client:new\"\nhost = [\"read\"]\n");
    let put = |tag: &str, token: &str, body: &str| {
        let header = if tag.is_empty() { String::new() } else { format!("If-Match: {tag}\r\n") };
        let (code, _, body) = open.ask_with(&header, &format!("PUT {PATH}"), token, body);
        let said: Value = serde_json::from_str(&body).unwrap();
        (code, said["code"].as_str().unwrap_or_default().to_owned())
    };
    let good = signed(&open, "admin.key", now(), &new, &trust);
    let refused = |got: (u16, String), code: u16, said: &str| assert_eq!((got.0, got.1.as_str()), (code, said));
    refused(put(&before.tag, &looker, &good), 403, "permission.denied");
    refused(put("", &ops, &good), 428, "request.unconditional");
    refused(put("\"another\"", &ops, &good), 412, "policy.changed");
    refused(put(&before.tag, &ops, &signed(&open, "publisher.key", now(), &new, &trust)), 403, "signature.wrong-role");
    refused(put(&before.tag, &ops, &signed(&open, "admin.key", now(), "[[rows]]", &trust)), 422, "matrix.unknown-key");
    refused(put(&before.tag, &ops, &signed(&open, "admin.key", 0, &new, &trust)), 422, "policy.invalid");
    refused(
        put(&before.tag, &ops, &signed(&open, "admin.key", now(), &new, &format!("{trust}\n"))),
        422,
        "policy.invalid",
    );
    assert_eq!(seen(&open, &ops).policy["permissions"].as_str(), Some(old.as_str()), "nothing of that was saved");
    assert_eq!(put(&before.tag, &ops, &good).0, 200);
    refused(put(&before.tag, &ops, &good), 412, "policy.changed");
    let after = seen(&open, &ops);
    assert_eq!(after.policy["permissions"].as_str(), Some(new.as_str()));
    // What was signed once does not count again, whatever was seen.
    refused(put(&after.tag, &ops, &good), 422, "policy.invalid");
    let newcomer = open.token("new");
    let comes_in = || open.status("GET /v1/status", &newcomer, "") == 200;
    assert!(until(PATIENCE, comes_in), "the host follows it");
}
