//! Runs and their journals: who may write, and what an order does.

use serde_json::json;
use wasmill::store::{Afresh, Finish, Halt, NewRun, NewStep, RunFilter, RunRow, RunStatus, Store};

fn run(id: &str, offset: u64) -> NewRun {
    NewRun {
        id: id.into(),
        agent: "a".into(),
        component: "a@1.0.0".into(),
        digest: "d1".into(),
        topic: "t".into(),
        partition: 2,
        offset,
        key: Some("ü".into()),
        traceparent: "00".into(),
        seed: "5eed".into(),
        clock_ns: 7,
    }
}

fn step(run: &str, seq: u64) -> NewStep<'_> {
    let (kind, digest, idempotency_key, request) = ("http", "d", "key", "GET x");
    NewStep { run, seq, epoch: 0, kind, digest, idempotency_key, request, readings: "[[0,\"wall\",1]]" }
}

fn finish(outputs: &str) -> Finish<'_> {
    Finish { component: "a@1.0.0", digest: "d1", outputs, readings: "[]" }
}

async fn open(address: &str) -> Store {
    Store::open(address).await.unwrap()
}

async fn status(store: &Store, id: &str) -> RunStatus {
    store.run(id).await.unwrap().unwrap().status
}

pub async fn only_the_turn_that_has_claimed_a_run_writes(address: &str) {
    let store = open(address).await;
    let first = store.begin_run(&run("r", 0), "one").await.unwrap();
    assert_eq!((first.turns, first.status, first.claim.as_str()), (1, RunStatus::Running, "one"));
    assert!(store.add_step("one", &step("r", 0)).await.unwrap());
    assert!(!store.add_step("one", &step("r", 0)).await.unwrap(), "a step is written once");
    let second = store.begin_run(&run("r", 0), "two").await.unwrap();
    assert_eq!((second.turns, second.seed.as_str(), second.clock_ns), (2, "5eed", 7));
    assert!(!store.add_step("one", &step("r", 1)).await.unwrap());
    assert!(!store.ask_step_again("r", "one", 0).await.unwrap());
    assert!(!store.finish_run("r", "one", &finish("o")).await.unwrap());
    assert!(store.ask_step_again("r", "two", 0).await.unwrap());
    // An answer is paid for, whoever brings it; the first one counts.
    assert_eq!(store.answer_step("r", 0, 0, "1", false).await.unwrap().as_deref(), Some("1"));
    assert_eq!(store.answer_step("r", 0, 0, "2", true).await.unwrap().as_deref(), Some("1"));
    assert_eq!(store.answer_step("r", 1, 0, "3", true).await.unwrap(), None, "of another epoch");
    let steps = store.steps("r").await.unwrap();
    assert_eq!((steps.len(), steps[0].asks, steps[0].passing), (1, 2, false));
    assert!(steps[0].answered_ms.unwrap() >= steps[0].asked_ms);
    assert!(store.finish_run("r", "two", &finish("o")).await.unwrap());
    store.settle_runs(&["r".into()]).await.unwrap();
    assert_eq!(status(&store, "r").await, RunStatus::Done);
}

pub async fn orders_count_where_the_run_stands_so(address: &str) {
    let store = open(address).await;
    store.begin_run(&run("r", 0), "one").await.unwrap();
    assert!(!store.resume_run("r").await.unwrap() && !store.pin_run("r").await.unwrap());
    assert!(store.pause_run("r").await.unwrap());
    assert!(!store.add_step("one", &step("r", 0)).await.unwrap(), "a paused run takes no step");
    assert!(store.resume_run("r").await.unwrap());
    assert!(store.add_step("one", &step("r", 0)).await.unwrap());
    let problem = json!({ "code": "run.diverged" });
    let halt =
        Halt { status: RunStatus::Diverged, code: "run.diverged", problem: &problem, attempts: 1, readings: None };
    assert!(store.stop_run("r", "one", &halt).await.unwrap());
    assert_eq!(store.open_runs("a").await.unwrap(), [("r".to_owned(), RunStatus::Diverged)]);
    assert!(store.pin_run("r").await.unwrap());
    assert_eq!(store.run("r").await.unwrap().unwrap().pinned.as_deref(), Some("d1"));
    let afresh = Afresh { seed: "other".into(), clock_ns: 9 };
    assert!(store.restart_run("r", &afresh).await.unwrap());
    let again: RunRow = store.run("r").await.unwrap().unwrap();
    assert_eq!((again.epoch, again.seed.as_str(), again.pinned, again.clock_ns), (1, "other", None, 9));
    assert!(store.steps("r").await.unwrap().is_empty());
    assert!(store.cancel_run("r", &json!({ "code": "run.cancelled" })).await.unwrap());
    assert!(!store.pause_run("r").await.unwrap());
    store.settle_runs_before("a", "t", 2, 1).await.unwrap();
    assert_eq!(status(&store, "r").await, RunStatus::Cancelled);
    // What the log gives again is not committed, whatever is written here.
    assert_eq!(store.begin_run(&run("r", 0), "two").await.unwrap().status, RunStatus::Failed);
}

pub async fn a_journal_is_cut_where_a_run_asks_again(address: &str) {
    let store = open(address).await;
    store.begin_run(&run("r", 0), "one").await.unwrap();
    for seq in 0..3 {
        store.add_step("one", &step("r", seq)).await.unwrap();
        store.answer_step("r", 0, seq, "1", seq == 1).await.unwrap();
    }
    store.cut_steps("r", "other", 1).await.unwrap();
    assert_eq!(store.steps("r").await.unwrap().len(), 3, "of another turn");
    store.cut_steps("r", "one", 1).await.unwrap();
    let steps = store.steps("r").await.unwrap();
    let left: Vec<(u64, Option<&str>, &str)> =
        steps.iter().map(|step| (step.seq, step.answer.as_deref(), step.idempotency_key.as_str())).collect();
    assert_eq!(left, [(0, Some("1"), "key"), (1, None, "key")]);
}

pub async fn finished_runs_go_with_their_journals_and_no_others(address: &str) {
    let store = open(address).await;
    for (id, offset) in [("aa01", 0), ("aa02", 1), ("bb03", 2)] {
        store.begin_run(&run(id, offset), "one").await.unwrap();
        store.add_step("one", &step(id, 0)).await.unwrap();
    }
    assert_eq!(store.runs_beginning("aa").await.unwrap().len(), 2);
    assert_eq!(store.runs_beginning("aa02").await.unwrap()[0].offset, 1);
    store.finish_run("aa01", "one", &finish("o")).await.unwrap();
    store.finish_run("aa02", "one", &finish("o")).await.unwrap();
    store.settle_runs(&["aa01".into()]).await.unwrap();
    let later = i64::MAX;
    assert_eq!(store.remove_runs(0, 10).await.unwrap(), 0);
    assert_eq!(store.remove_runs(later, 10).await.unwrap(), 1, "what is not committed stays");
    assert!(store.run("aa01").await.unwrap().is_none() && store.steps("aa01").await.unwrap().is_empty());
    let filter = RunFilter { agent: Some("a".into()), status: Some(RunStatus::Running), limit: 10, after: None };
    let left = store.runs(&filter).await.unwrap();
    assert_eq!(left.iter().map(|run| run.id.as_str()).collect::<Vec<_>>(), ["bb03"]);
    assert_eq!(store.steps("bb03").await.unwrap().len(), 1);
}
