//! Who goes first, who goes together, and who has to wait.

use serde_json::json;

use super::hall::Hall;

#[test]
fn one_key_goes_one_by_one_and_a_slow_run_holds_no_other_key() {
    let Some(hall) = Hall::start("", |manifest| manifest) else { return };
    hall.send("a", json!([{ "count": "a" }, hall.get("/gate/a1")]));
    hall.send("a", json!([{ "count": "a" }, hall.get("/gate/a2")]));
    hall.send("b", json!([{ "count": "b" }, hall.get("/b1")]));
    hall.send("b", json!([{ "count": "b" }, hall.get("/b2")]));
    hall.service.wait("/gate/a1", 1);
    // Both of `b`, though the record before them is under way.
    hall.service.wait("/b2", 1);
    assert_eq!(hall.service.times("/gate/a2"), 0, "the second of `a` waits for the first");
    hall.service.open("a1");
    hall.service.wait("/gate/a2", 1);
    hall.service.open("a2");
    let done = hall.done(4);
    let counted: Vec<(&str, u64)> =
        done.iter().map(|(key, value)| (key.as_str(), value[0].as_u64().unwrap())).collect();
    assert_eq!(counted, [("a", 1), ("a", 2), ("b", 1), ("b", 2)], "each saw what its key had done before");
}

#[test]
fn no_more_runs_are_at_work_than_the_manifest_says() {
    let two = |manifest: String| manifest.replace("runs_at_once = 4", "runs_at_once = 2");
    let Some(hall) = Hall::start("", two) else { return };
    for key in ["a", "b", "c"] {
        hall.send(key, json!([hall.get(&format!("/gate/{key}"))]));
    }
    hall.service.wait("/gate/b", 1);
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert_eq!(hall.service.times("/gate/c"), 0);
    hall.service.open("a");
    hall.service.wait("/gate/c", 1);
    ["b", "c"].iter().for_each(|gate| hall.service.open(gate));
    hall.done(3);
}

#[test]
fn a_run_that_has_had_its_turn_goes_on_behind_the_others_and_asks_nothing_twice() {
    let one = |manifest: String| manifest.replace("runs_at_once = 4", "runs_at_once = 1");
    let Some(hall) = Hall::start("", one) else { return };
    let mut steps = vec![hall.get("/gate/long")];
    steps.extend((0..80).map(|n| hall.get(&format!("/long/{n}"))));
    hall.send("long", json!(steps));
    hall.service.wait("/gate/long", 1);
    hall.send("short", json!([hall.get("/short")]));
    // It must have come in before the long one may go on.
    std::thread::sleep(std::time::Duration::from_millis(500));
    hall.service.open("long");
    hall.done(2);
    let paths: Vec<String> = hall.service.all().into_iter().map(|seen| seen.path).collect();
    let at = |path: &str| paths.iter().position(|other| other == path).unwrap();
    assert!(at("/long/5") < at("/short") && at("/short") < at("/long/70"), "{paths:?}");
    assert_eq!(paths.len(), 82, "nothing is asked twice");
    assert!(hall.run_of("long", "done")["turns"].as_u64().unwrap() >= 2);
}

#[test]
fn a_run_that_takes_longer_than_its_limit_is_set_aside() {
    let short = |manifest: String| manifest.replace("runs_at_once = 4", "run_seconds = 2");
    let Some(hall) = Hall::start("", short) else { return };
    hall.send("k", json!([hall.get("/gate/never")]));
    let run = hall.run_of("k", "dead");
    assert_eq!(run["problem"]["code"], "run.limit", "{run:#}");
}
