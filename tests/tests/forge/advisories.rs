//! Generated tools and what they are made of: an advisory on any of it puts them out, and has them made again where that helps.

use serde_json::json;
use wasmill::advisories::Ingredients;
use wasmill::capabilities::{Invocation, ToolCalls, problem};
use wasmill::forge::{Language, Outcome, Product, Request};
use wasmill::host::Host;
use wasmill::store::AuditFilter;
use wasmill_registry::{About, Claim, Program, Reference, Verified};
use wasmill_tests::parts::{self, require};
use wasmill_tests::scratch::{Scratch, component, manifest, until};

use crate::harness::{request, workshop};

const SUM: &str = include_str!("../../forge/tools/sum.js");
const PLAIN: &str = include_str!("../../forge/tools/sum.rs");
const MATRIX: &str = "[[row]]\nprincipal = \"client:smith\"\nforge = [\"javascript\", \"rust\"]\ntools = [\"smith.*\"]\n\
    limits = { builds_per_hour = 100 }\n";

fn versions(name: &str, versions: &str) -> Option<About> {
    Some(About::Component { name: name.into(), versions: versions.parse().unwrap() })
}

async fn made(host: &Host, request: &Request) -> Product {
    match host.forge.as_ref().unwrap().build(&host.client("smith").identity.grant, request).await.unwrap() {
        Outcome::Callable(product) => product,
        other => panic!("{other:?}"),
    }
}

async fn sum(host: &Host, tool: &str) -> Result<String, String> {
    let arguments = json!({ "text": "20 22" }).to_string();
    let call = Invocation { tool: tool.into(), function: "sum".into(), arguments };
    host.toolbox.call(&host.client("smith"), call).await.map_err(|error| problem(&error).message)
}

fn installed(scratch: &Scratch, reference: &str) -> Verified {
    let registry = scratch.registry().unwrap();
    let entry = registry.find(&reference.parse::<Reference>().unwrap()).unwrap();
    registry.load(&entry, &scratch.trust().unwrap(), time::OffsetDateTime::now_utc()).unwrap()
}

/// Decisions and details of rows about building something again.
async fn rebuilds(host: &Host) -> Vec<(String, String)> {
    host.audit.flush().await;
    let rows = host.store.audit(&AuditFilter { principal: None, limit: 1000, after: None }).await.unwrap();
    let of = rows.into_iter().filter(|row| row.action.starts_with("rebuild "));
    of.map(|row| (row.decision, row.detail)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_of_a_bad_engine_are_out_and_come_back_as_new_versions_of_a_good_one() {
    if require(parts::plugin("javascript")).is_none() {
        return;
    }
    let scratch = Scratch::new(MATRIX).await.unwrap();
    scratch.install("javascript").unwrap();
    let running = scratch.run().await.unwrap();
    let host = &running.host;
    let wanted = Request { language: Language::JavaScript, ..request("sum", SUM) };
    assert_eq!(made(host, &wanted).await.version, "0.1.0");
    scratch.advise("bad-engine", 1, versions("javascript", "=0.1.0"), true).unwrap();
    until("the script goes on", async || sum(host, "smith.sum").await.is_err()).await;
    let message = sum(host, "smith.sum").await.unwrap_err();
    assert!(message.contains("bad-engine") && message.contains("it is run by javascript 0.1.0"), "{message}");
    until("nobody tried", async || !rebuilds(host).await.is_empty()).await;
    let (decision, detail) = rebuilds(host).await.remove(0);
    assert!(decision == "failed" && detail.contains("javascript"), "without another engine: {decision}: {detail}");

    // The same engine with other bytes: a section that says nothing.
    let mut other = component("javascript").unwrap();
    other.extend([0, 3, 1, b'x', 0]);
    let newer = manifest("javascript").unwrap().replacen("version = \"0.1.0\"", "version = \"0.2.0\"", 1);
    scratch.install_bytes(&other, &newer).unwrap();
    running.stop().await.unwrap();
    let running = scratch.run().await.unwrap();
    let host = &running.host;
    until("it does not come back", async || sum(host, "smith.sum").await.is_ok()).await;
    assert_eq!(sum(host, "smith.sum").await.unwrap(), "42");
    assert!(sum(host, "smith.sum@0.1.0").await.is_err(), "the old version stays out");
    let again = installed(&scratch, "smith.sum@0.1.1");
    assert_eq!(Ingredients::of(&again).engine.unwrap().version, Some("0.2.0".parse().unwrap()));
    until("the trail lacks it", async || {
        rebuilds(host)
            .await
            .iter()
            .any(|(decision, detail)| decision == "allowed" && detail.contains("smith.sum@0.1.1"))
    })
    .await;
    // Asked for once more, the same request gives what is there.
    assert_eq!(made(host, &wanted).await.version, "0.1.1");
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_names_packages_and_programs_and_an_advisory_on_one_puts_the_tool_out() {
    workshop().await;
    let scratch = Scratch::new(MATRIX).await.unwrap();
    let running = scratch.run().await.unwrap();
    let host = &running.host;
    let wanted = Request { dependencies: vec!["serde_json".into()], ..request("plain", PLAIN) };
    made(host, &wanted).await;
    let verified = installed(&scratch, "smith.plain");
    let of = Ingredients::of(&verified);
    let json = of.crates.iter().find(|part| part.name == "serde_json").unwrap();
    let version = json.version.clone().unwrap();
    assert!(of.crates.iter().any(|part| part.name == "itoa" && part.version.is_some()), "{of:?}");
    assert!(!of.crates.iter().any(|part| part.name == "regex-lite"), "{of:?}");
    assert!(of.programs.iter().any(|(program, _)| *program == Program::Rustc), "{of:?}");

    let package =
        |name: &str, versions: &str| Some(About::Crate { name: name.into(), versions: versions.parse().unwrap() });
    let is_out = || host.catalog.snapshot().tool("smith.plain").is_none();
    scratch.advise("other", 1, package("regex-lite", "*"), true).unwrap();
    scratch.advise("old", 1, package("serde_json", &format!("<{version}")), true).unwrap();
    host.catalog.refresh().await.unwrap();
    assert!(!is_out());
    // Today's kit has it too: building again would not help, and isn't done.
    scratch.advise("this", 1, package("itoa", "*"), true).unwrap();
    until("it stays callable", async || is_out()).await;
    until("nobody tried", async || !rebuilds(host).await.is_empty()).await;
    let (decision, detail) = rebuilds(host).await.remove(0);
    assert!(decision == "failed" && detail.contains("touched by advisory this too"), "{decision}: {detail}");
    assert_eq!(scratch.registry().unwrap().list().unwrap().len(), 1);
    scratch.advise("this", 2, None, false).unwrap();
    until("it stays away", async || !is_out()).await;

    let Claim::Forged(provenance) = verified.claim() else { panic!("it is forged") };
    let compiler = provenance.build_definition.resolved_dependencies.iter().find(|of| of.name == "compiler").unwrap();
    for about in
        [About::Digest(compiler.digest()), About::Toolchain { program: Program::Rustc, versions: "*".parse().unwrap() }]
    {
        scratch.advise("tools", 1, Some(about.clone()), false).unwrap();
        host.catalog.refresh().await.unwrap();
        assert!(is_out(), "{about}");
        std::fs::remove_file(scratch.dir.path().join("advisories.jsonl")).unwrap();
        host.catalog.refresh().await.unwrap();
        assert!(!is_out(), "{about}");
    }
    running.stop().await.unwrap();
}
