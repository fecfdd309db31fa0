//! What programs rely on when they ask again: keys, pages and tags.

use std::collections::BTreeSet;

use serde_json::Value;

use wasmill_tests::scratch::PATIENCE;
use wasmill_tests::server::until;

use super::gateway::Open;

const MAY: &str = "[[row]]\nprincipal = \"client:*\"\nhost = [\"*\"]\ntopics.read = [\"*\"]\ntopics.write = [\"*\"]\n";
const RECORD: &str = r#"{"records":[{"value":"hello"}]}"#;

/// How many records a topic holds.
fn records(open: &Open, token: &str, topic: &str) -> usize {
    let (_, _, body) = open.ask(&format!("GET /v1/topics/{topic}/records?offset=0"), token, "");
    serde_json::from_str::<Value>(&body).unwrap()["records"].as_array().unwrap().len()
}

fn code(body: &str) -> Value {
    serde_json::from_str::<Value>(body).unwrap()["code"].clone()
}

#[test]
fn what_comes_twice_with_one_key_is_done_once() {
    let Some(open) = Open::with(MAY, &[]) else { return };
    let (ops, other) = (open.token("ops"), open.token("other"));
    let send = |token: &str, topic: &str, key: &str, body: &str| {
        open.ask_with(&format!("Idempotency-Key: {key}\r\n"), &format!("POST /v1/topics/{topic}/records"), token, body)
    };
    let (status, head, first) = send(&ops, "news", "k-1", RECORD);
    assert_eq!((status, head.contains("idempotency-replayed")), (200, false), "{first}");
    let (status, head, again) = send(&ops, "news", "k-1", RECORD);
    assert!(status == 200 && head.contains("idempotency-replayed: true"), "{head}");
    assert_eq!((first, records(&open, &ops, "news")), (again, 1));

    // The same key with something else, whatever that is.
    let (status, _, body) = send(&ops, "news", "k-1", r#"{"records":[{"value":"other"}]}"#);
    assert_eq!((status, code(&body)), (422, "request.key-reused".into()));
    assert_eq!(send(&ops, "secret", "k-1", RECORD).0, 422);
    // Another client's key is another key, and no key is no key.
    assert_eq!(send(&other, "news", "k-1", RECORD).0, 200);
    assert_eq!(open.ask("POST /v1/topics/news/records", &ops, RECORD).0, 200);
    assert_eq!((records(&open, &ops, "news"), records(&open, &ops, "secret")), (3, 0));

    // What was refused for good is refused again, and nobody without a row learns what was answered.
    let (status, _, body) = send(&ops, "none", "k-2", RECORD);
    assert_eq!((status, send(&ops, "none", "k-2", RECORD).2), (404, body));
    let long = "k".repeat(256);
    for bad in ["", "two words", &long] {
        let (status, _, body) = send(&ops, "news", bad, RECORD);
        assert_eq!((status, code(&body)), (400, "request.key".into()), "{bad:?}");
    }
}

#[test]
fn a_list_is_whole_in_pages_of_any_size() {
    let Some(open) = Open::with(MAY, &["text-metrics", "upper", "json-query"]) else { return };
    let ops = open.token("ops");
    // What is tried is noted in the trail.
    for _ in 0..7 {
        assert_eq!(open.ask("POST /v1/runs/00000000/cancel", &ops, "").0, 404);
        let call = r#"{"function":"count","arguments":{"text":"a"}}"#;
        assert_eq!(open.ask("POST /v1/tools/text-metrics/calls", &ops, call).0, 403);
    }
    let trail = || open.cli.run(&["audit", "list"]).json().as_array().map_or(0, Vec::len);
    assert!(until(PATIENCE, || trail() >= 7), "{} rows", trail());
    let page = |path: &str| {
        let (status, head, body) = open.ask(&format!("GET {path}"), &ops, "");
        assert_eq!(status, 200, "{path}: {body}");
        let next = head.lines().find_map(|line| line.strip_prefix("link: <")?.strip_suffix(">; rel=\"next\""));
        (serde_json::from_str::<Vec<Value>>(&body).unwrap(), next.map(str::to_owned))
    };
    for list in ["/v1/audit", "/v1/runs", "/v1/builds", "/v1/plugins"] {
        let (whole, next) = page(&format!("{list}?limit=1000"));
        assert_eq!(next, None, "{list}");
        for limit in [1, 2, 3] {
            let (mut items, mut next) = (Vec::new(), Some(format!("{list}?limit={limit}")));
            while let Some(path) = next {
                let (some, then) = page(&path);
                assert!(some.len() <= limit);
                items.extend(some);
                next = then;
            }
            assert_eq!(items, whole, "{list} by {limit}");
        }
        for bad in ["limit=0", "limit=100000", "cursor=%20&limit=1"] {
            let status = open.ask(&format!("GET {list}?{bad}"), &ops, "").0;
            let is_text = list == "/v1/builds" && bad.starts_with("cursor");
            assert_eq!(
                status,
                if bad.starts_with("limit") {
                    400
                } else if is_text {
                    200
                } else {
                    422
                },
                "{list} {bad}"
            );
        }
    }
}

#[test]
fn what_a_client_has_already_does_not_come_again() {
    let Some(open) = Open::with(MAY, &["text-metrics"]) else { return };
    let ops = open.token("ops");
    let mut tags = BTreeSet::new();
    for path in ["/v1/plugins", "/v1/tools", "/v1/permissions"] {
        let ask = |known: &str| open.ask_with(known, &format!("GET {path}"), &ops, "");
        let (status, head, body) = ask("");
        let tag = head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap().to_owned();
        assert!(status == 200 && !body.is_empty());
        let (status, head, body) = ask(&format!("If-None-Match: \"else\", W/{tag}\r\n"));
        assert!(status == 304 && body.is_empty() && head.contains(&tag), "{path}: {head}");
        assert_eq!(ask("If-None-Match: \"else\"\r\n").0, 200);
        tags.insert(tag);
    }
    assert_eq!(tags.len(), 3);
    let tag = |path: &str| {
        let (_, head, _) = open.ask(&format!("GET {path}"), &ops, "");
        head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap().to_owned()
    };
    let before = tag("/v1/plugins");
    open.cli.run(&["plugin", "remove", "text-metrics"]).expect_code(0);
    assert_ne!(tag("/v1/plugins"), before);
}
