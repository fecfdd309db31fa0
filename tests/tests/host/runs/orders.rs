//! What admins order: pause, resume, cancel, restart, pin, replay.

use serde_json::json;

use super::hall::Hall;

#[test]
fn a_paused_run_waits_at_its_next_call_and_goes_on_where_it_was() {
    let Some(hall) = Hall::start("", |manifest| manifest) else { return };
    hall.send("p", json!([hall.get("/gate/p"), hall.get("/after")]));
    hall.service.wait("/gate/p", 1);
    let run = hall.run_of("p", "running");
    assert_eq!(hall.order("pause", &run)["status"], "paused");
    hall.service.open("p");
    // Another key goes on beside it, and waits for its place.
    hall.send("q", json!([hall.get("/beside")]));
    hall.run_of("q", "finished");
    let shown = hall.show(&run);
    assert_eq!((&shown["status"], shown["steps"].as_array().unwrap().len()), (&json!("paused"), 1), "{shown:#}");
    assert_eq!(hall.service.times("/after"), 0);
    hall.order("resume", &run);
    assert_eq!(hall.done(2).iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), ["p", "q"]);
    assert_eq!((hall.service.times("/gate/p"), hall.service.times("/after")), (1, 1));
    let run = hall.run_of("p", "done");
    for order in ["pause", "resume", "cancel", "restart", "pin"] {
        let refused = hall.cli.run(&["run", order, run["id"].as_str().unwrap()]).problem(1);
        assert_eq!(refused.code, "run.status", "{order}: {refused:?}");
    }
    let steps = hall.show(&run)["steps"].clone();
    assert!(steps[0]["answered_ms"].as_i64() >= steps[0]["asked_ms"].as_i64(), "{steps:#}");
    assert!(steps[0]["request"].as_str().unwrap().ends_with("/gate/p"));
}

#[test]
fn a_cancelled_run_is_a_dead_letter_and_its_partition_goes_on() {
    let Some(hall) = Hall::start("", |manifest| manifest) else { return };
    hall.send("c", json!([hall.get("/gate/never")]));
    hall.service.wait("/gate/never", 1);
    hall.send("d", json!([hall.get("/other")]));
    hall.order("cancel", &hall.run_of("c", "running"));
    hall.run_of("c", "cancelled");
    assert_eq!(hall.done(1)[0].0, "d");
    let letters = hall.cli.run(&["dlq", "list", "steps"]).json();
    assert_eq!((&letters[0]["code"], &letters[0]["origin"]["offset"]), (&json!("run.cancelled"), &json!(0)));
}

#[test]
fn a_run_that_another_version_does_not_repeat_stops_and_waits_for_a_choice() {
    let Some(mut hall) = Hall::start("", |manifest| manifest) else { return };
    for key in ["pinned", "restarted"] {
        hall.send(key, json!([hall.get(&format!("/{key}")), hall.get(&format!("/gate/{key}"))]));
        hall.service.wait(&format!("/gate/{key}"), 1);
    }
    hall.kill();
    hall.install_variant();
    hall.up();
    let (pinned, restarted) = (hall.run_of("pinned", "diverged"), hall.run_of("restarted", "diverged"));
    assert_eq!(pinned["problem"]["code"], "run.diverged");
    let next = pinned["problem"]["next"].as_str().unwrap();
    assert!(next.contains("wasmill run pin") && next.contains("wasmill run restart"), "{next}");
    // What the new version begins itself goes on beside them.
    hall.send("new", json!([hall.get("/new")]));
    assert_eq!(hall.run_of("new", "finished")["component"], "stepper@0.2.0");
    ["pinned", "restarted"].iter().for_each(|gate| hall.service.open(gate));
    hall.order("pin", &pinned);
    hall.order("restart", &restarted);
    assert_eq!(hall.done(3).len(), 3);
    let (pinned, restarted) = (hall.run_of("pinned", "done"), hall.run_of("restarted", "done"));
    assert_eq!((&pinned["component"], &restarted["component"]), (&json!("stepper@0.1.0"), &json!("stepper@0.2.0")));
    assert_eq!(hall.service.times("/pinned"), 1, "what the pinned one was answered stays answered");
    let keys = hall.service.keys("/restarted");
    assert_eq!(keys.len(), 2, "the restarted one asks everything again");
    assert_ne!(keys[0], keys[1], "as another call");
    // A replay takes the version that made the run, whatever runs now.
    for run in [&pinned, &restarted] {
        let replayed = hall.order("replay", run);
        assert_eq!((&replayed["is_same"], &replayed["component"]), (&json!(true), &run["component"]), "{replayed:#}");
    }
}

#[test]
fn a_replay_is_the_same_bit_by_bit_with_running_clocks_and_state() {
    let clock = |manifest: String| manifest.replace("state = true", "state = true\nclock = true");
    let Some(hall) = Hall::start("", clock) else { return };
    let (random, time) = (json!({ "random": 0 }), json!({ "time": 0 }));
    let call = |path: &str| json!({ "url": hall.service.url(path) });
    for _ in 0..2 {
        hall.send(
            "k",
            json!([
                time,
                random,
                { "count": "n" },
                { "sleep": 30 },
                time,
                { "call-all": ["evil-http", "fetch", call("/one"), call("/two")] },
                { "count": "n" },
                time,
                random
            ]),
        );
    }
    hall.send("bad", json!([hall.get("/one"), time, { "fail": "on purpose" }]));
    let done = hall.done(2);
    let second = &done[1].1;
    assert_eq!((&second[2], &second[6]), (&json!(3), &json!(4)), "{second}");
    assert_ne!(second[0], second[4], "the clock runs");
    let asked = hall.service.all().len();
    assert_eq!(asked, 5);
    let dead = hall.run_of("bad", "dead");
    for run in hall.runs().as_array().unwrap() {
        let replayed = hall.order("replay", run);
        assert_eq!(replayed["is_same"], true, "{replayed:#}");
        let steps = replayed["steps"].as_array().unwrap();
        assert_eq!(steps.len(), if run["id"] == dead["id"] { 1 } else { 2 });
        assert!(steps.iter().all(|step| step["is_repeated"] == true), "{replayed:#}");
    }
    assert_eq!(hall.service.all().len(), asked, "a replay sends nothing");
    assert_eq!(hall.done(2).len(), 2);
}

#[test]
fn a_run_is_named_by_the_beginning_of_its_id_and_errors_say_what_to_do() {
    let Some(hall) = Hall::start("", |manifest| manifest) else { return };
    hall.send("k", json!([]));
    hall.done(1);
    let run = hall.run_of("k", "done");
    let id = run["id"].as_str().unwrap();
    assert_eq!(hall.cli.run(&["run", "show", &id[..8]]).json()["id"], id);
    assert_eq!(hall.cli.run(&["run", "show", "0000000000"]).problem(4).code, "run.unknown");
    assert_eq!(hall.cli.run(&["run", "show", "../x"]).problem(2).code, "run.id");
    let filtered = hall.cli.run(&["run", "list", "--agent", "stepper", "--status", "diverged"]).json();
    assert_eq!(filtered, json!([]));
}
