//! Tools that are JavaScript: made in milliseconds, without sandbox and compiler, under the same rules as all.

use wasmill::approvals::{Desk, DeskParts};
use wasmill::capabilities::{Invocation, ToolCalls, problem};
use wasmill::forge::{Example, ForgeError, Language, Outcome, Product, Refusal, Request};
use wasmill::host::Host;
use wasmill::store::BuildFilter;
use wasmill_registry::{Claim, Digest, Reference};
use wasmill_tests::parts::{self, require};
use wasmill_tests::scratch::Scratch;

use crate::harness::request;
use crate::hostile::Hostile;

const SUM: &str = include_str!("../../forge/tools/sum.js");

const MATRIX: &str = r#"
privileged = ["http"]

[[row]]
principal = "client:smith"
forge = ["javascript"]
tools = ["smith.*", "text-metrics"]
http = [{ host = "api.example.com", methods = ["GET"] }]
limits = { builds_per_hour = 1000 }

[[row]]
principal = "tool:smith.*"
tools = ["text-metrics"]
http = [{ host = "*", methods = ["*"] }]
limits = { compute_ms = 2000, memory_mib = 32, output_kib = 1024 }
"#;

/// A host with an engine. `None` (said loudly) where the engine is not built.
async fn host() -> Option<(Scratch, Host)> {
    require(parts::plugin("javascript"))?;
    let scratch = Scratch::new(MATRIX).await.unwrap();
    scratch.install("javascript").unwrap();
    scratch.install("text-metrics").unwrap();
    let host = scratch.open().await.unwrap();
    Some((scratch, host))
}

pub fn script(name: &str, source: &str) -> Request {
    Request { language: Language::JavaScript, ..request(name, source) }
}

pub async fn ask(host: &Host, request: &Request) -> Result<Outcome, ForgeError> {
    host.forge.as_ref().unwrap().build(&host.client("smith").identity.grant, request).await
}

pub async fn callable(host: &Host, request: &Request) -> Product {
    match ask(host, request).await.unwrap() {
        Outcome::Callable(product) => product,
        other => panic!("{other:?}"),
    }
}

pub async fn refused(host: &Host, request: &Request) -> Refusal {
    match ask(host, request).await.unwrap() {
        Outcome::Refused(refusal) => refusal,
        other => panic!("{other:?}"),
    }
}

/// The answer, or code and message of the error.
pub async fn call(host: &Host, tool: &str, arguments: &str) -> Result<String, (String, String)> {
    let function = tool.split_once('.').unwrap().1.split('@').next().unwrap();
    let call = Invocation { tool: tool.into(), function: function.into(), arguments: arguments.into() };
    host.toolbox.call(&host.client("smith"), call).await.map_err(|error| {
        let problem = problem(&error);
        (problem.code, problem.message)
    })
}

/// Makes a tool with one function of its own name, whose body is this.
async fn made(host: &Host, name: &str, body: &str, permissions: &str) {
    let source = format!("export const {name} = {{ async call(given) {{ {body} }} }};");
    callable(host, &Request { permissions: permissions.into(), ..script(name, &source) }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_becomes_a_tool_that_answers_at_once() {
    let Some((_scratch, host)) = host().await else { return };
    let example = Example {
        function: "sum".into(),
        arguments: r#"{"text": "1 and 2 and 39"}"#.into(),
        expected: Some("42".into()),
    };
    let product = callable(&host, &Request { examples: vec![example.clone()], ..script("sum", SUM) }).await;
    assert_eq!((product.tool.as_str(), product.version.as_str()), ("smith.sum", "0.1.0"));
    assert_eq!(product.digest, Digest::of(SUM.as_bytes()).to_string(), "a script is its source");
    assert_eq!(call(&host, "smith.sum", r#"{"text": "20 22"}"#).await.unwrap(), "42");
    let wrong = call(&host, "smith.sum", r#"{"text": 7}"#).await.unwrap_err();
    assert_eq!(wrong.0, "tool.arguments");

    let wrong = Example { expected: Some("43".into()), ..example };
    let refusal = refused(&host, &Request { examples: vec![wrong], ..script("other", SUM) }).await;
    assert!(refusal.diagnostics[0].message.contains("expected 43, got 42"), "{refusal:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_hostile_script_is_refused_where_and_as_its_header_says_and_the_host_goes_on() {
    let Some((_scratch, host)) = host().await else { return };
    let mut wrong = String::new();
    for hostile in Hostile::in_folder("scripts") {
        let example = Example { function: "f".into(), arguments: "{}".into(), expected: None };
        let request = Request { examples: vec![example], ..script(&hostile.name, &hostile.source) };
        match ask(&host, &request).await.unwrap() {
            Outcome::Refused(refusal) => wrong += &hostile.complaint(&refusal),
            other => wrong += &format!("{}: {other:?}\n", hostile.name),
        }
    }
    assert_eq!(wrong, "");
    callable(&host, &script("sum", SUM)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_has_its_place() {
    let Some((_scratch, host)) = host().await else { return };
    let refusal = refused(&host, &script("broken", "// A comment.\nexport const f = { call( };\n")).await;
    let found = &refusal.diagnostics[0];
    assert_eq!((found.line, found.message.starts_with("SyntaxError")), (2, true), "{found:?}");
    made(&host, "thrower", "const x = 1;\n  return missing;", "").await;
    let (code, message) = call(&host, "smith.thrower", "{}").await.unwrap_err();
    assert_eq!(code, "tool.said.javascript.exception");
    assert!(message.contains("missing is not defined (tool.js:2:"), "{message}");
    made(&host, "typed", "throw Object.assign(new Error('no such city'), { kind: 'not-found', code: 'city' });", "")
        .await;
    assert_eq!(call(&host, "smith.typed", "{}").await.unwrap_err().0, "tool.said.city");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_sees_nothing_of_the_host_and_keeps_nothing() {
    let Some((_scratch, host)) = host().await else { return };
    let body = "const all = []; for (const name of Object.getOwnPropertyNames(globalThis)) all.push(name); return all;";
    made(&host, "globals", body, "").await;
    let globals = call(&host, "smith.globals", "{}").await.unwrap();
    for name in ["process", "require", "std", "os", "fetch", "Deno", "setTimeout", "WebAssembly", "scriptArgs", "print"]
    {
        assert!(!globals.contains(&format!("\"{name}\"")), "{name} in {globals}");
    }
    assert!(globals.contains("\"wasmill\"") && globals.contains("\"console\""), "{globals}");
    made(&host, "counter", "globalThis.n = (globalThis.n ?? 0) + 1; return globalThis.n;", "").await;
    for _ in 0..3 {
        assert_eq!(call(&host, "smith.counter", "{}").await.unwrap(), "1");
    }
    // Without `clock` time stands still; a second's work in between changes nothing.
    made(&host, "clock", "const t = Date.now(); let n = 0; while (n < 2e6) n++; return Date.now() - t;", "").await;
    assert_eq!(call(&host, "smith.clock", "{}").await.unwrap(), "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_may_what_it_asked_for_and_its_maker_may_and_no_more() {
    let Some((scratch, host)) = host().await else { return };
    let body = "return wasmill.call('text-metrics', 'count', { text: 'two words' }).words;";
    made(&host, "without", body, "").await;
    let (code, message) = call(&host, "smith.without", "{}").await.unwrap_err();
    assert_eq!(code, "tool.said.permission.denied");
    assert!(message.contains("tool:smith.without may not call tool text-metrics"), "{message}");
    made(&host, "asking", body, "tools = ['text-metrics']").await;
    assert_eq!(call(&host, "smith.asking", "{}").await.unwrap(), "2");

    let wanted = Request { permissions: "tools = ['geo.locate']".into(), ..script("wide", SUM) };
    assert_eq!(refused(&host, &wanted).await.reason.code, "permission.denied");
    made(&host, "sender", "return wasmill.send({ url: 'https://api.example.com/' }).status;", "").await;
    let (_, message) = call(&host, "smith.sender", "{}").await.unwrap_err();
    assert!(message.contains("may not send GET requests"), "{message}");

    // What its maker loses, it loses.
    let matrix = MATRIX.replacen(", \"text-metrics\"]", "]", 1);
    std::fs::write(scratch.dir.path().join("permissions.toml"), matrix).unwrap();
    let host = scratch.open().await.unwrap();
    assert_eq!(call(&host, "smith.asking", "{}").await.unwrap_err().0, "tool.said.permission.denied");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_privileged_waits_and_the_admin_sees_the_source() {
    let Some((scratch, host)) = host().await else { return };
    let source = "export const look = { call() { return wasmill.send({ url: 'https://api.example.com/' }).status; } };";
    let permissions = "http = [{ host = 'api.example.com', methods = ['GET'] }]".to_owned();
    let outcome = ask(&host, &Request { permissions, ..script("look", source) }).await.unwrap();
    assert!(matches!(outcome, Outcome::Waiting(_)), "{outcome:?}");
    assert_eq!(call(&host, "smith.look", "{}").await.unwrap_err().0, "tool.waiting");
    let (registry, store) = (scratch.registry().unwrap(), scratch.store.clone());
    let desk = Desk::new(DeskParts { registry, permissions: scratch.dir.path().join("permissions.toml"), store });
    let detail = desk.show("smith.look", &scratch.trust().unwrap()).await.unwrap();
    assert_eq!(detail.source.as_deref(), Some(source));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_statement_names_source_and_engine_and_without_that_engine_the_tool_is_refused() {
    let Some((scratch, host)) = host().await else { return };
    callable(&host, &script("sum", SUM)).await;
    let (registry, now) = (scratch.registry().unwrap(), time::OffsetDateTime::now_utc());
    let entry = registry.find(&"smith.sum".parse::<Reference>().unwrap()).unwrap();
    let verified = registry.load(&entry, &scratch.trust().unwrap(), now).unwrap();
    let Claim::Forged(provenance) = verified.claim() else { panic!("it is forged") };
    let engine = Digest::of(&std::fs::read(parts::plugin("javascript").unwrap()).unwrap());
    let dependencies = format!("{:?}", provenance.build_definition.resolved_dependencies);
    assert_eq!(provenance.source(), Some(Digest::of(SUM.as_bytes())));
    assert!(dependencies.contains(&engine.to_string()), "{dependencies}");
    assert_eq!(verified.manifest().script.as_ref().unwrap().engine, engine);

    let engine = registry.find(&"javascript".parse::<Reference>().unwrap()).unwrap();
    registry.remove(&engine).unwrap();
    host.catalog.refresh().await.unwrap();
    let (code, message) = call(&host, "smith.sum", r#"{"text": "1"}"#).await.unwrap_err();
    assert!(code == "tool.refused" && message.contains("run by an engine that is not here"), "{code}: {message}");
    assert!(matches!(ask(&host, &script("other", SUM)).await, Err(ForgeError::NoEngine("javascript"))));
    scratch.install("javascript").unwrap();
    host.catalog.refresh().await.unwrap();
    assert_eq!(call(&host, "smith.sum", r#"{"text": "1"}"#).await.unwrap(), "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_tools_are_one_compiled_engine() {
    let Some((_scratch, host)) = host().await else { return };
    let before = host.catalog.compiled_count();
    for i in 0..20 {
        callable(&host, &script(&format!("sum{i}"), SUM)).await;
    }
    assert_eq!(host.catalog.compiled_count(), before);
    let filter = BuildFilter { maker: Some("client:smith".into()), name: None, limit: 100, after: None };
    assert_eq!(host.store.builds(&filter).await.unwrap().len(), 20);
}
