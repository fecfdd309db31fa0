//! A forged tool beside the version before it: what an admin sees of it while it waits.

use serde_json::json;
use wasmill::capabilities::Came;
use wasmill::forge::Example;
use wasmill::shadow::{Given, shadow};
use wasmill_registry::Reference;
use wasmill_tests::scratch::denials;

use super::{MATRIX, call, make, make_with, scratch};

fn example(n: u32) -> Example {
    Example { function: "f".into(), arguments: format!("{{\"n\": {n}}}"), expected: None }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_waits_is_given_the_examples_and_asks_nobody_outside() {
    let Some(scratch) = scratch(MATRIX).await else { return };
    let host = scratch.open().await.unwrap();
    make_with(&host, "return n + 1;", "", (1..=4).map(example).collect()).await;
    let other = "if (n === 2) return wasmill.call('text-metrics', 'count', { text: 'a b' }).words;
        if (n === 3) { try { return wasmill.send({ url: 'https://api.example.com/' }).status; } catch { return 4; } }
        if (n === 4) throw new TypeError('no');
        return n + 1;";
    let http = "http = [{ host = 'api.example.com', methods = ['GET'] }]";
    make(&host, other, http).await;
    assert_eq!(host.catalog.snapshot().waiting[0].component, "smith.f@0.1.1");
    let report = shadow(&host.catalog, &"smith.f@0.1.1".parse::<Reference>().unwrap(), 20).await.unwrap();
    assert_eq!((report.component.as_str(), report.current.as_str()), ("smith.f@0.1.1", "smith.f@0.1.0"));
    assert_eq!((report.given, report.same, report.different), (Given::Examples, 1, 3), "{report:#?}");
    let [denied, refused, failed] = &report.differences[..] else { panic!("{report:#?}") };
    assert_eq!(denied.given, "f {\"n\": 2}");
    assert_eq!(denied.current.output, json!({ "answer": 3 }));
    assert_eq!(
        (denied.candidate.asked[0].what.as_str(), denied.candidate.asked[0].came),
        ("call tool text-metrics", Came::Denied)
    );
    assert_eq!(refused.candidate.output, json!({ "answer": 4 }), "the answer is the same, and the question is not");
    let asked = &refused.candidate.asked[0];
    assert_eq!((asked.what.as_str(), asked.came), ("http: GET https://api.example.com/", Came::Refused));
    assert_eq!(failed.candidate.output["error"]["code"], "tool.said.javascript.exception");

    // It still waits, nobody was denied anything, and one example is one example.
    assert_eq!(call(&host, "smith.f@0.1.1", 1).await.unwrap_err(), "tool.waiting");
    assert!(denials(&host).await.unwrap().is_empty());
    let one = shadow(&host.catalog, &"smith.f".parse::<Reference>().unwrap(), 1).await.unwrap();
    assert_eq!((one.same, one.different), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_there_is_nothing_to_compare_with_or_to_give_it_is_said() {
    let Some(scratch) = scratch(MATRIX).await else { return };
    let host = scratch.open().await.unwrap();
    make(&host, "return n + 1;", "").await;
    let code = async |reference: &str, last| {
        let reference: Reference = reference.parse().unwrap();
        shadow(&host.catalog, &reference, last).await.unwrap_err().code
    };
    assert_eq!(code("smith.f", 20).await, "shadow.alone");
    make(&host, "return n + 2;", "").await;
    assert_eq!(code("smith.f", 20).await, "shadow.nothing");
    assert_eq!(code("smith.f@0.1.0", 20).await, "shadow.alone");
    for (reference, last, expected) in [
        ("smith.f@0.1.9", 20, "component.unknown"),
        ("smith.g", 20, "component.unknown"),
        ("smith.f", 0, "shadow.last"),
        ("smith.f", 1001, "shadow.last"),
    ] {
        assert_eq!(code(reference, last).await, expected, "{reference} {last}");
    }
}
