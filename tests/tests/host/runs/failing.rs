//! Runs that fail: what may pass is tried again without paying twice, and what fails for good is set aside with all that is
//! known.

use serde_json::json;

use super::hall::Hall;

#[test]
fn what_did_not_answer_is_asked_again_and_what_did_is_not() {
    let Some(hall) = Hall::start("", |manifest| manifest) else { return };
    hall.service.fail("f", 2);
    hall.send("k", json!([hall.get("/paid"), hall.get("/flaky/f"), hall.get("/then")]));
    let done = hall.done(1);
    assert_eq!(done[0].1[0], "1");
    assert_eq!((hall.service.times("/paid"), hall.service.times("/then")), (1, 1));
    let keys = hall.service.keys("/flaky/f");
    assert_eq!(keys.len(), 3);
    assert!(keys.iter().all(|key| *key == keys[0]), "the same call under the same key: {keys:?}");
    let run = hall.run_of("k", "done");
    assert_eq!((&run["attempts"], &run["epoch"]), (&json!(2), &json!(0)));
    assert_eq!(hall.order("replay", &run)["is_same"], true);
}

#[test]
fn a_failure_of_its_own_that_may_pass_begins_again_and_is_set_aside_after_some_attempts() {
    let Some(hall) = Hall::start("", |manifest| manifest) else { return };
    hall.send("k", json!([hall.get("/asked"), { "fail-for-now": "later, perhaps" }]));
    hall.send("other", json!([{ "count": "n" }]));
    let run = hall.run_of("k", "dead");
    assert_eq!((&run["attempts"], &run["epoch"]), (&json!(5), &json!(4)), "{run:#}");
    assert_eq!(hall.service.times("/asked"), 5, "with the same answers it would fail the same way");
    let letters = hall.cli.run(&["dlq", "list", "steps"]).json();
    let letter = &letters[0];
    assert_eq!((&letter["attempts"], &letter["code"]), (&json!(5), &json!("stepper.unavailable")), "{letter:#}");
    assert_eq!(hall.done(1)[0].0, "other");
}

#[test]
fn a_trap_is_set_aside_at_once_with_its_stack() {
    let Some(hall) = Hall::start("", |manifest| manifest) else { return };
    hall.send("k", json!([{ "count": "n" }, hall.get("/before"), { "trap": 3 }]));
    hall.send("k", json!([{ "count": "n" }]));
    let run = hall.run_of("k", "done");
    assert_eq!(hall.done(1)[0].1, json!([1]), "state of the failed one is gone: {run}");
    let letters = hall.cli.run(&["dlq", "list", "steps"]).json();
    let letter = &letters[0];
    assert_eq!((&letter["code"], &letter["attempts"]), (&json!("guest.trap"), &json!(1)), "{letter:#}");
    let stack = letter["stack"].as_str().unwrap();
    assert!(stack.matches("stepper::deep").count() >= 3, "{stack}");
    assert_eq!(hall.service.times("/before"), 1);
}
