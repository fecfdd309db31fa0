//! No attack without a test: what the hostile plugins describe, held against the text of this suite.

use std::path::Path;

use serde_json::json;

use super::agent::Arena;
use super::ring::Ring;

/// All text of a file or a folder of this suite.
fn text_of(path: &str) -> String {
    fn read(path: &Path, text: &mut String) {
        if path.is_dir() {
            for entry in std::fs::read_dir(path).unwrap() {
                read(&entry.unwrap().path(), text);
            }
        } else {
            text.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
    let mut text = String::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/host/evil").join(path), &mut text);
    text
}

fn assert_covered(path: &str, attacks: &[String]) {
    assert!(attacks.len() > 4, "{path}: {attacks:?}");
    let text = text_of(path);
    let missing: Vec<_> = attacks.iter().filter(|attack| !text.contains(&format!("\"{attack}\""))).collect();
    assert!(missing.is_empty(), "no test in {path} starts {missing:?}");
}

fn functions(ring: &Ring, tool: &str) -> Vec<String> {
    let snapshot = ring.host.catalog.snapshot();
    snapshot.tool(tool).unwrap().functions.iter().map(|f| f.function.name.clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_attack_of_the_hostile_tools_has_a_test() {
    let ring = Ring::of("evil", "").await;
    assert_covered("tool", &functions(&ring, "evil"));
    let row = "[[row]]\nprincipal = \"tool:evil-calls\"\ntools = [\"evil-calls\"]\n";
    let ring = Ring::of("evil-calls", row).await;
    assert_covered("calls.rs", &functions(&ring, "evil-calls"));
    let row = "[[row]]\nprincipal = \"tool:evil-http\"\nhttp = [{ host = \"allowed.example\", methods = [\"GET\"] }]\n";
    let ring = Ring::of("evil-http", row).await;
    assert_covered("http.rs", &functions(&ring, "evil-http"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_attack_of_the_hostile_agent_has_a_test() {
    let mut arena = Arena::start("", "").await;
    let report = arena.attack(json!({ "attack": "list" })).await.report();
    let attacks: Vec<String> =
        report.as_array().unwrap().iter().map(|a| a["attack"].as_str().unwrap().to_owned()).collect();
    assert_covered("agent", &attacks);
    arena.stop().await;
}
