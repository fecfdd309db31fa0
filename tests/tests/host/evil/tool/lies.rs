use serde_json::json;
use wasmill_tests::scratch::{component, manifest};

use super::super::ring::Ring;

/// A lie, and what the host says of it; none where it is believed.
const LIES: [(&str, Option<&str>); 12] = [
    ("garbage", Some("the input schema of `echo` is not JSON")),
    ("no-schema", Some("the input schema of `echo` is not a JSON Schema")),
    ("not-an-object", Some("the input schema of `echo` takes no object")),
    ("remote", Some("the input schema of `echo` is not a JSON Schema")),
    ("names", Some("no name for a function")),
    ("twice", Some("two functions are named")),
    ("nothing", Some("0 functions")),
    ("many", Some("limit")),
    ("huge", Some("limit")),
    ("differs", None),
    ("never", Some("compute_ms = 500")),
    ("trap", Some("trapped")),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_that_lies_about_itself_is_refused_and_harms_no_other() {
    let rows = "[[row]]\nprincipal = \"tool:*\"\nlimits = { compute_ms = 500, output_kib = 1024 }\n";
    let truth = manifest("evil").unwrap();
    let mut ring = Ring::of("evil", rows).await;
    for (lie, _) in LIES {
        let name = format!("liar-{lie}");
        let manifest = truth.replacen("\"evil\"", &format!("{name:?}"), 1);
        ring.scratch.install_bytes(&component("evil").unwrap(), &manifest).unwrap();
        ring.scratch.settings.insert(name, [("describe".to_owned(), lie.to_owned())].into());
    }
    ring.host = ring.scratch.open().await.unwrap();
    ring.is_well().await;

    let snapshot = ring.host.catalog.snapshot();
    for (lie, expected) in LIES {
        let name = format!("liar-{lie}");
        let refused = snapshot.refused.iter().find(|refused| refused.is(&name));
        match expected {
            Some(reason) => {
                let refused = refused.unwrap_or_else(|| panic!("{lie} was believed"));
                assert_eq!(refused.code, "component.describe", "{lie}: {}", refused.reason);
                assert!(refused.reason.contains(reason), "{lie}: {}", refused.reason);
                assert!(refused.reason.len() < 1024, "{lie}: {} bytes", refused.reason.len());
                let met = ring.call(&name, "echo", json!({})).await.unwrap_err();
                assert_eq!(met.code, "tool.refused", "{lie}: {met:?}");
            }
            None => assert!(refused.is_none(), "{lie}: {refused:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_answers_that_differ_the_first_one_counts() {
    let ring = Ring::with("evil", &manifest("evil").unwrap(), "evil", "", &[("describe", "differs")]).await;
    let functions = |ring: &Ring| ring.host.catalog.snapshot().tool("evil").unwrap().functions[0].function.name.clone();
    let first = functions(&ring);
    ring.host.catalog.refresh().await.unwrap();
    assert_eq!(functions(&ring), first);
}
