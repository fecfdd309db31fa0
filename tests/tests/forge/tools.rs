//! From source to a tool that answers, in a whole host.

use wasmill::capabilities::{Caller, Invocation, ToolCalls, problem};
use wasmill::forge::{
    ALLOWED_CRATES, Compiled, Example, ForgeError, Outcome, ProblemKind, Product, Refusal, Request, Stage, rebuild,
};
use wasmill::host::Host;
use wasmill::store::{AuditFilter, BuildFilter, BuildOutcome};
use wasmill_registry::{Bundle, Claim, Digest, Reference, sign};
use wasmill_tests::scratch::Scratch;

use crate::harness::{request, workshop};

const SUM: &str = include_str!("../../forge/tools/sum.rs");
const FETCH: &str = include_str!("../../forge/tools/fetch.rs");
const WORDS: &str = include_str!("../../forge/tools/words.rs");

const MATRIX: &str = r#"
privileged = ["http"]

[[row]]
principal = "client:smith"
forge = ["rust"]
tools = ["smith.*", "geo.*"]
http = [{ host = "api.example.com", methods = ["GET"] }]
limits = { builds_per_hour = 5 }

[[row]]
principal = "tool:smith.*"
tools = ["geo.*"]
http = [{ host = "*", methods = ["*"] }]

[[row]]
principal = "agent:smith"
forge = ["rust"]
"#;

fn example(function: &str, arguments: &str, expected: Option<&str>) -> Example {
    Example { function: function.into(), arguments: arguments.into(), expected: expected.map(Into::into) }
}

fn sum() -> Request {
    let examples = vec![
        example("sum", r#"{"text": "1 and 2 and 39"}"#, Some("42")),
        example("sum", r#"{"text": "nothing"}"#, None),
    ];
    Request { examples, ..request("sum", SUM) }
}

async fn host() -> (Scratch, Host) {
    workshop().await;
    let scratch = Scratch::new(MATRIX).await.unwrap();
    let host = scratch.open().await.unwrap();
    (scratch, host)
}

async fn ask(host: &Host, who: &Caller, request: &Request) -> Result<Outcome, ForgeError> {
    host.forge.as_ref().unwrap().build(&who.identity.grant, request).await
}

async fn callable(host: &Host, request: &Request) -> Product {
    match ask(host, &host.client("smith"), request).await.unwrap() {
        Outcome::Callable(product) => product,
        other => panic!("{other:?}"),
    }
}

async fn refused(host: &Host, request: &Request) -> Refusal {
    match ask(host, &host.client("smith"), request).await.unwrap() {
        Outcome::Refused(refusal) => refusal,
        other => panic!("{other:?}"),
    }
}

async fn call(host: &Host, tool: &str, function: &str, arguments: &str) -> String {
    let call = Invocation { tool: tool.into(), function: function.into(), arguments: arguments.into() };
    host.toolbox.call(&host.client("smith"), call).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn source_becomes_a_tool_that_answers_at_once() {
    let (_scratch, host) = host().await;
    let product = callable(&host, &sum()).await;
    assert_eq!((product.tool.as_str(), product.version.as_str()), ("smith.sum", "0.1.0"));
    let stages: Vec<Stage> = product.timings.iter().map(|t| t.stage).collect();
    let all = [Stage::Refuse, Stage::Build, Stage::Inspect, Stage::Examine, Stage::Sign, Stage::Register];
    assert_eq!(stages, all);
    assert_eq!(call(&host, "smith.sum", "sum", r#"{"text": "20 22"}"#).await, "42");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_leaves_a_row_in_the_audit_trail() {
    let (_scratch, host) = host().await;
    let product = callable(&host, &sum()).await;
    refused(&host, &request("No Name", SUM)).await;
    ask(&host, &host.client("stranger"), &sum()).await.unwrap_err();
    host.audit.flush().await;
    let rows = host.store.audit(&AuditFilter { principal: None, limit: 10, after: None }).await.unwrap();
    let mut rows: Vec<[&str; 3]> =
        rows.iter().map(|row| [row.principal.as_str(), &row.action, &row.decision]).collect();
    rows.sort_unstable();
    let expected = [
        ["client:smith", "forge smith.No Name", "denied"],
        ["client:smith", "forge smith.sum", "allowed"],
        ["client:stranger", "forge stranger.sum", "denied"],
    ];
    assert_eq!(rows, expected);
    let made = host
        .store
        .audit(&AuditFilter { principal: Some("client:smith".into()), limit: 10, after: None })
        .await
        .unwrap();
    assert!(made.iter().any(|row| row.detail.contains(&product.digest)), "{made:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_may_use_every_allowed_crate() {
    let (_scratch, host) = host().await;
    let arguments = r#"{"text": "a bb a", "pattern": "[a-z]+"}"#;
    let expected = r#"[{"word":"a","times":2},{"times":1,"word":"bb"}]"#;
    let request = Request {
        dependencies: ALLOWED_CRATES.map(Into::into).into(),
        examples: vec![example("find", arguments, Some(expected))],
        ..request("words", WORDS)
    };
    callable(&host, &request).await;
    let tools = host.toolbox.list(&host.client("smith"));
    let found = tools.iter().find(|tool| tool.name == "smith.words").unwrap();
    assert_eq!(found.functions[0].description, "Counts the words of a text that a pattern matches.");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_gives_the_same_tool_and_another_source_the_next_version() {
    let (_scratch, host) = host().await;
    let first = callable(&host, &sum()).await;
    let again = callable(&host, &Request { description: "Other words.".into(), ..sum() }).await;
    assert_eq!((&again.version, &again.digest), (&first.version, &first.digest));
    assert!(again.timings.is_empty(), "nothing was done");

    let other = Request { source: SUM.replace(".sum();", ".map(|n| n * 2).sum();"), examples: vec![], ..sum() };
    let next = callable(&host, &other).await;
    assert_eq!(next.version, "0.1.1");
    assert_eq!(call(&host, "smith.sum", "sum", r#"{"text": "1"}"#).await, "2");
    assert_eq!(call(&host, "smith.sum@0.1.0", "sum", r#"{"text": "1"}"#).await, "1");
    assert_eq!(callable(&host, &sum()).await.version, "0.1.0");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_statement_says_where_a_tool_comes_from_and_a_rebuild_gives_the_same_digest() {
    let (scratch, host) = host().await;
    let product = callable(&host, &sum()).await;
    let registry = scratch.registry().unwrap();
    let entry = registry.find(&"smith.sum".parse::<Reference>().unwrap()).unwrap();
    let now = time::OffsetDateTime::now_utc();
    let verified = registry.load(&entry, &scratch.trust().unwrap(), now).unwrap();
    let Claim::Forged(provenance) = verified.claim() else { panic!("{:?}", verified.claim()) };
    assert_eq!(provenance.source(), Some(Digest::of(SUM.as_bytes())));
    assert_eq!(verified.source(), Some(SUM.as_bytes()));
    let asked = &provenance.build_definition.external_parameters;
    assert_eq!(asked["maker"], "client:smith");
    assert_eq!(asked["examples"].as_array().unwrap().len(), 2);
    let names: Vec<&str> =
        provenance.build_definition.resolved_dependencies.iter().map(|resource| resource.name.as_str()).collect();
    assert_eq!(names, ["source", "compiler", "cargo-component", "Cargo.lock", "wasmill-sdk"]);
    assert_eq!(provenance.run_details.metadata["examined"]["compared"], 1);

    let Compiled::Component { bytes, .. } = workshop().await.compile(SUM, &[]).await.unwrap() else { panic!() };
    assert_eq!(Digest::of(&bytes).to_string(), product.digest);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_compiler_says_comes_back_with_its_place() {
    let (_scratch, host) = host().await;
    let broken = Request { source: SUM.replace("sum.to_string()", "summ.to_string()"), ..sum() };
    let refusal = refused(&host, &broken).await;
    assert_eq!((refusal.stage, refusal.reason.code.as_str()), (Stage::Build, "forge.compile"));
    let line = broken.source.lines().position(|line| line.contains("summ")).unwrap() + 1;
    let first = &refusal.diagnostics[0];
    assert_eq!((first.code.as_deref(), first.line as usize, first.column), (Some("E0425"), line, 12));
    assert!(first.rendered.contains("summ.to_string()"), "{}", first.rendered);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_whose_example_fails_is_not_registered() {
    let (scratch, host) = host().await;
    let wrong = Request { examples: vec![example("sum", r#"{"text": "1"}"#, Some("2"))], ..sum() };
    let refusal = refused(&host, &wrong).await;
    assert_eq!((refusal.stage, refusal.reason.code.as_str()), (Stage::Examine, "forge.example"));
    assert!(refusal.diagnostics[0].message.contains("expected 2, got 1"), "{:?}", refusal.diagnostics);
    assert!(scratch.registry().unwrap().list().unwrap().is_empty());

    let traps = SUM.replace("let digits", "if arguments.contains('x') { panic!(\"no x\") }\n        let digits");
    let trapping = Request { source: traps, examples: vec![example("sum", r#"{"text": "x"}"#, None)], ..sum() };
    assert_eq!(refused(&host, &trapping).await.stage, Stage::Examine);

    let loops = SUM.replace("let digits", "while arguments.len() > 0 {}\n        let digits");
    let looping = Request { source: loops, ..sum() };
    assert_eq!(refused(&host, &looping).await.stage, Stage::Examine);

    let builds = host.store.builds(&BuildFilter { limit: 10, ..BuildFilter::default() }).await.unwrap();
    assert_eq!(builds.len(), 3);
    assert!(builds.iter().all(|b| b.outcome == BuildOutcome::Refused && b.stage == "examine"), "{builds:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_never_asks_for_more_than_its_maker_has() {
    let (_scratch, host) = host().await;
    for (permissions, entry) in [
        ("tools = [\"payments.*\"]", "payments.*"),
        ("tools = [\"*\"]", "tool *"),
        ("topics.write = [\"logs\"]", "topics.write"),
        ("http = [{ host = \"api.example.com\", methods = [\"POST\"] }]", "POST"),
        ("http = [{ host = \"*.example.com\", methods = [\"GET\"] }]", "*.example.com"),
    ] {
        let refusal = refused(&host, &Request { permissions: permissions.into(), ..sum() }).await;
        assert_eq!((refusal.stage, refusal.reason.kind), (Stage::Refuse, ProblemKind::Denied), "{permissions}");
        let said = format!("{} {}", refusal.reason.message, refusal.reason.next);
        assert!(said.contains(entry) && said.contains("client:smith"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_asks_for_something_privileged_waits() {
    let (_scratch, host) = host().await;
    let permissions = "http = [{ host = \"api.example.com\", methods = [\"GET\"] }]".to_owned();
    let outcome = ask(&host, &host.client("smith"), &Request { permissions, ..sum() }).await.unwrap();
    assert!(matches!(&outcome, Outcome::Waiting(product) if product.version == "0.1.0"), "{outcome:?}");
    let call = Invocation { tool: "smith.sum".into(), function: "sum".into(), arguments: r#"{"text":""}"#.into() };
    let error = host.toolbox.call(&host.client("smith"), call).await.unwrap_err();
    assert_eq!(problem(&error).code, "tool.waiting");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_that_sends_requests_has_to_ask_for_it() {
    let (_scratch, host) = host().await;
    let refusal = refused(&host, &request("fetch", FETCH)).await;
    assert_eq!((refusal.stage, refusal.reason.code.as_str()), (Stage::Inspect, "forge.import"));
    assert!(refusal.reason.message.contains("wasi:http"), "{}", refusal.reason.message);

    let permissions = "http = [{ host = \"api.example.com\", methods = [\"GET\"] }]".to_owned();
    let asking = Request { permissions, ..request("fetch", FETCH) };
    let outcome = ask(&host, &host.client("smith"), &asking).await.unwrap();
    assert!(matches!(outcome, Outcome::Waiting(_)), "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_forge_is_told_which_row_is_missing() {
    let (_scratch, host) = host().await;
    let error = ask(&host, &host.client("other"), &sum()).await.unwrap_err();
    assert_eq!((error.code(), error.problem().kind), ("permission.denied", ProblemKind::Denied));
    assert!(error.next().contains("forge = [\"rust\"]"), "{}", error.next());
}

#[tokio::test(flavor = "multi_thread")]
async fn builds_of_an_hour_are_counted_and_what_is_there_already_costs_none() {
    let (_scratch, host) = host().await;
    callable(&host, &sum()).await;
    for _ in 0..4 {
        refused(&host, &request("unsafe", "unsafe {}")).await;
    }
    let error = ask(&host, &host.client("smith"), &request("more", SUM)).await.unwrap_err();
    assert_eq!((error.code(), error.problem().kind), ("forge.quota", ProblemKind::Limit));
    assert!(
        error.to_string().contains("builds_per_hour = 5 (row for \"client:smith\", permissions.toml line "),
        "{error}"
    );
    callable(&host, &sum()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_can_replace_a_tool_of_somebody_else_with_the_same_name() {
    let (_scratch, host) = host().await;
    callable(&host, &sum()).await;
    let matrix = host.catalog.matrix().current();
    let wanted = wasmill_registry::Permissions { forge: vec!["rust".into()], ..Default::default() };
    let agent = matrix.grant(&wasmill::permissions::Principal::agent("smith"), Some(&wanted), None, None);
    let other = Request { source: SUM.replace(".sum();", ".map(|n| n * 2).sum();"), ..sum() };
    let outcome = host.forge.as_ref().unwrap().build(&agent, &other).await.unwrap();
    assert!(matches!(&outcome, Outcome::Refused(refusal) if refusal.reason.code == "forge.name-taken"), "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_requests_at_the_same_time_are_built_once() {
    let (_scratch, host) = host().await;
    let (one, two) = (sum(), sum());
    let (one, two) = tokio::join!(callable(&host, &one), callable(&host, &two));
    assert_eq!((&one.version, &one.digest), (&two.version, &two.digest));
    assert_eq!(host.store.builds_since("client:smith", 0).await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_that_its_source_does_not_give_is_found_by_a_rebuild() {
    let (scratch, host) = host().await;
    callable(&host, &sum()).await;
    let (registry, trust) = (scratch.registry().unwrap(), scratch.trust().unwrap());
    let now = time::OffsetDateTime::now_utc();
    let verified = registry.load(&registry.find(&"smith.sum".parse().unwrap()).unwrap(), &trust, now).unwrap();
    let workshop = async || Ok(workshop().await);
    let honest = rebuild(&verified, workshop).await.unwrap();
    assert_eq!((honest.built, honest.other_tools), (verified.digest(), vec![]));

    // The forge's own key says that the same source gave this: a component with one more custom section.
    let component = [verified.component(), &[0, 2, 1, b'x']].concat();
    let bundle = verified.bundle();
    let envelope = sign(&component, &bundle.manifest, verified.claim(), &scratch.forge).unwrap();
    let forged = Bundle { component, envelope: envelope.to_json(), ..bundle.clone() }.verify(&trust, now).unwrap();
    let found = rebuild(&forged, workshop).await.unwrap();
    assert_eq!((found.built, found.signed), (verified.digest(), forged.digest()));
    assert_ne!(found.built, found.signed);

    assert_eq!(rebuild(&published(&scratch), workshop).await.unwrap_err().code, "provenance.none");
}

/// Something that nobody forged.
fn published(scratch: &Scratch) -> wasmill_registry::Verified {
    let (component, manifest) = (b"\0asm\x0d\0\x01\0", b"name = 'a'\nversion = '1.0.0'\nkind = 'tool'\n");
    let envelope = sign(component, manifest, &Claim::Published, &scratch.publisher).unwrap();
    let bundle = Bundle {
        component: component.to_vec(),
        manifest: manifest.to_vec(),
        envelope: envelope.to_json(),
        source: None,
    };
    bundle.verify(&scratch.trust().unwrap(), time::OffsetDateTime::now_utc()).unwrap()
}
