//! A new version beside the one at work: of an agent with the last records, of a tool with the last calls.

use serde_json::{Value, json};
use wasmill_tests::scratch::manifest;

use super::hall::Hall;

/// The one difference that is about this record.
fn about(report: &Value, offset: usize) -> Value {
    let given = format!("steps:0:{offset}");
    let all = report["differences"].as_array().unwrap();
    all.iter().find(|compared| compared["given"] == *given).cloned().unwrap_or_else(|| panic!("{given}: {report:#}"))
}

#[test]
fn two_versions_of_an_agent_get_the_same_records_and_nothing_leaves_the_host() {
    let Some(mut hall) = Hall::start("", |manifest| manifest) else { return };
    let fetch = json!({ "call": ["evil-http", "fetch", { "url": hall.service.url("/tool") }] });
    hall.send("k", json!([{ "count": "a" }, fetch]));
    hall.send("k", json!([{ "count": "a" }, { "fail": "no" }]));
    hall.send("k", json!([hall.get("/asked")]));
    hall.send("k", json!([{ "count": "a" }]));
    hall.done(3);
    let asked = hall.service.all().len();
    let runs_before = hall.runs().as_array().map(Vec::len);

    // This one asks for the same with another header, which the journals of the first one don't know.
    hall.install_variant();
    let report = hall.cli.run(&["plugin", "shadow", "stepper@0.2.0", "--last", "10"]).json();
    assert_eq!((&report["component"], &report["current"]), (&"stepper@0.2.0".into(), &"stepper@0.1.0".into()));
    assert_eq!((&report["given"], &report["kind"]), (&"records".into(), &"agent".into()), "{report:#}");
    assert_eq!(
        (&report["same"], &report["different"], &report["cut"]),
        (&3.into(), &1.into(), &Value::Null),
        "{report:#}"
    );
    let compared = about(&report, 2);
    let url = format!("http: GET {}", hall.service.url("/asked"));
    assert_eq!(compared["current"]["asked"], json!([{ "what": url, "came": "journal" }]), "{compared:#}");
    assert_eq!(compared["candidate"]["asked"], json!([{ "what": url, "came": "refused" }]));
    assert_eq!(compared["current"]["output"]["records"][0]["topic"], "steps.done");
    assert!(compared["candidate"]["output"]["error"]["code"].is_string(), "{compared:#}");

    // What it would be denied is shown, and no denial of anybody.
    let other = manifest("stepper").unwrap().replace("version = \"0.1.0\"", "version = \"0.3.0\"");
    hall.install("stepper", &other.replace("write = [\"steps.done\"]", "write = [\"other\"]"), |bytes| bytes).unwrap();
    let report = hall.cli.run(&["plugin", "shadow", "stepper@0.3.0", "--last", "1"]).json();
    assert_eq!((&report["current"], &report["different"]), (&"stepper@0.2.0".into(), &1.into()), "{report:#}");
    let compared = about(&report, 3);
    assert_eq!(compared["candidate"]["asked"], json!([{ "what": "write topic steps.done", "came": "denied" }]));
    assert_eq!(compared["candidate"]["output"]["error"]["code"], "permission.denied");

    assert_eq!(hall.service.all().len(), asked, "nothing was asked of the service");
    hall.done(3);
    assert_eq!(hall.runs().as_array().map(Vec::len), runs_before);
    let trail = hall.cli.run(&["audit", "list"]).json().to_string();
    assert!(!trail.contains("write topic steps.done"), "{trail}");
    hall.kill();

    // A version of a tool gets the calls that the journal has kept; without a host at work too.
    let tool = "name = \"evil-http\"\nversion = \"0.2.0\"\nkind = \"tool\"\n[permissions]\nhttp = [{ host = \"*\", methods = [\"*\"] }]\n";
    hall.install("evil-http", tool, |bytes| bytes).unwrap();
    let report = hall.cli.run(&["plugin", "shadow", "evil-http", "--last", "5"]).json();
    assert_eq!(
        (&report["given"], &report["same"], &report["different"]),
        (&"calls".into(), &1.into(), &0.into()),
        "{report:#}"
    );
    let text = hall.cli.run(&["plugin", "shadow", "evil-http", "--output", "human"]).expect_code(0).stdout;
    assert!(text.contains("evil-http@0.2.0 beside evil-http@0.1.0") && text.contains("the same 1 times"), "{text}");
    assert_eq!(hall.service.all().len(), asked);
}
