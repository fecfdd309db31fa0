//! Agents that come with Wasmill, in task mode on a whole host.

use std::time::Duration;

use serde_json::{Value, json};
use wasmill::store::{RunFilter, RunStatus};
use wasmill::streams::{Record, TopicSpec};
use wasmill_tests::scratch::{PATIENCE, Scratch, component, manifest};

use super::service::Service;
use crate::feed::UPPER_MAY;

#[tokio::test(flavor = "multi_thread")]
async fn a_courier_delivers_each_letter_once_to_each_address_however_often_one_fails() {
    let service = Service::start();
    let rows = format!(
        "privileged = []\n[[row]]\nprincipal = \"agent:courier\"\ntopics.read = [\"deliveries\"]\n\
         topics.write = [\"deliveries.done\"]\nhttp = [{{ host = \"{}\", methods = [\"POST\"] }}]\n",
        service.address
    );
    let scratch = Scratch::new(&rows).await.unwrap();
    scratch.install("courier").unwrap();
    scratch.topics(&["deliveries", "deliveries.done"]).await.unwrap();
    service.fail("shop", 1);
    let to = [service.url("/mail"), service.url("/flaky/shop"), service.url("/bank")];
    scratch.send("deliveries", &[&json!({ "to": to, "body": { "order": 7 } }).to_string()]).await.unwrap();
    let running = scratch.run().await.unwrap();
    let done = scratch.wait_for("deliveries.done", 1).await.unwrap();
    let report: Value = serde_json::from_slice(done.value(0).unwrap()).unwrap();
    let statuses: Vec<&Value> = report["answers"].as_array().unwrap().iter().map(|answer| &answer["status"]).collect();
    assert_eq!(statuses, [200, 200, 200]);
    assert_eq!(["/mail", "/flaky/shop", "/bank"].map(|path| service.times(path)), [1, 2, 1]);
    let keys = service.keys("/flaky/shop");
    assert_eq!(keys[0], keys[1]);
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_work_the_log_refuses_is_set_aside_and_the_others_go_on() {
    let scratch = Scratch::new(UPPER_MAY).await.unwrap();
    let task = manifest("upper").unwrap().replace("[agent]", "[agent]\nmode = \"task\"");
    scratch.install_bytes(&component("upper").unwrap(), &task).unwrap();
    scratch.topics(&["lower"]).await.unwrap();
    // It takes records with a key only.
    let upper = TopicSpec { name: "upper".into(), partitions: 1, compacted: true };
    scratch.streams().create_topic(&upper).await.unwrap();
    let records = (0..60).map(|i: usize| Record {
        key: (![7, 30, 31].contains(&i)).then(|| i.to_string().into_bytes()),
        value: Some(format!("v{i}").into_bytes()),
        ..Record::default()
    });
    scratch.streams().append("lower", records.collect()).await.unwrap();
    let running = scratch.run().await.unwrap();
    let out = scratch.wait_for("upper", 57).await;
    let out = out.unwrap_or_else(|error| panic!("{error}: {:?}", running.host.supervisor.status()));
    let values: Vec<_> = (0..out.len()).map(|i| String::from_utf8_lossy(out.value(i).unwrap()).into_owned()).collect();
    let expected = (0..60).filter(|i| ![7, 30, 31].contains(i)).map(|i| format!("V{i}"));
    assert_eq!(values, expected.collect::<Vec<_>>(), "in the order of their offsets");
    let dead = scratch.wait_for("lower.dlq", 3).await.unwrap();
    assert_eq!((0..3).map(|row| dead.value(row).unwrap()).collect::<Vec<_>>(), [&b"v7"[..], b"v30", b"v31"]);
    let status = &running.host.supervisor.status()[0];
    assert_eq!((status.records, status.dead_letters), (60, 3));
    running.stop().await.unwrap();
    let dead = RunFilter { agent: None, status: Some(RunStatus::Dead), limit: 10, after: None };
    assert_eq!(scratch.store.runs(&dead).await.unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn finished_runs_go_when_they_are_old() {
    let mut scratch = Scratch::new(UPPER_MAY).await.unwrap();
    let task = manifest("upper").unwrap().replace("[agent]", "[agent]\nmode = \"task\"");
    scratch.install_bytes(&component("upper").unwrap(), &task).unwrap();
    scratch.topics(&["lower", "upper"]).await.unwrap();
    scratch.send("lower", &["a", "b"]).await.unwrap();
    let running = scratch.run().await.unwrap();
    scratch.wait_for("upper", 2).await.unwrap();
    let all = RunFilter { agent: None, status: None, limit: 10, after: None };
    // The note that they are committed comes a moment later, and what has none yet is not old.
    let done = RunFilter { status: Some(RunStatus::Done), ..all.clone() };
    let settled = async {
        while scratch.store.runs(&done).await.unwrap().len() < 2 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, settled).await.unwrap();
    running.stop().await.unwrap();
    assert_eq!(scratch.store.runs(&all).await.unwrap().len(), 2);
    scratch.runs_kept = Duration::ZERO;
    let running = scratch.run().await.unwrap();
    let gone = async {
        while !scratch.store.runs(&all).await.unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, gone).await.unwrap();
    running.stop().await.unwrap();
}
