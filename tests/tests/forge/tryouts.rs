//! What a new tool must bear before it is signed: random inputs, in an instance that reaches nothing.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use wasmill::forge::{Example, Outcome, Refusal, Stage};
use wasmill::host::Host;
use wasmill::store::BuildFilter;
use wasmill_registry::{Claim, Reference};
use wasmill_tests::parts::{self, require};
use wasmill_tests::scratch::{Scratch, denials};

use crate::scripts::{ask, call, callable, refused, script};

const MATRIX: &str = r#"
[[row]]
principal = "client:smith"
forge = ["javascript"]
tools = ["smith.*", "text-metrics"]
model = ["*"]
http = [{ host = "127.0.0.1:*", methods = ["*"] }]
limits = { builds_per_hour = 1000 }

[[row]]
principal = "tool:smith.*"
tools = ["text-metrics"]
model = ["*"]
http = [{ host = "127.0.0.1:*", methods = ["*"] }]
limits = { compute_ms = 500, memory_mib = 32, output_kib = 1024 }
"#;

const TEXT: &str = "{ type: 'object', properties: { text: { type: 'string' } }, required: ['text'] }";

/// Each of 40 schemas looks at the same place twice by the next one.
const DOUBLED: &str = "(() => { const $defs = { d40: {} };
    for (let n = 0; n < 40; n++) $defs['d' + n] = { allOf: [{ $ref: '#/$defs/d' + (n + 1) }, { $ref: '#/$defs/d' + (n + 1) }] };
    return { type: 'object', $ref: '#/$defs/d0', $defs }; })()";

async fn scratch() -> Option<Scratch> {
    require(parts::plugin("javascript"))?;
    let scratch = Scratch::new(MATRIX).await.unwrap();
    scratch.install("javascript").unwrap();
    scratch.install("text-metrics").unwrap();
    Some(scratch)
}

async fn host() -> Option<(Scratch, Host)> {
    let scratch = scratch().await?;
    let host = scratch.open().await.unwrap();
    Some((scratch, host))
}

/// A tool with one function.
fn function(input: &str, output: &str, body: &str) -> String {
    format!("export const f = {{ input: {input}, output: {output}, async call(given) {{ {body} }} }};")
}

/// The one input that a tool could not bear, as data.
fn failing(refusal: &Refusal) -> Value {
    assert_eq!((refusal.stage, refusal.reason.code.as_str()), (Stage::Examine, "forge.random"), "{refusal:?}");
    assert_eq!((refusal.diagnostics.len(), refusal.diagnostics[0].code.as_deref()), (1, Some("forge.random")));
    serde_json::from_str(&refusal.diagnostics[0].rendered).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_that_breaks_on_odd_inputs_alone_is_refused_with_such_an_input() {
    let Some((_scratch, host)) = host().await else { return };
    // Each is fine with the text of its example, and most others.
    let odd = "/[^\\x20-\\x7e]/.test(given.text)";
    for (name, output, body, happened) in [
        ("large", "{}", format!("return {odd} ? 'x'.repeat(3e6) : 1;"), "reached its output size limit"),
        ("endless", "{}", format!("while ({odd}) {{}} return 1;"), "reached its compute time limit"),
        ("number", "{ type: 'number' }", "return Number(given.text.length ? 1 : 'x');".to_owned(), "output schema"),
    ] {
        let example =
            Example { function: "f".into(), arguments: r#"{"text": "usual"}"#.into(), expected: Some("1".into()) };
        let request =
            wasmill::forge::Request { examples: vec![example], ..script(name, &function(TEXT, output, &body)) };
        let refusal = refused(&host, &request).await;
        let failing = failing(&refusal);
        let text = failing["arguments"]["text"].as_str().unwrap();
        let is_odd = text.is_empty() || text.chars().any(|c| !(' '..='~').contains(&c));
        assert!(is_odd && failing["function"] == "f", "{failing}");
        assert!(failing["happened"].as_str().unwrap().contains(happened), "{failing}");
        // The same source meets the same inputs; how far they can be made smaller, time decides.
        if name != "endless" {
            assert_eq!(refused(&host, &request).await.diagnostics, refusal.diagnostics);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_of_its_own_are_answers_and_what_was_tried_and_measured_is_kept_and_signed() {
    let Some((scratch, host)) = host().await else { return };
    let strict =
        "if (given.text.length < 1000) throw Object.assign(new Error('short'), { kind: 'invalid', code: 'short' });";
    callable(&host, &script("strict", &function(TEXT, "{}", strict))).await;
    let builds = host.store.builds(&BuildFilter { limit: 10, ..BuildFilter::default() }).await.unwrap();
    let examined = builds[0].examined.as_ref().unwrap();
    let random = &examined["random"];
    assert_eq!((random["inputs"].as_u64(), random["calls"].as_u64()), (Some(16), Some(16)), "{examined}");
    assert!(random["errors"].as_u64().unwrap() > 8, "{examined}");
    let measured = &examined["measured"];
    assert!(measured["cpu_micros"].as_u64().unwrap() > 0 && measured["memory_bytes"].as_u64().unwrap() > 100_000);
    // Never above what it has.
    let proposed = &examined["proposed"];
    assert!((10..=500).contains(&proposed["compute_ms"].as_u64().unwrap()), "{examined}");
    assert!((2..=32).contains(&proposed["memory_mib"].as_u64().unwrap()), "{examined}");

    let (registry, now) = (scratch.registry().unwrap(), time::OffsetDateTime::now_utc());
    let entry = registry.find(&"smith.strict".parse::<Reference>().unwrap()).unwrap();
    let verified = registry.load(&entry, &scratch.trust().unwrap(), now).unwrap();
    let Claim::Forged(provenance) = verified.claim() else { panic!("it is forged") };
    assert_eq!(&provenance.run_details.metadata["examined"], examined);
}

#[tokio::test(flavor = "multi_thread")]
async fn random_inputs_reach_nothing_and_leave_no_trace() {
    let Some((_scratch, host)) = host().await else { return };
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    server.set_nonblocking(true).unwrap();
    let port = server.local_addr().unwrap().port();
    let permissions =
        format!("tools = ['text-metrics']\nmodel = ['*']\nhttp = [{{ host = '127.0.0.1:{port}', methods = ['GET'] }}]");
    let body = format!(
        "let asked = 0; const ask = async (what) => {{ try {{ await what(); asked++; }} catch {{}} }};
         await ask(() => wasmill.send({{ url: 'http://127.0.0.1:{port}/' }}));
         await ask(() => wasmill.call('text-metrics', 'count', {{ text: 'a' }}));
         await ask(() => wasmill.ask('anything'));
         return asked;"
    );
    // It must never get an answer.
    let source = function(TEXT, "{ const: 0 }", &body);
    callable(&host, &wasmill::forge::Request { permissions, ..script("f", &source) }).await;
    assert!(server.accept().is_err(), "a random input reached a server");
    assert_eq!(denials(&host).await.unwrap(), Vec::<String>::new());
    // With the same grant, the finished tool does reach it.
    let calling = call(&host, "smith.f", r#"{"text": ""}"#);
    let answering = async {
        let began = Instant::now();
        while server.accept().is_err() {
            assert!(began.elapsed() < Duration::from_secs(30), "nothing came");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let (called, ()) = tokio::join!(calling, answering);
    assert_eq!(called.unwrap(), "1", "text-metrics, and not the server that hung up");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_schema_holds_the_forge_up() {
    let Some((_scratch, host)) = host().await else { return };
    for (name, input) in [
        ("itself", "{ type: 'object', properties: { x: { $ref: '#' } }, required: ['x'] }"),
        ("tree", "{ type: 'object', additionalProperties: { $ref: '#' }, minProperties: 4000000000 }"),
        ("doubled", DOUBLED),
        (
            "circle",
            "{ type: 'object', allOf: [{ $ref: '#/$defs/a' }], $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } } }",
        ),
        ("items", "{ type: 'object', properties: { x: { type: 'array', minItems: 1e15 } }, required: ['x'] }"),
        ("length", "{ type: 'object', properties: { x: { type: 'string', minLength: 1e15 } }, required: ['x'] }"),
        ("pattern", "{ type: 'object', properties: { x: { pattern: '^(a|a)*\\\\1?(a+)+$', type: 'string' } } }"),
        ("back", "{ type: 'object', properties: { x: { pattern: '^(a+)+\\\\1$', type: 'string', minLength: 30 } } }"),
    ] {
        let began = Instant::now();
        let outcome = ask(&host, &script(name, &function(input, "{}", "return 1;"))).await.unwrap();
        assert!(matches!(outcome, Outcome::Callable(_)), "{name}: {outcome:?}");
        assert!(began.elapsed() < Duration::from_secs(10), "{name} took {:?}", began.elapsed());
    }
    let builds = host.store.builds(&BuildFilter { limit: 10, ..BuildFilter::default() }).await.unwrap();
    let of = |name: &str| builds.iter().find(|build| build.name == format!("smith.{name}")).unwrap();
    for name in ["itself", "tree", "doubled", "circle", "items", "length"] {
        let random = &of(name).examined.as_ref().unwrap()["random"];
        assert_eq!((random["calls"].as_u64(), &random["untried"]), (Some(0), &json!(["f"])), "{name}: {random}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_random_inputs_there_are_none() {
    let Some(mut scratch) = scratch().await else { return };
    scratch.forge_settings.random_inputs = 0;
    let host = scratch.open().await.unwrap();
    callable(&host, &script("lies", &function(TEXT, "{ type: 'number' }", "return 'no';"))).await;
    let builds = host.store.builds(&BuildFilter { limit: 1, ..BuildFilter::default() }).await.unwrap();
    assert_eq!(builds[0].examined, Some(json!({ "examples": 0, "compared": 0 })));
}
